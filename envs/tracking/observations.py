"""What the policy sees: human state 778, object state 15, goal, all in the human's heading frame (DeVI section 3, A.8).

The heading frame stands at the pelvis, upright, turned with the pelvis about z.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from devi_jax.core import rotations as rot
from devi_jax.core.sim_state import ReferenceState, SimState

HUMAN_SIZE = 1 + 51 * 3 + 52 * 6 + 52 * 3 + 52 * 3
"""778: pelvis height, 51 joint positions, 52 rotations (6D), linear and angular velocities."""
OBJECT_SIZE = 3 + 6 + 3 + 3
"""15: position, rotation (6D), linear and angular velocity."""
GOAL_SIZE = 52 * 3 + 52 * 6
"""468 a future frame: where each joint should go from here, and its target rotation (6D)."""
GOAL_OBJECT_SIZE = 3 + 6
"""9 more a future frame where the goal holds the object: where it should go from here, and its target rotation."""


def human_state(frame: SimState) -> Float[Array, "778"]:
    """Human state s^h of MaskedMimic's layout."""
    turn = rot.heading(frame.rotation[0])
    arms = _turn_back(turn, frame.position[1:] - frame.position[0])
    parts = [
        frame.position[0, 2:],
        arms.reshape(-1),
        rot.sixd(rot.quat_mul(rot.quat_conj(turn), frame.rotation)).reshape(-1),
        _turn_back(turn, frame.linear_velocity).reshape(-1),
        _turn_back(turn, frame.angular_velocity).reshape(-1),
    ]
    return jnp.concatenate(parts)


def object_state(frame: SimState) -> Float[Array, "15"]:
    """Object state s^o, seen from the human."""
    assert frame.object_position is not None and frame.object_rotation is not None
    turn = rot.heading(frame.rotation[0])
    parts = [
        _turn_back(turn, frame.object_position - frame.position[0]),
        rot.sixd(rot.quat_mul(rot.quat_conj(turn), frame.object_rotation)),
        _turn_back(turn, frame.object_linear_velocity),
        _turn_back(turn, frame.object_angular_velocity),
    ]
    return jnp.concatenate(parts)


def goal(frame: SimState, targets: tuple[ReferenceState, ...]) -> Float[Array, " G"]:
    """Goal g_t, 468 numbers a target frame: positions as the way each joint still has to go, and rotations."""
    turn = rot.heading(frame.rotation[0])
    parts = []
    for target in targets:
        parts.append(_turn_back(turn, target.position - frame.position).reshape(-1))
        parts.append(rot.sixd(rot.quat_mul(rot.quat_conj(turn), target.rotation)).reshape(-1))
    return jnp.concatenate(parts)


def object_goal(frame: SimState, targets: tuple[ReferenceState, ...]) -> Float[Array, " G"]:
    """Where the object should be, 9 numbers a target frame: the way it still has to go, and its rotation."""
    assert frame.object_position is not None
    turn = rot.heading(frame.rotation[0])
    parts = []
    for target in targets:
        assert target.object_position is not None and target.object_rotation is not None
        parts.append(_turn_back(turn, target.object_position - frame.object_position))
        parts.append(rot.sixd(rot.quat_mul(rot.quat_conj(turn), target.object_rotation)))
    return jnp.concatenate(parts)


def _turn_back(turn: Float[Array, "4"], vectors) -> Array:
    return rot.rotate_inverse(turn, vectors)
