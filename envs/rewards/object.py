"""How far the object is from the reference: in the image, as DeVI rewards it, and in space, as it reports it."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from devi_jax.core import rotations as rot
from devi_jax.core.camera import project
from devi_jax.core.sim_state import ReferenceState, SimState


def object_pixels(frame: SimState, target: ReferenceState) -> Float[Array, "M 2"]:
    """Where the clip's camera sees the tracked points on the simulated object, pixels."""
    assert target.points_object is not None and target.view is not None
    world = rot.rotate(frame.object_rotation, target.points_object) + frame.object_position
    return project(world, target.view.K, target.view.T_camera_world)[0]


def object_2d(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """RMS distance between projected and tracked object points, over the image diagonal.

    Only points visible in the reference count; zero where none is. DeVI Eq. 17.
    """
    return jnp.sqrt(_mean_visible(jnp.sum(_pixel_errors(frame, target) ** 2, axis=-1), target))


def object_2d_mean(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """Mean distance between projected and tracked visible points, over the image diagonal. DeVI Eq. 22 bounds it."""
    return _mean_visible(jnp.sqrt(jnp.sum(_pixel_errors(frame, target) ** 2, axis=-1)), target)


def object_position(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """Distance of the object from its reference in metres. DeVI's metric T_obj; needs a clip with 6-DoF poses."""
    assert frame.object_position is not None and target.object_position is not None
    return jnp.sqrt(jnp.sum((frame.object_position - target.object_position) ** 2))


def object_rotation(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """Geodesic angle of the object to its reference in radians. DeVI's metric O_obj; needs 6-DoF poses."""
    return rot.angle_between(frame.object_rotation, target.object_rotation)


def object_velocity(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """Difference of the object's linear velocity to its reference in m/s. InterMimic: `eopv`."""
    assert frame.object_linear_velocity is not None and target.object_linear_velocity is not None
    return jnp.sqrt(jnp.sum((frame.object_linear_velocity - target.object_linear_velocity) ** 2))


def _pixel_errors(frame: SimState, target: ReferenceState) -> Float[Array, "M 2"]:
    assert target.view is not None and target.points_px is not None
    return (object_pixels(frame, target) - target.points_px) / target.view.diagonal_px


def _mean_visible(values: Float[Array, " M"], target: ReferenceState) -> Float[Array, ""]:
    seen = jnp.asarray(target.visible, jnp.float32)
    return jnp.sum(values * seen) / jnp.maximum(jnp.sum(seen), 1.0)
