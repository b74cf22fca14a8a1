"""The environment as Stable-Baselines3's `VecEnv`: a whole batch in one call, where its own loops over single ones.

Needs `pip install stable-baselines3`.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv

from devi_jax.core.environment import Environment
from envs.adapters.gymnasium_env import GymnasiumVectorEnvironment


class StableBaselinesEnvironment(VecEnv):
    """N environments for `PPO("MlpPolicy", StableBaselinesEnvironment(environment, N))`.

    Finished episodes start anew in the same step; `infos[i]` has their `terminal_observation`, and whether the clip's
    end cut them short in `TimeLimit.truncated`, whose value the library then bootstraps.
    """

    def __init__(self, environment: Environment, num_envs: int):
        self._vector = GymnasiumVectorEnvironment(environment, num_envs)
        self._actions = np.zeros(self._vector.action_space.shape or (), np.float32)
        self.render_mode = None
        super().__init__(num_envs, self._vector.single_observation_space, self._vector.single_action_space)

    def reset(self):
        """New episodes everywhere: observations (N, O), by the seed that `seed` set."""
        observation, _ = self._vector.reset(seed=self._seeds[0])
        self._reset_seeds()
        self._reset_options()
        return observation

    def step_async(self, actions: np.ndarray) -> None:
        """Keep the actions (N, A)."""
        self._actions = actions

    def step_wait(self):
        """Step with them: observations, rewards, done, and a dictionary for each environment."""
        observation, reward, terminated, truncated, infos = self._vector.step(self._actions)
        done = terminated | truncated
        told: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for i in np.flatnonzero(done):
            told[i] = {"terminal_observation": infos["final_obs"][i], "TimeLimit.truncated": bool(truncated[i])}
        return observation, reward, done, told

    def close(self) -> None:
        """Nothing is open."""

    def get_attr(self, attr_name: str, indices=None) -> list[Any]:
        """The attribute, which all environments share."""
        return [getattr(self, attr_name)] * len(self._chosen(indices))

    def set_attr(self, attr_name: str, value: Any, indices=None) -> None:
        """Set it for all."""
        setattr(self, attr_name, value)

    def env_method(self, method_name: str, *method_args, indices=None, **method_kwargs) -> list[Any]:
        """Call a method, once for each environment."""
        return [getattr(self, method_name)(*method_args, **method_kwargs) for _ in self._chosen(indices)]

    def env_is_wrapped(self, wrapper_class, indices=None) -> list[bool]:
        """No environment is wrapped by itself."""
        return [False] * len(self._chosen(indices))

    def _chosen(self, indices: None | int | Iterable[int]) -> list[int]:
        return list(self._get_indices(indices))
