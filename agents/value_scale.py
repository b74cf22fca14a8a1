"""Value normalisation by PopArt (van Hasselt et al. 2016): the critic learns returns of zero mean and unit variance.

Statistics are those of recent returns. Whenever they change, the critic's last layer is changed against them, so that
what it says in units of return stays the same. Clipping of values is then in standard deviations of the return, as with
`normalize_value` of rl_games, which InterMimic uses.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

SLOWEST = 0.05
"""Weight of the latest iteration's returns: those of a policy that improves are soon out of date."""

_VARIANCE_FLOOR = 1e-5


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class ValueScale:
    """Running mean and (biased) variance of returns over `iterations` batches."""

    iterations: Float[Array, ""]
    mean: Float[Array, ""]
    variance: Float[Array, ""]


def init() -> ValueScale:
    """Statistics of no returns: values are taken as they are until the first `update`."""
    return ValueScale(iterations=jnp.zeros(()), mean=jnp.zeros(()), variance=jnp.ones(()))


def update(scale: ValueScale, returns: Float[Array, "*B"]) -> ValueScale:
    """Merge a batch: the mean over batches at first, then with `SLOWEST` as the weight of the newest.

    The variance is that of the mixture of old and new returns (Chan, Golub, LeVeque 1979).
    """
    iterations = scale.iterations + 1
    share = jnp.maximum(1 / iterations, SLOWEST)
    delta = returns.mean() - scale.mean
    variance = scale.variance + share * (returns.var() - scale.variance) + share * (1 - share) * delta**2
    return ValueScale(iterations, scale.mean + share * delta, variance)


def normalise(scale: ValueScale, value: Float[Array, "*B"]) -> Float[Array, "*B"]:
    """Returns or values in standard deviations from the mean return."""
    return (value - scale.mean) / _std(scale)


def denormalise(scale: ValueScale | None, value: Float[Array, "*B"]) -> Float[Array, "*B"]:
    """Inverse of `normalise`: the critic's output in units of return; without statistics it is the return itself."""
    return value if scale is None else scale.mean + _std(scale) * value


def correction(old: ValueScale, new: ValueScale) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Factor a and shift b of a normalised value with which `denormalise(new, a v + b) == denormalise(old, v)`."""
    return _std(old) / _std(new), (old.mean - new.mean) / _std(new)


def _std(scale: ValueScale) -> Float[Array, ""]:
    return jnp.sqrt(jnp.maximum(scale.variance, _VARIANCE_FLOOR))
