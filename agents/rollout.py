"""Collect experience: step all environments, start finished ones again, keep what learning needs.

Values of the observations *before* a reset are taken on the way, so that truncated episodes bootstrap correctly.
"""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jaxtyping import Array, Bool, Int, Key

from agents.algorithm import Algorithm, Metrics, Rollout
from agents.networks import Networks
from agents.recurrence import reset_carry
from agents.sharding import ENV_SHARDED, REPLICATED, TIME_ENV_SHARDED, shard_map
from agents.state import Episodes, TrainState, count_step
from devi_jax.core.environment import Environment, Observation, Transition


def collect(
    algorithm: Algorithm, networks: Networks, environment: Environment, state: TrainState, mesh: Mesh | None = None
) -> tuple[TrainState, Rollout]:
    """Act as the algorithm does for `horizon` steps in every environment, each device in its own ones."""
    key, rollout_key = jax.random.split(state.key)
    # a key for each step of each environment: what is drawn does not depend on how many devices draw
    keys = jax.random.split(rollout_key, (algorithm.horizon, *state.episodes.lengths.shape))
    index = jnp.arange(state.episodes.lengths.shape[-1])
    shared = (environment, state.algorithm, state.curriculum)
    carry = (state.environments, state.observation, state.carry, state.episodes)
    steps = shard_map(
        mesh,
        partial(_steps, algorithm, networks),
        in_specs=(REPLICATED, ENV_SHARDED, ENV_SHARDED, TIME_ENV_SHARDED),
        out_specs=(ENV_SHARDED, TIME_ENV_SHARDED),
    )
    (environments, observation, memory, episodes), (rollout, states, transitions) = steps(shared, carry, index, keys)
    return replace(
        state,
        environments=environments,
        curriculum=environment.learned(state.curriculum, states, transitions),
        observation=observation,
        carry=memory,
        episodes=episodes,
        key=key,
    ), rollout


def _steps(
    algorithm: Algorithm,
    networks: Networks,
    shared: tuple,
    carry: tuple,
    index: Int[Array, " N"],
    keys: Key[Array, "T N"],
) -> tuple[tuple, tuple]:
    """The steps of these environments, one for each row of `keys` (T, N); states before and transitions of each."""
    environment, learned, curriculum = shared
    initial = networks.initial_carry()

    def advance(carry, keys):
        environments, observation, memory, episodes = carry
        action_keys, reset_keys = jnp.moveaxis(jax.vmap(jax.random.split)(keys), 1, 0)
        decision = algorithm.act(networks, learned, memory, observation, environments, index, action_keys)
        before = environments
        environments, transition = jax.vmap(environment.step)(environments, decision.action)
        transition, invalid = fail_non_finite(environments, transition)
        done = transition.terminated | transition.truncated
        rollout = Rollout(
            observation=observation,
            carry=memory,
            action=decision.action,
            record=decision.record,
            bootstrap=algorithm.bootstrap(networks, learned, decision.carry, transition.observation),
            reward=transition.reward,
            terminated=transition.terminated,
            truncated=transition.truncated,
            invalid=invalid,
            metrics=transition.metrics,
        )
        episodes = count_step(episodes, transition.reward, done)
        again = restart(environment, curriculum, done, environments, transition.observation, reset_keys)
        memory = reset_carry(decision.carry, done, initial)
        return (*again, memory, episodes), (rollout, before, transition)

    return jax.lax.scan(advance, carry, keys)


def rollout_metrics(rollout: Rollout, episodes: Episodes) -> Metrics:
    """What a rollout says of episodes and environments, as means over its valid steps."""
    finished = jnp.maximum((episodes.last_lengths > 0).sum(), 1).astype(jnp.float32)
    valid = jnp.maximum((~rollout.invalid).sum(), 1).astype(jnp.float32)
    of_environment = {f"environment/{name}": values.sum() / valid for name, values in rollout.metrics.items()}
    return of_environment | {
        "episode/reward": rollout.reward.mean(),
        "episode/return": episodes.last_returns.sum() / finished,
        "episode/length": episodes.last_lengths.sum().astype(jnp.float32) / finished,
        "episode/terminated": rollout.terminated.mean(),
        "episode/truncated": rollout.truncated.mean(),
        "episode/nan_environments": rollout.invalid.sum().astype(jnp.float32),
    }


def restart(
    environment: Environment,
    curriculum: Any,
    done: Bool[Array, " N"],
    states: Any,
    observation: Observation,
    keys: Key[Array, " N"],
) -> tuple[Any, Observation]:
    """Replace the states and observations of finished environments by freshly reset ones; `keys` (N,)."""

    def fresh():
        reset = jax.vmap(environment.reset, in_axes=(0, None))(keys, curriculum)
        return select(done, (reset, jax.vmap(environment.observe)(reset)), (states, observation))

    # A reset costs about as much as a step, and in most steps of a small batch no episode ends.
    return jax.lax.cond(done.any(), fresh, lambda: (states, observation))


def fail_non_finite(states: Any, transition: Transition) -> tuple[Transition, Bool[Array, " N"]]:
    """Terminate, with zero reward, environments whose state, observation or reward is not finite.

    Their observation and metrics become zero: nothing that is not a number may reach the networks or the statistics.
    """
    seen = (states, transition.observation, transition.reward)
    valid = jnp.stack([_finite(x) for x in jax.tree.leaves(seen) if jnp.issubdtype(x.dtype, jnp.inexact)]).all(0)
    observation, reward, metrics = select(
        valid,
        (transition.observation, transition.reward, transition.metrics),
        jax.tree.map(jnp.zeros_like, (transition.observation, transition.reward, transition.metrics)),
    )
    repaired = Transition(
        observation=observation,
        reward=reward,
        terminated=transition.terminated | ~valid,
        truncated=transition.truncated & valid,
        metrics=metrics,
    )
    return repaired, ~valid


def select(mask: Bool[Array, " N"], chosen: Any, otherwise: Any) -> Any:
    """Per environment, the leaves of `chosen` where `mask` holds, else those of `otherwise`."""

    def pick(a, b):
        return jnp.where(mask.reshape(-1, *[1] * (a.ndim - 1)), a, b)

    return jax.tree.map(pick, chosen, otherwise)


def _finite(x: Array) -> Bool[Array, " N"]:
    return jnp.isfinite(x).reshape(x.shape[0], -1).all(-1)
