"""Running mean and variance of each observation token, merged batch by batch (Chan, Golub, LeVeque 1979).

The variance itself is carried, not the sum of squares, so that float32 stays exact over billions of samples.
"""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from devi_jax.core.environment import Observation

CLIP = 10.0
"""Normalised observations are clipped to this many standard deviations."""

_VARIANCE_FLOOR = 1e-5


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Normaliser:
    """Statistics over all samples seen: their count, and per token the mean and the (biased) variance."""

    count: Float[Array, ""]
    mean: Observation
    variance: Observation


def init(sizes: dict[str, int]) -> Normaliser:
    """Statistics of no samples: `normalise` only clips until the first `update`."""
    return Normaliser(
        count=jnp.zeros(()),
        mean={name: jnp.zeros(size) for name, size in sizes.items()},
        variance={name: jnp.ones(size) for name, size in sizes.items()},
    )


def update(normaliser: Normaliser, batch: Observation) -> Normaliser:
    """Merge a batch; all dimensions of a token but the last are samples."""
    added = math.prod(next(iter(batch.values())).shape[:-1])
    count = normaliser.count + added
    share = added / count

    def merge(mean, variance, token):
        samples = tuple(range(token.ndim - 1))  # not flattened: devices that share out a dimension would gather all
        delta = token.mean(samples) - mean
        merged = variance + share * (token.var(samples) - variance) + share * (1 - share) * delta**2
        return mean + share * delta, merged

    merged = {name: merge(normaliser.mean[name], normaliser.variance[name], token) for name, token in batch.items()}
    return Normaliser(
        count=count,
        mean={name: mean for name, (mean, _) in merged.items()},
        variance={name: variance for name, (_, variance) in merged.items()},
    )


def normalise(normaliser: Normaliser, observation: Observation) -> Observation:
    """Shift and scale each token to zero mean and unit variance, clipped to +-`CLIP`; any leading dimensions."""

    def scale(token, mean, variance):
        return jnp.clip((token - mean) * jax.lax.rsqrt(variance + _VARIANCE_FLOOR), -CLIP, CLIP)

    return {name: scale(token, normaliser.mean[name], normaliser.variance[name]) for name, token in observation.items()}
