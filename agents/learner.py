"""The learner: an environment, PPO and networks bound into `init`, `collect`, `learn` and a policy.

No loop, file or clock is in here; the host calls `update` as often as it likes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer
from jax.sharding import Mesh, NamedSharding
from jaxtyping import Array, Float, PRNGKeyArray

from agents import normaliser
from agents.distribution import Gaussian, sample
from agents.networks import NetworkConfig, Networks, Parameters, build
from agents.normaliser import Normaliser
from agents.ppo import PpoConfig
from agents.rollout import Rollout, collect
from agents.sharding import EVERYWHERE, SPREAD_IN_TIME, check_divisible, everywhere, state_placement
from agents.state import TrainState, first_episodes
from agents.update import Metrics, Optimisers, learn, optimisers
from devi_jax.core.environment import Environment, Observation

Action = Float[Array, "*B A"]

ONCE = {"xla_backend_optimization_level": 0}
"""Compiler options for a CPU of what runs once: to compile it well takes longer than it runs."""


@dataclass(frozen=True, eq=False)
class Learner:
    """PPO on one environment. Every function is pure; `collect` and `learn` are the jitted halves of `update`.

    `mesh`: devices, of one process or many, among which environments and samples are shared out; results are those
    of one device but for rounding. None: JAX's default device.

    Raises:
        ConfigError: if the devices do not divide environments and minibatch; on first use, if `network` does not fit
            the environment's actions.
    """

    environment: Environment
    ppo: PpoConfig
    network: NetworkConfig
    mesh: Mesh | None = None

    def __post_init__(self):
        check_divisible(self.mesh, self.ppo.environments, self.ppo.groups)

    @cached_property
    def init(self) -> Callable[[PRNGKeyArray], TrainState]:
        """Fresh networks, and all environments reset."""
        begin = partial(initialise, self._networks, self._optimisers, self.ppo.environments)
        options = ONCE if jax.default_backend() == "cpu" else None
        alone = jax.jit(begin, out_shardings=self.placement, compiler_options=options)
        within = jax.jit(begin, out_shardings=self.placement)

        def init(key: PRNGKeyArray) -> TrainState:
            # as a part of another program it is compiled with that one's options
            start = within if isinstance(key, Tracer) else alone
            return start(self._environment, everywhere(key, self.mesh))

        return init

    @cached_property
    def collect(self) -> Callable[[TrainState], tuple[TrainState, Rollout]]:
        """First half of `update`: act in the environments."""
        walk = partial(collect, self._networks, self.ppo.horizon, mesh=self.mesh)
        out = None if self.mesh is None else (self.placement, NamedSharding(self.mesh, SPREAD_IN_TIME))
        return partial(jax.jit(walk, out_shardings=out), self._environment)

    @cached_property
    def learn(self) -> Callable[[TrainState, Rollout], tuple[TrainState, Metrics]]:
        """Second half of `update`: gradient steps, and the new observation statistics."""
        return jax.jit(partial(learn, self._networks, self.ppo, self._optimisers), out_shardings=self._learnt)

    def update(self, state: TrainState) -> tuple[TrainState, Metrics]:
        """One iteration: `horizon` steps in every environment, then `epochs` passes over them.

        `state` may not be used again: its memory may become the new state's.
        """
        return self._learn_in_place(*self.collect(state))

    def shapes(self) -> TrainState:
        """Shape, type and place of each part of a state; what a checkpoint is restored by, wherever it was saved."""
        shapes = jax.eval_shape(self.init, jax.random.key(0))
        if self.mesh is None:
            return shapes

        def place(sharding: NamedSharding, field: Any) -> Any:
            return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=sharding), field)

        return jax.tree.map(place, self.placement, shapes)

    @property
    def placement(self) -> Any:
        """The sharding of each field of a `TrainState`, as a prefix of its pytree; None without a mesh."""
        return None if self.mesh is None else state_placement(self.mesh)

    @cached_property
    def act(self) -> "MeanAction":
        """The mean action for parameters (average, normaliser) of a `TrainState`."""
        return MeanAction(self._networks)

    def policy(self, state: TrainState) -> Callable[[Observation], Action]:
        """The averaged actor's mean action for raw observations with any leading dimensions."""
        return lambda observation: self._act(state.average, state.normaliser, observation).mean

    def sampled_policy(self, state: TrainState) -> Callable[[Observation, PRNGKeyArray], Action]:
        """As `policy`, but with the noise of training."""

        def draw(observation: Observation, key: PRNGKeyArray) -> Action:
            return sample(self._act(state.actor, state.normaliser, observation), key)

        return draw

    def environment_steps(self, iterations: int) -> int:
        """Environment steps of so many iterations, over all environments."""
        return iterations * self.ppo.environments * self.ppo.horizon

    @cached_property
    def _learn_in_place(self) -> Callable[[TrainState, Rollout], tuple[TrainState, Metrics]]:
        own = partial(learn, self._networks, self.ppo, self._optimisers)
        return jax.jit(own, out_shardings=self._learnt, donate_argnums=0)

    @property
    def _learnt(self) -> Any:
        return None if self.mesh is None else (self.placement, NamedSharding(self.mesh, EVERYWHERE))

    @cached_property
    def _environment(self) -> Environment:
        return everywhere(self.environment, self.mesh)

    @cached_property
    def _networks(self) -> Networks:
        sizes = tuple(sorted(self.environment.observation_sizes.items()))
        return _built(self.network, sizes, self.environment.action_size)

    @cached_property
    def _optimisers(self) -> Optimisers:
        return optimisers(self.ppo)

    @cached_property
    def _act(self) -> Callable[[Parameters, Normaliser, Observation], Gaussian]:
        return jax.jit(partial(act, self._networks))


@dataclass(frozen=True)
class MeanAction:
    """A policy as a function of its parameters, without noise, so that the key is not used.

    Equal for learners of the same networks, which so share what is compiled.
    """

    networks: Networks

    def __call__(
        self, parameters: tuple[Parameters, Normaliser], observation: Observation, key: PRNGKeyArray
    ) -> Action:
        """Mean actions for raw observations."""
        return act(self.networks, *parameters, observation).mean


def initialise(
    networks: Networks, optimisers: Optimisers, count: int, environment: Environment, key: PRNGKeyArray
) -> TrainState:
    """The state before the first iteration, with `count` environments."""
    key, network_key, reset_key = jax.random.split(key, 3)
    actor, critic = networks.init(network_key)
    curriculum = environment.first_curriculum()
    environments = jax.vmap(environment.reset, in_axes=(0, None))(jax.random.split(reset_key, count), curriculum)
    return TrainState(
        actor=actor,
        average=actor,
        critic=critic,
        actor_optimiser=optimisers.actor.init(actor),
        critic_optimiser=optimisers.critic.init(critic),
        normaliser=normaliser.init(environment.observation_sizes),
        environments=environments,
        curriculum=curriculum,
        observation=jax.vmap(environment.observe)(environments),
        episodes=first_episodes(count),
        key=key,
        iteration=jnp.zeros((), jnp.int32),
    )


def act(networks: Networks, actor: Parameters, statistics: Normaliser, observation: Observation) -> Gaussian:
    """The policy's distribution for raw observations."""
    return networks.actor(actor, normaliser.normalise(statistics, observation))


@lru_cache(maxsize=8)
def _built(config: NetworkConfig, sizes: tuple[tuple[str, int], ...], actions: int) -> Networks:
    return build(config, dict(sizes), actions)
