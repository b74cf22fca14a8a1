"""How far the object is from the reference: in the image, as DeVI rewards it, and in space, as it reports it."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from devi_jax.core import rotations as rot
from devi_jax.core.camera import project
from devi_jax.core.sim_state import ReferenceState, SimState
from envs.rewards.measured import measured


def object_pixels(state: SimState, reference: ReferenceState) -> Float[Array, "M 2"]:
    """Where the clip's camera sees the tracked points on the simulated object, pixels."""
    assert reference.points_object is not None and reference.view is not None and state.object_position is not None
    world = rot.rotate(state.object_rotation, reference.points_object) + state.object_position[None]
    return project(world, reference.view.K, reference.view.T_camera_world)[0]


@measured("diag", needs="points_px")
def object_2d(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """RMS distance between projected and tracked object points, over the image diagonal.

    Only points visible in the reference count; zero where none is. DeVI Eq. 17.
    """
    return jnp.sqrt(_mean_visible(jnp.sum(_pixel_errors(state, reference) ** 2, axis=-1), reference))


def object_2d_mean(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """Mean distance between projected and tracked visible points, over the image diagonal. DeVI Eq. 22 bounds it."""
    return _mean_visible(jnp.sqrt(jnp.sum(_pixel_errors(state, reference) ** 2, axis=-1)), reference)


@measured("m", needs="object_position")
def object_position(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """Distance of the object from its reference in metres. DeVI's metric T_obj; needs a clip with 6-DoF poses."""
    assert state.object_position is not None and reference.object_position is not None
    return jnp.sqrt(jnp.sum((state.object_position - reference.object_position) ** 2))


@measured("rad", needs="object_position")
def object_rotation(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """Geodesic angle of the object to its reference in radians. DeVI's metric O_obj; needs 6-DoF poses."""
    return rot.angle_between(state.object_rotation, reference.object_rotation)


@measured("m/s", needs="object_position")
def object_velocity(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """Difference of the object's linear velocity to its reference in m/s. InterMimic: `eopv`."""
    assert state.object_linear_velocity is not None and reference.object_linear_velocity is not None
    return jnp.sqrt(jnp.sum((state.object_linear_velocity - reference.object_linear_velocity) ** 2))


def _pixel_errors(state: SimState, reference: ReferenceState) -> Float[Array, "M 2"]:
    assert reference.view is not None and reference.points_px is not None
    return (object_pixels(state, reference) - reference.points_px) / reference.view.diagonal_px


def _mean_visible(values: Float[Array, " M"], reference: ReferenceState) -> Float[Array, ""]:
    seen = jnp.asarray(reference.visible, jnp.float32)
    return jnp.sum(values * seen) / jnp.maximum(jnp.sum(seen), 1.0)
