"""What every adapter does with environments: start them, step them, start the finished ones again. Pure functions.

Episodes start as they do before anything is learned about them: a foreign learner keeps no curriculum.
"""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from devi_jax.core.environment import Environment, Transition
from envs.adapters.flat import flatten


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Outcome:
    """What a step of N environments yields, of the states *before* any start anew; observations are flat."""

    observation: Float[Array, "N O"]
    reward: Float[Array, " N"]
    terminated: Bool[Array, " N"]
    truncated: Bool[Array, " N"]
    metrics: dict[str, Float[Array, " N"]]

    @property
    def done(self) -> Bool[Array | np.ndarray, " N"]:
        """Which episodes ended."""
        return self.terminated | self.truncated


def start(environment: Environment, key: PRNGKeyArray) -> tuple[Any, Float[Array, " O"]]:
    """State and flat observation of a new episode of one environment."""
    state = environment.reset(key, environment.first_curriculum())
    return state, flatten(environment.observe(state))


def start_all(environment: Environment, count: int, key: PRNGKeyArray) -> tuple[Any, Float[Array, "N O"]]:
    """States and flat observations of `count` new episodes."""
    return jax.vmap(start, in_axes=(None, 0))(environment, jax.random.split(key, count))


def step(environment: Environment, state: Any, action: Float[Array, " A"]) -> tuple[Any, Transition]:
    """One step of one environment. One that is no longer finite fails, with zero reward, observation and metrics."""
    after, transition = environment.step(state, action)
    seen = jax.tree.leaves((after, transition.observation, transition.reward))
    finite = jnp.stack([jnp.isfinite(x).all() for x in seen if jnp.issubdtype(x.dtype, jnp.inexact)]).all()

    def mend(tree):
        return jax.tree.map(lambda x: jnp.where(finite, x, jnp.zeros_like(x)), tree)

    mended = replace(
        transition,
        observation=mend(transition.observation),
        reward=mend(transition.reward),
        terminated=transition.terminated | ~finite,
        truncated=transition.truncated & finite,
        metrics=mend(transition.metrics),
    )
    return after, mended


def step_all(environment: Environment, states: Any, actions: Float[Array, "N A"]) -> tuple[Any, Outcome]:
    """One step of N environments; none is started anew."""
    after, t = jax.vmap(step, in_axes=(None, 0, 0))(environment, states, actions)
    return after, Outcome(flatten(t.observation), t.reward, t.terminated, t.truncated, t.metrics)


def silent(mask: Bool[Array, " N"], outcome: Outcome) -> Outcome:
    """The outcome with no reward, end or metrics where the mask holds."""

    def hush(x):
        return jnp.where(mask, jnp.zeros_like(x), x)

    ends = {"terminated": hush(outcome.terminated), "truncated": hush(outcome.truncated)}
    return replace(outcome, reward=hush(outcome.reward), metrics=jax.tree.map(hush, outcome.metrics), **ends)


def metric_names(environment: Environment) -> tuple[str, ...]:
    """Names of the scalars that each step reports beside its reward."""

    def one_step(key):
        return environment.step(start(environment, key)[0], jnp.zeros(environment.action_size))[1].metrics

    return tuple(jax.eval_shape(one_step, jax.random.key(0)))


def start_again(
    environment: Environment,
    done: Bool[Array | np.ndarray, " N"],
    states: Any,
    observation: Float[Array, "N O"],
    key: PRNGKeyArray,
) -> tuple[Any, Float[Array, "N O"]]:
    """States and observations with those of new episodes where one is `done`."""

    def anew():
        fresh = start_all(environment, done.shape[0], key)

        def pick(new, old):
            return jnp.where(done.reshape(-1, *[1] * (new.ndim - 1)), new, old)

        return jax.tree.map(pick, fresh, (states, observation))

    # a start costs about as much as a step, and in most steps of a small batch no episode ends
    return jax.lax.cond(done.any(), anew, lambda: (states, observation))
