"""How far the object is from the reference: in the image, as DeVI rewards it, and in space, as it reports it.

A picture hardly tells how far away a thing is. What could: its size there (`object_size`), or a second camera
(`object_second_view`).
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from devi_jax.core import rotations as rot
from devi_jax.core.camera import project
from devi_jax.core.sim_state import CameraParams, ReferenceState, SimState
from envs.rewards.measured import measured

_POINT_PX = 0.1
"""Spread of a single point in the picture, pixels: sizes below it have no ratio."""


def object_pixels(state: SimState, reference: ReferenceState) -> Float[Array, "M 2"]:
    """Where the clip's camera sees the tracked points on the simulated object, pixels."""
    assert reference.points_object is not None and reference.view is not None
    assert state.object_position is not None and state.object_rotation is not None
    return _seen(reference.view, reference.points_object, state.object_position, state.object_rotation)


@measured("diag", needs="points_px")
def object_2d(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """RMS distance between projected and tracked object points, over the image diagonal.

    Only points visible in the reference count; zero where none is. DeVI Eq. 17.
    """
    return jnp.sqrt(_mean_visible(jnp.sum(_pixel_errors(state, reference) ** 2, axis=-1), reference))


def object_2d_mean(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """Mean distance between projected and tracked visible points, over the image diagonal. DeVI Eq. 22 bounds it."""
    return _mean_visible(jnp.sqrt(jnp.sum(_pixel_errors(state, reference) ** 2, axis=-1)), reference)


@measured("log", needs="points_px")
def object_size(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """How much larger or smaller the object is in the picture than its tracks are: |log| of the ratio of their spreads.

    A spread is the RMS distance of the points visible in the reference from their centre, pixels. It goes as one over
    the distance from the camera, but turns of the object change it too. Not in the paper.
    """
    assert reference.points_px is not None
    shown, tracked = (_spread(px, reference) for px in (object_pixels(state, reference), reference.points_px))
    return jnp.abs(jnp.log(shown / tracked))


@measured("diag", needs="object_position")
def object_second_view(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """`object_2d` in a second camera, `ReferenceState.second_view`, whose tracks are projected from the object's poses.

    It sees across what the first one looks along. Not in the paper, which has one view.
    """
    assert reference.object_position is not None and reference.object_rotation is not None
    assert state.object_position is not None and state.object_rotation is not None
    assert reference.points_object is not None and reference.second_view is not None
    view, points = reference.second_view, reference.points_object
    shown = _seen(view, points, state.object_position, state.object_rotation)
    tracked = _seen(view, points, reference.object_position, reference.object_rotation)
    gaps = (shown - tracked) / view.diagonal_px
    return jnp.sqrt(_mean_visible(jnp.sum(gaps**2, axis=-1), reference))


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


def _seen(
    view: CameraParams, points: Float[Array, "M 3"], position: Float[Array, "3"], rotation: Float[Array, "4"]
) -> Float[Array, "M 2"]:
    """Pixels of the object's points in a camera."""
    return project(rot.rotate(rotation, points) + position[None], view.K, view.T_camera_world)[0]


def _spread(pixels: Float[Array, "M 2"], reference: ReferenceState) -> Float[Array, ""]:
    """RMS distance of visible points from their mean, pixels; not quite zero where fewer than two are visible."""
    seen = jnp.asarray(reference.visible, jnp.float32)
    centre = jnp.sum(pixels * seen[:, None], axis=0) / jnp.maximum(jnp.sum(seen), 1.0)
    squares = jnp.sum((pixels - centre[None]) ** 2, axis=-1)
    return jnp.sqrt(_mean_visible(squares, reference) + _POINT_PX**2)


def _pixel_errors(state: SimState, reference: ReferenceState) -> Float[Array, "M 2"]:
    assert reference.view is not None and reference.points_px is not None
    return (object_pixels(state, reference) - reference.points_px) / reference.view.diagonal_px


def _mean_visible(values: Float[Array, " M"], reference: ReferenceState) -> Float[Array, ""]:
    if reference.visible is None:
        return jnp.mean(values)
    seen = jnp.asarray(reference.visible, jnp.float32)
    return jnp.sum(values * seen) / jnp.maximum(jnp.sum(seen), 1.0)
