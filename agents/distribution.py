"""The policy's distribution: a Gaussian with independent components.

Pure functions over (mean, log standard deviation); leading dimensions are batch, the last one is summed.
"""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from devi_jax.core.broadcast import to_rank


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Gaussian:
    """Diagonal Gaussian over actions; `log_std` broadcasts against `mean`."""

    mean: Float[Array, "*B A"]
    log_std: Float[Array, "*#B A"]


def sample(gaussian: Gaussian, key: PRNGKeyArray) -> Float[Array, "*B A"]:
    """Draw one action per batch entry."""
    noise = jax.random.normal(key, gaussian.mean.shape, gaussian.mean.dtype)
    return gaussian.mean + jnp.exp(_log_std(gaussian)) * noise


def log_prob(gaussian: Gaussian, action: Float[Array, "*B A"]) -> Float[Array, "*B"]:
    """Log density of `action`, in nats."""
    z = (action - gaussian.mean) * jnp.exp(-_log_std(gaussian))
    return (-0.5 * (z**2 + math.log(2 * math.pi)) - _log_std(gaussian)).sum(-1)


def entropy(gaussian: Gaussian) -> Float[Array, "*B"]:
    """Differential entropy, in nats."""
    log_std = jnp.broadcast_to(gaussian.log_std, gaussian.mean.shape)
    return (log_std + 0.5 * (1 + math.log(2 * math.pi))).sum(-1)


def kl(p: Gaussian, q: Gaussian) -> Float[Array, "*B"]:
    """Kullback-Leibler divergence KL(p || q), in nats."""
    log_ratio = _log_std(q) - _log_std(p)
    scaled = (p.mean - q.mean) * jnp.exp(-_log_std(q))
    return (log_ratio + 0.5 * (jnp.exp(-2 * log_ratio) + scaled**2 - 1)).sum(-1)


def _log_std(gaussian: Gaussian) -> Float[Array, "*#B A"]:
    return to_rank(gaussian.log_std, gaussian.mean.ndim)
