"""The learner: hosts an algorithm on an environment, and binds both and networks into `init`, `collect` and `learn`.

No loop, file or clock is in here; the caller calls `update` as often as it likes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer
from jax.sharding import Mesh, NamedSharding
from jaxtyping import PRNGKeyArray

from agents.algorithm import Algorithm, Metrics, Rollout
from agents.networks import Network, Networks
from agents.rollout import collect, rollout_metrics
from agents.sharding import REPLICATED, TIME_ENV_SHARDED, check_divisible, replicate, state_sharding
from agents.state import TrainState, first_episodes
from devi_jax.core.environment import Environment
from devi_jax.core.policy import Policy

QUICK_COMPILE = {"xla_backend_optimization_level": 0}
"""Compiler options for a CPU of what runs once: to compile it well takes longer than it runs."""


@dataclass(frozen=True, eq=False)
class Learner:
    """An algorithm on one environment. Every function is pure; `collect` and `learn` are the jitted halves of `update`.

    `mesh`: devices, of one process or many, among which environments and samples are divided; results are those of one
    device but for rounding. None: JAX's default device.

    Raises:
        ConfigError: if the devices do not divide environments and minibatch; on first use, if `network` does not fit
            the environment's observations and actions.
    """

    environment: Environment
    algorithm: Algorithm
    network: Network
    mesh: Mesh | None = None

    def __post_init__(self):
        check_divisible(self.mesh, self.algorithm.environments, self.algorithm.groups)

    @cached_property
    def networks(self) -> Networks:
        """Actor and critic, built for the environment's observations and actions."""
        sizes, structure = jax.tree.flatten(self.environment.observation_sizes)
        return _built(self.network, tuple(sizes), structure, self.environment.action_size)

    @cached_property
    def init(self) -> Callable[[PRNGKeyArray], TrainState]:
        """Fresh networks, and all environments reset."""
        begin = partial(initialise, self.algorithm, self.networks)
        options = QUICK_COMPILE if jax.default_backend() == "cpu" else None
        alone = jax.jit(begin, out_shardings=self.sharding, compiler_options=options)
        nested = jax.jit(begin, out_shardings=self.sharding)
        environment = self._environment  # placed on the devices now: a trace of `init` must not keep its own copy

        def init(key: PRNGKeyArray) -> TrainState:
            # as a part of another program it is compiled with that one's options
            start = nested if isinstance(key, Tracer) else alone
            return start(environment, replicate(key, self.mesh))

        return init

    @cached_property
    def collect(self) -> Callable[[TrainState], tuple[TrainState, Rollout]]:
        """First half of `update`: act in the environments."""
        act = partial(collect, self.algorithm, self.networks, mesh=self.mesh)
        out = None if self.mesh is None else (self.sharding, NamedSharding(self.mesh, TIME_ENV_SHARDED))
        return partial(jax.jit(act, out_shardings=out), self._environment)

    @cached_property
    def learn(self) -> Callable[[TrainState, Rollout], tuple[TrainState, Metrics]]:
        """Second half of `update`: gradient steps, and the new observation statistics."""
        return jax.jit(partial(learn, self.algorithm, self.networks), out_shardings=self._learned_sharding)

    def update(self, state: TrainState) -> tuple[TrainState, Metrics]:
        """One iteration: `horizon` steps in every environment, then the algorithm's update from them.

        `state` is donated and may not be used again: its memory may become the new state's.
        """
        return self._learn_donated(*self.collect(state))

    def shapes(self) -> TrainState:
        """Shape, type and sharding of each part of a state; what a checkpoint is restored by, wherever it was saved."""
        shapes = jax.eval_shape(self.init, jax.random.key(0))
        if self.mesh is None:
            return shapes

        def place(sharding: NamedSharding, field: Any) -> Any:
            return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=sharding), field)

        return jax.tree.map(place, self.sharding, shapes)

    @property
    def sharding(self) -> Any:
        """The sharding of each field of a `TrainState`, as a prefix of its pytree; None without a mesh."""
        return None if self.mesh is None else state_sharding(self.mesh)

    def policy(self, state: TrainState) -> Policy:
        """The deterministic policy that the algorithm has learned, for raw observations."""
        return self.algorithm.policy(self.networks, state.algorithm)

    def environment_steps(self, iterations: int) -> int:
        """Environment steps of so many iterations, over all environments."""
        return iterations * self.algorithm.environments * self.algorithm.horizon

    @cached_property
    def _learn_donated(self) -> Callable[[TrainState, Rollout], tuple[TrainState, Metrics]]:
        own = partial(learn, self.algorithm, self.networks)
        return jax.jit(own, out_shardings=self._learned_sharding, donate_argnums=0)

    @property
    def _learned_sharding(self) -> Any:
        return None if self.mesh is None else (self.sharding, NamedSharding(self.mesh, REPLICATED))

    @cached_property
    def _environment(self) -> Environment:
        return replicate(self.environment, self.mesh)


def initialise(algorithm: Algorithm, networks: Networks, environment: Environment, key: PRNGKeyArray) -> TrainState:
    """The state before the first iteration."""
    key, network_key, reset_key = jax.random.split(key, 3)
    # before the environments: flax looks up where its arrays come from, in all that was traced until then
    learned = algorithm.init(networks, environment.observation_sizes, network_key)
    count, curriculum = algorithm.environments, environment.first_curriculum()
    environments = jax.vmap(environment.reset, in_axes=(0, None))(jax.random.split(reset_key, count), curriculum)
    return TrainState(
        algorithm=learned,
        environments=environments,
        curriculum=curriculum,
        observation=jax.vmap(environment.observe)(environments),
        carry=jax.tree.map(lambda x: jnp.broadcast_to(x, (count, *x.shape)), networks.initial_carry()),
        episodes=first_episodes(count),
        key=key,
        iteration=jnp.zeros((), jnp.int32),
    )


def learn(algorithm: Algorithm, networks: Networks, state: TrainState, rollout: Rollout) -> tuple[TrainState, Metrics]:
    """The algorithm's update from a rollout, and its metrics beside the rollout's own."""
    key, update_key = jax.random.split(state.key)
    learned, metrics = algorithm.update(networks, state.algorithm, rollout, update_key, state.iteration)
    state = replace(state, algorithm=learned, key=key, iteration=state.iteration + 1)
    return state, metrics | rollout_metrics(rollout, state.episodes)


@lru_cache(maxsize=8)
def _built(network: Network, sizes: tuple[int, ...], structure: Any, action_size: int) -> Networks:
    return network.build(jax.tree.unflatten(structure, sizes), action_size)
