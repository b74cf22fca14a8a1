"""Collect experience: step all environments, start finished ones again, keep what learning needs.

Values of the observations *before* a reset are taken on the way, so that truncated episodes bootstrap correctly.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from agents.distribution import Gaussian, sample
from agents.gae import Trajectory
from agents.networks import Networks
from agents.normaliser import normalise
from agents.sharding import EVERYWHERE, SPREAD, SPREAD_IN_TIME, on_each
from agents.state import TrainState, count_step
from devi_jax.core.environment import Environment, Observation, Transition


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
    networks: Networks, horizon: int, environment: Environment, state: TrainState, mesh: Mesh | None = None
) -> tuple[TrainState, Rollout]:
    """Act with the stochastic policy for `horizon` steps in every environment, each device in its own ones."""
    key, rollout_key = jax.random.split(state.key)
    # a key for each step of each environment: what is drawn does not depend on how many devices draw
    keys = jax.random.split(rollout_key, (horizon, *state.episodes.lengths.shape))
    shared = (environment, state.actor, state.critic, state.normaliser, state.curriculum)
    carry = (state.environments, state.observation, state.episodes)
    walk = on_each(
        mesh,
        partial(_walk, networks),
        in_specs=(EVERYWHERE, SPREAD, SPREAD_IN_TIME),
        out_specs=(SPREAD, SPREAD_IN_TIME),
    )
    (environments, observation, episodes), (rollout, states, transitions) = walk(shared, carry, keys)
    return replace(
        state,
        environments=environments,
        curriculum=environment.learned(state.curriculum, states, transitions),
        observation=observation,
        episodes=episodes,
        key=key,
    ), rollout


def _walk(networks: Networks, shared: tuple, carry: tuple, keys: PRNGKeyArray) -> tuple[tuple, tuple]:
    """The steps of these environments, one for each row of `keys` (T, N); states before and transitions of each."""
    environment, actor, critic, statistics, curriculum = shared

    def advance(carry, keys):
        environments, observation, episodes = carry
        action_keys, reset_keys = jnp.moveaxis(jax.vmap(jax.random.split)(keys), 1, 0)
        normalised = normalise(statistics, observation)
        behaviour = networks.actor(actor, normalised)
        action = jax.vmap(sample)(behaviour, action_keys)
        before = environments
        environments, transition = jax.vmap(environment.step)(environments, action)
        transition, invalid = fail_non_finite(environments, transition)
        done = transition.terminated | transition.truncated
        trajectory = Trajectory(
            reward=transition.reward,
            value=networks.critic(critic, normalised),
            next_value=networks.critic(critic, normalise(statistics, transition.observation)),
            terminated=transition.terminated,
            truncated=transition.truncated,
        )
        episodes = count_step(episodes, transition.reward, done)
        again = restart(environment, curriculum, done, environments, transition.observation, reset_keys)
        rollout = Rollout(observation, behaviour, action, trajectory, invalid, transition.metrics)
        return (*again, episodes), (rollout, before, transition)

    return jax.lax.scan(advance, carry, keys)


def restart(
    environment: Environment,
    curriculum: Any,
    done: Bool[Array, " N"],
    states: Any,
    observation: Observation,
    keys: PRNGKeyArray,
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
