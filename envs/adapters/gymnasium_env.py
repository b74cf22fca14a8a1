"""The environment as a `gymnasium.vector.VectorEnv`, a whole batch in one call, and as a single `gymnasium.Env`.

Needs `pip install gymnasium`. Observations are flat, in the order of `envs.adapters.flat.slices`.
"""

from functools import partial
from typing import Any, Literal

import gymnasium
import jax
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from devi_jax.core.environment import Environment
from devi_jax.core.errors import ConfigError
from envs.adapters import batch
from envs.adapters.flat import flat_size, flatten


def observation_space(environment: Environment) -> spaces.Box:
    """Unbounded float32 vectors."""
    return spaces.Box(-np.inf, np.inf, (flat_size(environment),), np.float32)


def action_space(environment: Environment) -> spaces.Box:
    """Float32 vectors in [-1, 1]."""
    return spaces.Box(-1.0, 1.0, (environment.action_size,), np.float32)


class GymnasiumVectorEnvironment(VectorEnv):
    """N environments stepped together, as fast as the engine is.

    `autoreset`: `same_step` starts finished episodes anew in the step that ends them; their last observations are
    `infos["final_obs"]` where `infos["_final_obs"]`. `next_step` returns the last observation, and starts anew in the
    next step, whose action is ignored and whose reward is 0. The mode stands in `metadata["autoreset_mode"]`.
    `reset(seed=S)` makes all that follows repeatable; `reset()` draws on. `infos` holds the recipe's errors, (N,) each.
    """

    def __init__(
        self, environment: Environment, num_envs: int, autoreset: Literal["same_step", "next_step"] = "same_step"
    ):
        mode = AutoresetMode.SAME_STEP if autoreset == "same_step" else AutoresetMode.NEXT_STEP
        self.metadata = {"autoreset_mode": mode, "render_modes": []}
        self.num_envs = num_envs
        self.single_observation_space = observation_space(environment)
        self.single_action_space = action_space(environment)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._start = partial(jax.jit(batch.start_all, static_argnums=1), environment, num_envs)
        step = _same_step if autoreset == "same_step" else _next_step
        self._step = partial(jax.jit(step), environment)
        self._states, self._done, self._key = None, np.zeros(num_envs, bool), None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        """New episodes everywhere: observations (N, O) and no infos."""
        super().reset(seed=seed)
        key, self._key = jax.random.split(_draw_key(self.np_random))
        self._states, observation = self._start(key)
        self._done = np.zeros(self.num_envs, bool)
        return np.array(observation), {}

    def step(self, actions):
        """One control interval: observations (N, O), rewards, terminated, truncated (N,), infos.

        Raises:
            ConfigError: no episode was started.
        """
        if self._states is None:
            raise _not_reset()
        now = (self._states, self._done, np.asarray(actions, np.float32), self._key)
        self._states, self._key, observation, outcome = self._step(*now)
        outcome = jax.tree.map(np.array, outcome)
        self._done = outcome.done
        infos: dict[str, Any] = dict(outcome.metrics)
        if self.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP and self._done.any():
            last = np.full(self.num_envs, None, object)
            for i in np.flatnonzero(self._done):
                last[i] = outcome.observation[i]
            infos |= {"final_obs": last, "_final_obs": self._done.copy()}
        return np.array(observation), outcome.reward, outcome.terminated, outcome.truncated, infos


class GymnasiumEnvironment(gymnasium.Env):
    """One environment, for checkers and for looking; a learner wants the vector one, which is far faster."""

    metadata = {"render_modes": []}

    def __init__(self, environment: Environment):
        self.observation_space = observation_space(environment)
        self.action_space = action_space(environment)
        self._start = partial(jax.jit(batch.start), environment)
        self._step = partial(jax.jit(batch.step), environment)
        self._state = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        """A new episode: its first observation (O,)."""
        super().reset(seed=seed)
        self._state, observation = self._start(_draw_key(self.np_random))
        return np.array(observation), {}

    def step(self, action):
        """One control interval. Raises `ConfigError` before the first reset."""
        if self._state is None:
            raise _not_reset()
        self._state, t = self._step(self._state, np.asarray(action, np.float32))
        metrics = {name: float(value) for name, value in t.metrics.items()}
        return np.array(flatten(t.observation)), float(t.reward), bool(t.terminated), bool(t.truncated), metrics


def _not_reset() -> ConfigError:
    return ConfigError("there is no episode to step", where="step", fix="call reset(seed=...) first")


def _draw_key(random: np.random.Generator) -> jax.Array:
    return jax.random.key(int(random.integers(2**32)))


def _same_step(environment: Environment, states, done, actions, key):
    key, again = jax.random.split(key)
    states, outcome = batch.step_all(environment, states, actions)
    states, observation = batch.start_again(environment, outcome.done, states, outcome.observation, again)
    return states, key, observation, outcome


def _next_step(environment: Environment, states, done, actions, key):
    key, again = jax.random.split(key)
    states, outcome = batch.step_all(environment, states, actions)
    states, observation = batch.start_again(environment, done, states, outcome.observation, again)
    return states, key, observation, batch.silent(done, outcome)
