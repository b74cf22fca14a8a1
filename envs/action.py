"""From a policy's action to PD targets: exponential maps of the 51 joints (DeVI: a_t in R^{51x3})."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from devi_jax.core import rotations as rot
from envs.physics.state import Control

ACTION_SIZE = 51 * 3


def absolute_control(action: Float[Array, "153"], root: Float[Array, "4"], root_position: Float[Array, "3"]) -> Control:
    """The paper's action: each joint's rotation vector is pi times the action."""
    joints = rot.quat_exp(jnp.pi * action.reshape(51, 3))
    return Control(jnp.concatenate([root[None], joints]), root_position)


def residual_control(
    action: Float[Array, "153"], target: Float[Array, "52 4"], target_root: Float[Array, "3"], scale_rad: float
) -> Control:
    """Targets around the reference's: target * exp(scale * action); zero action replays the reference."""
    turn = rot.quat_exp(scale_rad * action.reshape(51, 3))
    return Control(jnp.concatenate([target[:1], rot.quat_mul(target[1:], turn)]), target_root)
