"""Collect experience: step all environments, start finished ones again, keep what learning needs.

Values of the observations *before* a reset are taken on the way, so that truncated episodes bootstrap correctly.
"""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from agents.distribution import Gaussian, sample
from agents.gae import Trajectory
from agents.networks import Networks
from agents.normaliser import normalise
from agents.state import TrainState, count_step
from devi_jax.core.protocols import Environment, Observation, Transition


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Rollout:
    """T steps of N environments: raw observations acted on, actions and the distribution they were drawn from.

    `invalid` marks steps that led to non-finite numbers; `metrics` are the environment's, zero in those steps.
    """

    observation: Observation
    behaviour: Gaussian
    action: Float[Array, "T N A"]
    trajectory: Trajectory
    invalid: Bool[Array, "T N"]
    metrics: dict[str, Float[Array, "T N"]]


def collect(
    networks: Networks, horizon: int, environment: Environment, state: TrainState
) -> tuple[TrainState, Rollout]:
    """Act with the stochastic policy for `horizon` steps in every environment."""
    key, rollout_key = jax.random.split(state.key)

    def advance(carry, key):
        environments, observation, episodes = carry
        action_key, reset_key = jax.random.split(key)
        normalised = normalise(state.normaliser, observation)
        behaviour = networks.actor(state.actor, normalised)
        action = sample(behaviour, action_key)
        before = environments
        environments, transition = jax.vmap(environment.step)(environments, action)
        transition, invalid = fail_non_finite(environments, transition)
        done = transition.terminated | transition.truncated
        trajectory = Trajectory(
            reward=transition.reward,
            value=networks.critic(state.critic, normalised),
            next_value=networks.critic(state.critic, normalise(state.normaliser, transition.observation)),
            terminated=transition.terminated,
            truncated=transition.truncated,
        )
        episodes = count_step(episodes, transition.reward, done)
        again = restart(environment, state.curriculum, done, environments, transition.observation, reset_key)
        rollout = Rollout(observation, behaviour, action, trajectory, invalid, transition.metrics)
        return (*again, episodes), (rollout, before, transition)

    carry = (state.environments, state.observation, state.episodes)
    carry, (rollout, states, transitions) = jax.lax.scan(advance, carry, jax.random.split(rollout_key, horizon))
    environments, observation, episodes = carry
    return replace(
        state,
        environments=environments,
        curriculum=environment.learned(state.curriculum, states, transitions),
        observation=observation,
        episodes=episodes,
        key=key,
    ), rollout


def restart(
    environment: Environment,
    curriculum: Any,
    done: Bool[Array, " N"],
    states: Any,
    observation: Observation,
    key: PRNGKeyArray,
) -> tuple[Any, Observation]:
    """Replace the states and observations of finished environments by freshly reset ones."""

    def fresh():
        reset = jax.vmap(environment.reset, in_axes=(0, None))(jax.random.split(key, done.shape[0]), curriculum)
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
    mended = Transition(
        observation=observation,
        reward=reward,
        terminated=transition.terminated | ~valid,
        truncated=transition.truncated & valid,
        metrics=metrics,
    )
    return mended, ~valid


def select(mask: Bool[Array, " N"], chosen: Any, otherwise: Any) -> Any:
    """Per environment, the leaves of `chosen` where `mask` holds, else those of `otherwise`."""

    def pick(a, b):
        return jnp.where(mask.reshape(-1, *[1] * (a.ndim - 1)), a, b)

    return jax.tree.map(pick, chosen, otherwise)


def _finite(x: Array) -> Bool[Array, " N"]:
    return jnp.isfinite(x).reshape(x.shape[0], -1).all(-1)
