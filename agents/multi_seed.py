"""Several seeds in one program: a learner under `vmap`, for devices that one small batch does not fill.

Each seed learns what it would learn alone, but for rounding; environment and plan are the same for all.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jaxtyping import Array, Key, PRNGKeyArray

from agents.algorithm import Metrics
from agents.learner import QUICK_COMPILE, Learner
from agents.sharding import ENV_SHARDED, shard_map
from agents.state import TrainState
from devi_jax.core.errors import ConfigError


@dataclass(frozen=True, eq=False)
class Seeds:
    """`count` trainings of `learner`, whose states and metrics are stacked: every array has the seeds first.

    `mesh`: devices among which the seeds are shared out, each device with whole trainings of its own. None: JAX's
    default device.

    Raises:
        ConfigError: if the devices do not divide the seeds.
        ValueError: if the learner has a mesh of its own.
    """

    learner: Learner
    count: int
    mesh: Mesh | None = None

    def __post_init__(self):
        devices = self.mesh.size if self.mesh else 1
        if self.learner.mesh is not None:
            raise ValueError("devices are shared out among seeds or among environments, not both")
        if self.count % devices:
            raise ConfigError(
                f"{self.count} seeds cannot be shared out evenly among {devices} devices",
                where="--seeds, --devices",
                valid="a number of devices that divides the seeds, such as --devices=1",
            )

    @cached_property
    def init(self) -> Callable[[PRNGKeyArray], TrainState]:
        """As `Learner.init`, for keys (S,)."""
        options = QUICK_COMPILE if jax.default_backend() == "cpu" else None
        return jax.jit(self._for_each(self.learner.init), compiler_options=options)

    @cached_property
    def update(self) -> Callable[[TrainState], tuple[TrainState, Metrics]]:
        """As `Learner.update`; metrics are arrays (S,)."""
        return jax.jit(self._for_each(self.learner.update), donate_argnums=0)

    def unstack(self, stacked: Any) -> list[Any]:
        """The state, or whatever is stacked, of each seed, on one device."""
        first = jax.devices()[0]

        def one(x: Any, index: int) -> Any:
            return x[index] if self.mesh is None else jax.device_put(x[index], first)

        return [jax.tree.map(lambda x, i=i: one(x, i), stacked) for i in range(self.count)]

    def _for_each(self, function: Callable) -> Callable:
        return shard_map(self.mesh, jax.vmap(function), ENV_SHARDED, ENV_SHARDED)


def keys(seeds: Iterable[int]) -> Key[Array, " S"]:
    """The keys (S,) with which trainings of these seeds begin, each as if it were alone."""
    return jnp.stack([jax.random.key(seed) for seed in seeds])
