"""Running mean and variance of each observation token, merged batch by batch (Chan, Golub, LeVeque 1979).

The variance itself is carried, not the sum of squares, so that float32 stays exact over billions of samples.
"""

import math
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from devi_jax.core.broadcast import to_rank
from devi_jax.core.environment import Observation, ObservationSizes, group

CLIP = 10.0
"""Normalised observations are clipped to this many standard deviations."""

_VARIANCE_FLOOR = 1e-5


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Normaliser:
    """Statistics over all samples seen: their count, and per token the mean and the (biased) variance.

    `mean` and `variance` have the form of the observation: tokens, or groups of tokens.
    """

    count: Float[Array, ""]
    mean: Observation
    variance: Observation


def init(sizes: ObservationSizes) -> Normaliser:
    """Statistics of no samples: `normalise` only clips until the first `update`."""
    return Normaliser(count=jnp.zeros(()), mean=jax.tree.map(jnp.zeros, sizes), variance=jax.tree.map(jnp.ones, sizes))


def update(normaliser: Normaliser, batch: Observation) -> Normaliser:
    """Merge a batch; all dimensions of a token but the last are samples."""
    added = math.prod(jax.tree.leaves(batch)[0].shape[:-1])
    count = normaliser.count + added
    share = added / count

    def samples(token):
        return tuple(range(token.ndim - 1))  # not flattened: devices that share out a dimension would gather all

    def merge_variance(mean, variance, token):
        delta = token.mean(samples(token)) - mean
        return variance + share * (token.var(samples(token)) - variance) + share * (1 - share) * delta**2

    return Normaliser(
        count=count,
        mean=jax.tree.map(lambda mean, x: mean + share * (x.mean(samples(x)) - mean), normaliser.mean, batch),
        variance=jax.tree.map(merge_variance, normaliser.mean, normaliser.variance, batch),
    )


def normalise(normaliser: Normaliser, observation: Observation) -> Observation:
    """Shift and scale each token to zero mean and unit variance, clipped to +-`CLIP`; any leading dimensions."""

    def scale(token, mean, variance):
        mean, variance = to_rank(mean, token.ndim), to_rank(variance, token.ndim)
        return jnp.clip((token - mean) * jax.lax.rsqrt(variance + _VARIANCE_FLOOR), -CLIP, CLIP)

    return jax.tree.map(scale, observation, normaliser.mean, normaliser.variance)


def of_group(normaliser: Normaliser, name: str) -> Normaliser:
    """The statistics of the tokens that `name`, actor or critic, sees."""
    return replace(normaliser, mean=group(normaliser.mean, name), variance=group(normaliser.variance, name))
