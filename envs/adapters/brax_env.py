"""The environment as a `brax.envs.Env`, for brax's own learners and for rejax, gymnax and others that read brax.

Needs `pip install brax`. Pure: it works under `jit`, `vmap` and `scan`, with whichever engine the environment has.
"""

import jax.numpy as jnp
from brax.envs.base import Env, State, Wrapper
from brax.envs.wrappers.training import AutoResetWrapper, EpisodeWrapper, VmapWrapper

from devi_jax.core.environment import Environment
from envs.adapters import batch
from envs.adapters.flat import flat_size, flatten


class BraxEnvironment(Env):
    """One environment; `observation` is flat, in the order of `envs.adapters.flat.slices`.

    `done` is set when the episode failed and when the clip has ended; `info["truncated"]` tells the latter, whose value
    a learner should bootstrap: see `wrap`.
    """

    def __init__(self, environment: Environment):
        self.environment = environment
        self._metrics = batch.metric_names(environment)

    def reset(self, rng) -> State:
        """A new episode, for a key old style or new."""
        state, observation = batch.start(self.environment, rng)
        zero = jnp.zeros(())
        return State(state, observation, zero, zero, dict.fromkeys(self._metrics, zero), {"truncated": zero})

    def step(self, state: State, action) -> State:
        """One control interval; never resets. An environment that is no longer finite is done."""
        after, t = batch.step(self.environment, state.pipeline_state, action)
        done = (t.terminated | t.truncated).astype(jnp.float32)
        return state.replace(  # type: ignore[attr-defined]
            pipeline_state=after,
            obs=flatten(t.observation),
            reward=t.reward,
            done=done,
            metrics={**state.metrics, **t.metrics},
            info={**state.info, "truncated": t.truncated.astype(jnp.float32)},
        )

    @property
    def observation_size(self) -> int:
        """Length of the flat observation."""
        return flat_size(self.environment)

    @property
    def action_size(self) -> int:
        """Length of the action vector; actions are meant to lie in [-1, 1]."""
        return self.environment.action_size

    @property
    def backend(self) -> str:
        """Not one of brax's own."""
        return "mujoco"


class ClipEnd(Wrapper):
    """Marks the clip's end in `info["truncation"]`, where brax's learners look for episodes cut short.

    brax's `EpisodeWrapper` knows only its own limit of steps, and would have the end of the clip be a failure.
    """

    def step(self, state: State, action) -> State:
        """A step, then the mark."""
        state = self.env.step(state, action)
        state.info["truncation"] = jnp.maximum(state.info["truncation"], state.info["truncated"])
        return state


def wrap(env: Env, episode_length: int = 1000, action_repeat: int = 1, randomization_fn=None) -> Wrapper:
    """What brax's `wrap` does, and the clip's end as truncation: pass it as `wrap_env_fn` to brax's `train`.

    As with brax's, every environment starts all its episodes from the one state that its first reset drew.

    Raises:
        ValueError: for a `randomization_fn`: what differs between episodes is part of the environment itself.
    """
    if randomization_fn is not None:
        raise ValueError("the environment varies its object by itself: System.randomization")
    return AutoResetWrapper(ClipEnd(EpisodeWrapper(VmapWrapper(env), episode_length, action_repeat)))
