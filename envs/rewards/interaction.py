"""How human and object lie to each other: the interaction graphs of PhysHOI and SkillMimic, and InterMimic's terms.

Lambdas of those codes stand in front of means over coordinates; here errors are lengths, and recipes divide them by 3.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from devi_jax.core import rotations as rot
from devi_jax.core.sim_state import ReferenceState, SimState
from envs.rewards.baseline_joints import KEYS18, KEYS21, UNWEIGHTED
from envs.rewards.kinematic import rms

NEAREST_M2 = 0.01
"""Squared distance below which a closer point weighs no more (`clamp(min=0.01)`)."""
_REACH = 5.0
"""1/m: how fast closeness fades in InterMimic's weights."""


def key_to_object(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """RMS difference of the vectors from the object's centre to 18 joints, metres. PhysHOI, SkillMimic: `eig`."""
    assert frame.object_position is not None and target.object_position is not None
    vectors = frame.position[KEYS18] - frame.object_position
    return rms(vectors - (target.position[KEYS18] - target.object_position))


def closeness(target: ReferenceState) -> Float[Array, "52"]:
    """exp(-5 d) of each joint, d metres from the object's surface in the reference. InterMimic: `weight_h`."""
    assert target.object_distance is not None
    return jnp.exp(-_REACH * target.object_distance)


def near_position(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """RMS distance of 21 joints, each squared distance times its closeness, metres. InterMimic: `ep`."""
    weight = closeness(target).at[UNWEIGHTED].set(1.0)[KEYS21]
    squared = jnp.sum((frame.position[KEYS21] - target.position[KEYS21]) ** 2, axis=-1)
    return jnp.sqrt(jnp.mean(weight * squared))


def far_rotation(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """Mean geodesic angle of all joints' world rotations, each times 1 - closeness, radians. InterMimic: `er`."""
    angles = rot.angle_between(frame.rotation, target.rotation)
    return jnp.mean((1.0 - closeness(target)) * angles)


def interaction_vectors(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """RMS difference of the vectors from surface points to 21 joints, weighted by 1/d^2, metres. InterMimic: `eig`.

    Weights of simulation and reference count half each, and each sum to one over all vectors.
    """
    simulated, wanted, difference = _vectors(frame, target)
    weight = _share(simulated) + _share(wanted)
    return jnp.sqrt(jnp.sum(0.5 * weight * difference))


def interaction_ratio(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """The largest such difference over the vector's own length, of the reference or the simulation, at least 0.5 m.

    InterMimic's `reset_ig`, which ends an episode at 2.
    """
    simulated, wanted, difference = _vectors(frame, target)
    own = jnp.minimum(simulated, wanted)
    return jnp.sqrt(jnp.max(difference / jnp.maximum(own, 0.25)))


def surface(
    points: Float[Array, "M 3"], position: Float[Array, "3"], rotation: Float[Array, "4"]
) -> Float[Array, "M 3"]:
    """Points of an object in the world."""
    return position + rot.rotate(rotation, points)


def surface_distance(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """Mean distance of the object's points from where the reference has them, metres. InterMimic's E_o."""
    now, wanted = _surfaces(frame, target)
    return jnp.mean(jnp.sqrt(jnp.sum((now - wanted) ** 2, axis=-1)))


def _surfaces(frame: SimState, target: ReferenceState) -> tuple[Float[Array, "M 3"], Float[Array, "M 3"]]:
    points = target.points_object
    assert points is not None and frame.object_position is not None and frame.object_rotation is not None
    assert target.object_position is not None and target.object_rotation is not None
    return (
        surface(points, frame.object_position, frame.object_rotation),
        surface(points, target.object_position, target.object_rotation),
    )


def _vectors(
    frame: SimState, target: ReferenceState
) -> tuple[Float[Array, "21 M"], Float[Array, "21 M"], Float[Array, "21 M"]]:
    """Squared lengths of all vectors, simulated and wanted, and of their differences."""
    now, wanted = _surfaces(frame, target)
    # seen from the object's reference, so that squares are small and their differences exact
    centre = jnp.mean(wanted, axis=0)
    joints, aims = frame.position[KEYS21] - centre, target.position[KEYS21] - centre
    now, wanted = now - centre, wanted - centre
    return _squared(joints, now), _squared(aims, wanted), _squared(joints - aims, now - wanted)


def _squared(a: Float[Array, "K 3"], b: Float[Array, "M 3"]) -> Float[Array, "K M"]:
    """|a - b|^2 by one matrix product instead of a (K, M, 3) array."""
    return jnp.maximum(jnp.sum(a**2, axis=-1)[:, None] - 2 * a @ b.T + jnp.sum(b**2, axis=-1)[None], 0.0)


def _share(squared: Float[Array, "K M"]) -> Float[Array, "K M"]:
    weight = 1.0 / jnp.maximum(squared, NEAREST_M2)
    return weight / jnp.sum(weight)


def seen_position(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """Distance of the object from its reference, each seen from its human's pelvis and heading, metres.

    Heights are the world's. InterMimic: `eop`.
    """
    assert frame.object_position is not None and target.object_position is not None
    upright = np.array([1.0, 1.0, 0.0], np.float32)
    now = rot.rotate_inverse(rot.heading(frame.rotation[0]), frame.object_position - frame.position[0] * upright)
    aim = rot.rotate_inverse(rot.heading(target.rotation[0]), target.object_position - target.position[0] * upright)
    return rms(now - aim)


def seen_rotation(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """Geodesic angle of the object to its reference, each seen from its human's heading, radians. InterMimic: `eor`."""
    assert frame.object_rotation is not None and target.object_rotation is not None
    now = rot.quat_mul(rot.quat_conj(rot.heading(frame.rotation[0])), frame.object_rotation)
    aim = rot.quat_mul(rot.quat_conj(rot.heading(target.rotation[0])), target.object_rotation)
    return rot.angle_between(now, aim)
