"""How far the simulated human is from the reference: joints in the world, and hands in their wrists' frames."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from devi_jax.core import rotations as rot
from devi_jax.core.sim_state import ReferenceState, SimState
from devi_jax.core.skeleton import HAND_BODIES, PARENTS
from envs.rewards.baseline_joints import KEYS18

_WRISTS = np.array([hand[0] for hand in HAND_BODIES])
_FINGERS = np.array([hand[1:] for hand in HAND_BODIES])
_ABOVE = np.array(PARENTS[1:])


def rms(vectors: Float[Array, "*n 3"]) -> Float[Array, ""]:
    """Root of the mean squared length."""
    return jnp.sqrt(jnp.mean(jnp.sum(vectors**2, axis=-1)))


def joint_position(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """RMS distance of all 52 joints in metres. DeVI Eq. 16, r_jp."""
    return rms(frame.position - target.position)


def joint_velocity(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """RMS difference of all joints' linear velocities in m/s. DeVI Eq. 16, r_jv."""
    return rms(frame.linear_velocity - target.linear_velocity)


def joint_rotation(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """RMS geodesic angle of all joints' world rotations in radians. DeVI Eq. 16, r_jr."""
    return jnp.sqrt(jnp.mean(rot.angle_between(frame.rotation, target.rotation) ** 2))


def hand_local_position(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """RMS distance of the 30 finger joints in metres, both hands seen from their wrists. DeVI Eq. 16, r_hlp."""
    return rms(_in_wrist(frame.position, frame.rotation) - _in_wrist(target.position, target.rotation))


def hand_local_rotation(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """RMS geodesic angle of the 30 finger joints in radians, relative to their wrists. DeVI Eq. 16, r_hlr."""
    angles = rot.angle_between(_relative_to_wrist(frame.rotation), _relative_to_wrist(target.rotation))
    return jnp.sqrt(jnp.mean(angles**2))


def _in_wrist(position: Float[Array, "52 3"], rotation: Float[Array, "52 4"]) -> Float[Array, "2 15 3"]:
    arms = position[_FINGERS] - position[_WRISTS][:, None]
    return rot.rotate_inverse(rotation[_WRISTS][:, None], arms)


def _relative_to_wrist(rotation: Float[Array, "52 4"]) -> Float[Array, "2 15 4"]:
    return rot.quat_mul(rot.quat_conj(rotation[_WRISTS])[:, None], rotation[_FINGERS])


def key_position(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """RMS distance of pelvis, head, knees, elbows, ankles and distal phalanges, metres. PhysHOI, SkillMimic: `ep`."""
    return rms(frame.position[KEYS18] - target.position[KEYS18])


def pose_vector(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """RMS difference of the 156 numbers of a pose: rotation vectors of root and joints. SkillMimic: `er`."""
    root = rot.quat_log(frame.rotation[:1]) - rot.quat_log(target.rotation[:1])
    return _rms_of_numbers(root, _joint_vectors(frame.rotation) - _joint_vectors(target.rotation))


def pose_vector_quaternion(frame: SimState, target: ReferenceState) -> Float[Array, ""]:
    """RMS difference of the 157 numbers of a pose, whose root is a quaternion, of the nearer sign. PhysHOI: `er`."""
    same = jnp.where(jnp.sum(frame.rotation[0] * target.rotation[0]) < 0, -1.0, 1.0)
    root = frame.rotation[0] - same * target.rotation[0]
    return _rms_of_numbers(root, _joint_vectors(frame.rotation) - _joint_vectors(target.rotation))


def relative_angular(angular: Float[Array, "52 3"], rotation: Float[Array, "52 4"]) -> Float[Array, "51 3"]:
    """Rates of the joints relative to their parents, in their own frames, from world rates."""
    return rot.rotate_inverse(rotation[1:], angular[1:] - angular[_ABOVE])


def _joint_vectors(rotation: Float[Array, "52 4"]) -> Float[Array, "51 3"]:
    """Rotation vectors of the joints relative to their parents, radians."""
    return rot.quat_log(rot.quat_mul(rot.quat_conj(rotation[_ABOVE]), rotation[1:]))


def _rms_of_numbers(*parts: Float[Array, "..."]) -> Float[Array, ""]:
    return jnp.sqrt(sum(jnp.sum(x**2) for x in parts) / sum(x.size for x in parts))
