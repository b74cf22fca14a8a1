"""The terms of PPO's losses as pure functions of arrays (DeVI, A.10, Eq. 23, 24, 26, 27)."""

import jax.numpy as jnp
from jaxtyping import Array, Float

_LARGEST_LOG_RATIO = 20.0


def ppo_loss(log_ratio: Float[Array, "*B"], advantage: Float[Array, "*B"], clip: float) -> Float[Array, ""]:
    """-E[min(r A, clip(r, 1 - clip, 1 + clip) A)], r = exp(log_ratio) (Eq. 23, with A on both terms)."""
    # exp overflows float32 from 88 on; e^20 already lies far outside any trust region.
    ratio = jnp.exp(jnp.minimum(log_ratio, _LARGEST_LOG_RATIO))
    return -jnp.minimum(ratio * advantage, jnp.clip(ratio, 1 - clip, 1 + clip) * advantage).mean()


def bound_loss(mean: Float[Array, "*B A"]) -> Float[Array, ""]:
    """Sum over actions of ReLU(mu - 1)^2 + ReLU(-mu - 1)^2, mean over the batch (Eq. 24)."""
    return (jnp.maximum(jnp.abs(mean) - 1, 0) ** 2).sum(-1).mean()


def value_loss(
    value: Float[Array, "*B"], old_value: Float[Array, "*B"], target: Float[Array, "*B"], value_clip: float | None
) -> Float[Array, ""]:
    """1/2 E[max((V - R)^2, (V_clip - R)^2)], V_clip = clip(V, V_old - value_clip, V_old + value_clip) (Eq. 26, 27)."""
    error = (value - target) ** 2
    if value_clip is not None:
        clipped = old_value + jnp.clip(value - old_value, -value_clip, value_clip)
        error = jnp.maximum(error, (clipped - target) ** 2)
    return 0.5 * error.mean()
