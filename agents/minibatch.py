"""Sizes of rollouts and minibatches, and epochs of shuffled minibatches, each a scan over gradient steps.

Minibatches have equally many samples of each group of neighbouring environments, and groups are shuffled each for
itself: devices that share out the environments then only exchange gradients, and samples stay where they are.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray

from devi_jax.core.errors import ConfigError

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class RolloutConfig:
    """How much is collected in an iteration, and in what portions it is learned from."""

    environments: int = 4096
    """Environments stepped together."""
    horizon: int = 32
    """Steps of each environment in one iteration."""
    minibatch: int = 1024
    """Samples of one gradient step; must divide environments x horizon."""
    epochs: int = 6
    """Passes over the samples of one iteration. Not stated in the paper."""

    @property
    def groups(self) -> int:
        """Groups of neighbouring environments of which every minibatch has equally many samples; as many as can be."""
        return math.gcd(self.environments, self.minibatch)

    def __post_init__(self):
        for name in ("environments", "horizon", "minibatch", "epochs"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}", where=f"--ppo.{name}", valid="1 or more")
        samples = self.environments * self.horizon
        if samples % self.minibatch:
            raise ConfigError(
                f"{self.environments} environments x {self.horizon} steps do not divide into minibatches "
                f"of {self.minibatch}",
                where="--ppo.minibatch",
                valid=f"a divisor of {samples}, such as {', '.join(map(str, _divisors_near(samples, self.minibatch)))}",
            )


def group_samples(batch: Batch, config: RolloutConfig, sequences: bool = False) -> Batch:
    """Samples (T, N, ...) by group of neighbouring environments: (G, S, ...).

    With `sequences`, as networks with memory need, a sample is a whole sequence: (G, N / G, T, ...).

    Raises:
        ConfigError: if minibatches do not hold whole sequences.
    """
    groups = math.gcd(config.environments, _sequences(config)) if sequences else config.groups

    def group(x):
        x = jnp.moveaxis(x.reshape(x.shape[0], groups, -1, *x.shape[2:]), 1, 0)
        return jnp.moveaxis(x, 1, 2) if sequences else x.reshape(groups, -1, *x.shape[3:])

    return jax.tree.map(group, batch)


def minibatch_epochs(
    step: Callable[[Any, Batch], tuple[Any, Any]], carry: Any, grouped: Batch, config: RolloutConfig, key: PRNGKeyArray
) -> tuple[Any, Any]:
    """Scan `step(carry, minibatch) -> carry, metrics` over all epochs of samples (G, S, ...), grouped as above.

    Metrics come back as (epochs, M) for M minibatches an epoch.
    """
    groups, size = jax.tree.leaves(grouped)[0].shape[:2]
    count = config.environments * config.horizon // config.minibatch
    one_epoch = partial(shuffle, groups=groups, size=size, count=count)
    order = jax.vmap(one_epoch)(jax.random.split(key, config.epochs))
    carry, metrics = jax.lax.scan(
        lambda carry, chosen: step(carry, take_minibatch(grouped, chosen)), carry, order.reshape(-1, *order.shape[2:])
    )
    return carry, jax.tree.map(lambda x: x.reshape(config.epochs, -1), metrics)


def shuffle(key: PRNGKeyArray, groups: int, size: int, count: int) -> Int[Array, "M G K"]:
    """Which of `size` samples of each group the `count` minibatches of an epoch take: each once, K of every group."""
    order = jax.vmap(lambda key: jax.random.permutation(key, size))(jax.random.split(key, groups))
    return jnp.moveaxis(order.reshape(groups, count, -1), 1, 0)


def take_minibatch(grouped: Batch, chosen: Int[Array, "G K"]) -> Batch:
    """The chosen samples of each group, as (G K, ...)."""

    def pick(x):
        picked = jax.vmap(lambda group, index: group[index])(x, chosen)
        return picked.reshape(-1, *picked.shape[2:])

    return jax.tree.map(pick, grouped)


def _sequences(config: RolloutConfig) -> int:
    """Sequences of one minibatch."""
    if config.minibatch % config.horizon:
        raise ConfigError(
            f"minibatches of {config.minibatch} samples do not divide into sequences of {config.horizon} steps",
            where="--ppo.minibatch",
            valid=f"with a recurrent network a multiple of the horizon, such as {config.horizon}",
        )
    return config.minibatch // config.horizon


def _divisors_near(number: int, wanted: int, count: int = 5) -> list[int]:
    divisors = (d for d in range(1, number + 1) if number % d == 0)
    return sorted(sorted(divisors, key=lambda d: abs(math.log(d / wanted)))[:count])
