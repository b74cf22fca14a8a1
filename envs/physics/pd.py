"""PD control on exponential-map and scalar targets, the same in every engine.

A ball joint's spring pulls along the logarithm of the rotation to its target, `tau = kp log(q^-1 q*) - kd w`, and the
target is the joint's `qpos_spring`: no engine-specific actuator is needed. The torque limit bounds the elastic part,
by shortening the rotation to the target.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from devi_jax.core import rotations as rot
from envs.embodiments import JointTable


def limit_torque(
    rotation: Float[Array, "J 4"],
    target: Float[Array, "J 4"],
    stiffness: Float[Array, " J"],
    limit_nm: Float[Array, " J"],
) -> tuple[Float[Array, "J 4"], Float[Array, "J 3"]]:
    """Targets whose elastic torque respects the limit, and that torque in the joints' frames, N m.

    The limit holds at the start of a control step; within it the joint moves and the target stays.
    """
    error = rot.quat_log(rot.quat_mul(rot.quat_conj(rotation), target))
    norm = jnp.sqrt(jnp.sum(error**2, axis=-1) + 1e-20)
    error = error * jnp.minimum(1.0, limit_nm / (stiffness * norm))[:, None]
    return rot.quat_mul(rotation, rot.quat_exp(error)), stiffness[:, None] * error


def limit_effort(
    position: Float[Array, " n"], rate: Float[Array, " n"], target: Float[Array, " n"], joints: JointTable
) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
    """Targets of scalar joints within their ranges, whose spring and damper together respect the efforts, and these
    forces, N m or N.

    A joint without stiffness is not driven. The spring is never longer than what damping balances at the joint's top
    speed. The limit holds at the start of a control step, as for balls.
    """
    stiffness, damping = jnp.asarray(joints.stiffness), jnp.asarray(joints.damping)
    driven = joints.stiffness > 0
    bounded = driven & np.isfinite(joints.speed)
    fastest = np.where(bounded, joints.damping * np.where(bounded, joints.speed, 0.0), np.inf)
    pull = stiffness * (jnp.clip(target, joints.low, joints.high) - position)
    pull = jnp.clip(pull, -fastest, fastest)
    force = jnp.where(driven, jnp.clip(pull - damping * rate, -joints.effort, joints.effort), -damping * rate)
    return position + (force + damping * rate) / np.where(driven, joints.stiffness, 1.0), force


def joint_power(
    torque_nm: Float[Array, "J 3"], damping: Float[Array, " J"], angular: Float[Array, "J 3"]
) -> Float[Array, ""]:
    """Sum over joints of |(tau - kd w) . w| in watts: what DeVI's power penalty sees."""
    return jnp.sum(jnp.abs(jnp.sum((torque_nm - damping[:, None] * angular) * angular, axis=-1)))
