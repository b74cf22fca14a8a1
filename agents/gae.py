"""Generalised advantage estimation that tells a failed episode from one that merely ran out of clip.

Schulman et al. 2016, with the bootstrap value taken from the observation before any reset.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Trajectory:
    """What advantages need of T steps of N environments.

    `value` is the critic's at the observation acted on, `next_value` at the one the step led to, before any reset.
    """

    reward: Float[Array, "T N"]
    value: Float[Array, "T N"]
    next_value: Float[Array, "T N"]
    terminated: Bool[Array, "T N"]
    truncated: Bool[Array, "T N"]


def advantages(trajectory: Trajectory, gamma: float, lam: float) -> Float[Array, "T N"]:
    """delta_t = r_t + gamma (1 - terminated_t) V'_t - V_t;  A_t = delta_t + gamma lam (1 - done_t) A_{t+1}.

    A terminated step has no future value, a truncated one keeps its bootstrap; neither lets A flow across the reset.
    """
    future = jnp.where(trajectory.terminated, 0.0, trajectory.next_value)
    delta = trajectory.reward + gamma * future - trajectory.value
    flows = gamma * lam * jnp.asarray(~(trajectory.terminated | trajectory.truncated), jnp.float32)

    def backward(following, step):
        delta, flow = step
        advantage = delta + flow * following
        return advantage, advantage

    _, result = jax.lax.scan(backward, jnp.zeros_like(delta[0]), (delta, flows), reverse=True)
    return result
