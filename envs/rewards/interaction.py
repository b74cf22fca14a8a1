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
from envs.rewards.measured import measured

NEAREST_M2 = 0.01
"""Squared distance below which a closer point weighs no more (`clamp(min=0.01)`)."""
_REACH = 5.0
"""1/m: how fast closeness fades in InterMimic's weights."""


@measured("m", needs="object_position")
def key_to_object(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """RMS difference of the vectors from the object's centre to 18 joints, metres. PhysHOI, SkillMimic: `eig`."""
    assert state.object_position is not None and reference.object_position is not None
    vectors = state.position[KEYS18] - state.object_position[None]
    return rms(vectors - (reference.position[KEYS18] - reference.object_position[None]))


def closeness(reference: ReferenceState) -> Float[Array, "52"]:
    """exp(-5 d) of each joint, d metres from the object's surface in the reference. InterMimic: `weight_h`."""
    assert reference.object_distance is not None
    return jnp.exp(-_REACH * reference.object_distance)


@measured("m", needs="object_position")
def near_position(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """RMS distance of 21 joints, each squared distance times its closeness, metres. InterMimic: `ep`."""
    weight = closeness(reference).at[UNWEIGHTED].set(1.0)[KEYS21]
    squared = jnp.sum((state.position[KEYS21] - reference.position[KEYS21]) ** 2, axis=-1)
    return jnp.sqrt(jnp.mean(weight * squared))


@measured("rad", needs="object_position")
def far_rotation(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """Mean geodesic angle of all joints' world rotations, each times 1 - closeness, radians. InterMimic: `er`."""
    angles = rot.angle_between(state.rotation, reference.rotation)
    return jnp.mean((1.0 - closeness(reference)) * angles)


@measured("m", needs="object_position")
def interaction_vectors(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """RMS difference of the vectors from surface points to 21 joints, weighted by 1/d^2, metres. InterMimic: `eig`.

    Weights of simulation and reference count half each, and each sum to one over all vectors.
    """
    simulated, wanted, difference = _vectors(state, reference)
    weight = _share(simulated) + _share(wanted)
    return jnp.sqrt(jnp.sum(0.5 * weight * difference))


def interaction_ratio(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """The largest such difference over the vector's own length, of the reference or the simulation, at least 0.5 m.

    InterMimic's `reset_ig`, which ends an episode at 2.
    """
    simulated, wanted, difference = _vectors(state, reference)
    own = jnp.minimum(simulated, wanted)
    return jnp.sqrt(jnp.max(difference / jnp.maximum(own, 0.25)))


def surface(
    points: Float[Array, "M 3"], position: Float[Array, "3"], rotation: Float[Array, "4"]
) -> Float[Array, "M 3"]:
    """Points of an object in the world."""
    return position[None] + rot.rotate(rotation, points)


def surface_distance(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """Mean distance of the object's points from where the reference has them, metres. InterMimic's E_o."""
    now, wanted = _surfaces(state, reference)
    return jnp.mean(jnp.sqrt(jnp.sum((now - wanted) ** 2, axis=-1)))


def _surfaces(state: SimState, reference: ReferenceState) -> tuple[Float[Array, "M 3"], Float[Array, "M 3"]]:
    points = reference.points_object
    assert points is not None and state.object_position is not None and state.object_rotation is not None
    assert reference.object_position is not None and reference.object_rotation is not None
    return (
        surface(points, state.object_position, state.object_rotation),
        surface(points, reference.object_position, reference.object_rotation),
    )


def _vectors(
    state: SimState, reference: ReferenceState
) -> tuple[Float[Array, "21 M"], Float[Array, "21 M"], Float[Array, "21 M"]]:
    """Squared lengths of all vectors, simulated and wanted, and of their differences."""
    now, wanted = _surfaces(state, reference)
    # seen from the object's reference, so that squares are small and their differences exact
    centre = jnp.mean(wanted, axis=0, keepdims=True)
    joints, aims = state.position[KEYS21] - centre, reference.position[KEYS21] - centre
    now, wanted = now - centre, wanted - centre
    return _squared(joints, now), _squared(aims, wanted), _squared(joints - aims, now - wanted)


def _squared(a: Float[Array, "K 3"], b: Float[Array, "M 3"]) -> Float[Array, "K M"]:
    """|a - b|^2 by one matrix product instead of a (K, M, 3) array."""
    return jnp.maximum(jnp.sum(a**2, axis=-1)[:, None] - 2 * a @ b.T + jnp.sum(b**2, axis=-1)[None], 0.0)


def _share(squared: Float[Array, "K M"]) -> Float[Array, "K M"]:
    weight = 1.0 / jnp.maximum(squared, NEAREST_M2)
    return weight / jnp.sum(weight)


@measured("m", needs="object_position")
def seen_position(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """Distance of the object from its reference, each seen from its human's pelvis and heading, metres.

    Heights are the world's. InterMimic: `eop`.
    """
    assert state.object_position is not None and reference.object_position is not None
    upright = np.array([1.0, 1.0, 0.0], np.float32)
    now = rot.rotate_inverse(rot.heading(state.rotation[0]), state.object_position - state.position[0] * upright)
    aim = rot.rotate_inverse(
        rot.heading(reference.rotation[0]), reference.object_position - reference.position[0] * upright
    )
    return rms(now - aim)


@measured("rad", needs="object_position")
def seen_rotation(state: SimState, reference: ReferenceState) -> Float[Array, ""]:
    """Geodesic angle of the object to its reference, each seen from its human's heading, radians. InterMimic: `eor`."""
    assert state.object_rotation is not None and reference.object_rotation is not None
    now = rot.quat_mul(rot.quat_conj(rot.heading(state.rotation[0])), state.object_rotation)
    aim = rot.quat_mul(rot.quat_conj(rot.heading(reference.rotation[0])), reference.object_rotation)
    return rot.angle_between(now, aim)
