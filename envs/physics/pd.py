"""PD control on exponential-map targets, the same in every engine.

A ball joint's spring pulls along the logarithm of the rotation to its target, `tau = kp log(q^-1 q*) - kd w`, and the
target is the joint's `qpos_spring`: no engine-specific actuator is needed. The torque limit bounds the elastic part,
by shortening the rotation to the target.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from devi_jax.core import rotations as rot


def limit_torque(
    rotation: Float[Array, "51 4"],
    target: Float[Array, "51 4"],
    stiffness: Float[Array, "51"],
    limit_nm: Float[Array, "51"],
) -> tuple[Float[Array, "51 4"], Float[Array, "51 3"]]:
    """Targets whose elastic torque respects the limit, and that torque in the joints' frames, N m.

    The limit holds at the start of a control step; within it the joint moves and the target stays.
    """
    error = rot.quat_log(rot.quat_mul(rot.quat_conj(rotation), target))
    norm = jnp.sqrt(jnp.sum(error**2, axis=-1) + 1e-20)
    error = error * jnp.minimum(1.0, limit_nm / (stiffness * norm))[:, None]
    return rot.quat_mul(rotation, rot.quat_exp(error)), stiffness[:, None] * error


def joint_power(
    torque_nm: Float[Array, "51 3"], damping: Float[Array, "51"], angular: Float[Array, "51 3"]
) -> Float[Array, ""]:
    """Sum over joints of |(tau - kd w) . w| in watts: what DeVI's power penalty sees."""
    return jnp.sum(jnp.abs(jnp.sum((torque_nm - damping[:, None] * angular) * angular, axis=-1)))
