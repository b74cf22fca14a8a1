"""From a policy's action to PD targets: exponential maps of the 51 joints (DeVI: a_t in R^{51x3})."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from devi_jax.core import rotations as rot
from devi_jax.core.skeleton import JOINTS, SIDES, joint_class
from envs.physics.scene_model import Root
from envs.physics.state import Control
from envs.tracking.config import ActionConfig

ALL_JOINTS = tuple(range(1, len(JOINTS)))
"""All joints but the pelvis."""


def acting_joints(config: ActionConfig, contact: np.ndarray, root: Root) -> tuple[int, ...]:
    """Indices in `JOINTS` of the joints that actions turn. `contact` (T, 2): whether a hand ever touches."""
    if config.joints == "all" or config.mode == "absolute":
        return ALL_JOINTS
    idle = [side for s, side in enumerate(SIDES) if contact[:, s].max() <= 0.5]

    def active(name: str) -> bool:
        if joint_class(name) == "leg":
            return root == "free"
        return not any(name.startswith(side) for side in idle)

    # an idle hand still balances the body with its arm, but its fingers are of no use to anything
    chosen = [i for i in ALL_JOINTS if active(JOINTS[i]) or (root == "free" and joint_class(JOINTS[i]) != "finger")]
    return tuple(chosen)


def reach_rad(config: ActionConfig, joints: tuple[int, ...]) -> Float[np.ndarray, "J 1"]:
    """Radians that an action of one turns each of the joints by."""
    return np.array([[getattr(config.reach, joint_class(JOINTS[i]))] for i in joints], np.float32)


def absolute_control(action: Float[Array, "153"], root: Float[Array, "4"], root_position: Float[Array, "3"]) -> Control:
    """The paper's action: each joint's rotation vector is pi times the action."""
    joints = rot.quat_exp(jnp.pi * action.reshape(51, 3))
    return Control(jnp.concatenate([root[None], joints]), root_position)


def residual_control(turns: Float[Array, "51 3"], target: Float[Array, "52 4"], root: Float[Array, "3"]) -> Control:
    """Targets around the reference's: target * exp(turns), radians; without a turn the reference is replayed."""
    return Control(jnp.concatenate([target[:1], rot.quat_mul(target[1:], rot.quat_exp(turns))]), root)
