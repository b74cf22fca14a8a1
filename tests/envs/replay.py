"""The recipe environments are tested with, and its zero action as a compiled scan without rewards and observations."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp

from devi_jax.core.sim_state import SimState
from devi_jax.systems import System, devi
from envs.tracking.config import EnvironmentConfig
from envs.tracking.env import TrackingEnvironment, TrackingState


def recipe() -> System:
    """DeVI with the environment's defaults, whatever the presets are tuned to."""
    return replace(devi("cpu"), environment=EnvironmentConfig(goal_offsets=(1, 4), object_points=256))


@partial(jax.jit, static_argnums=(0, 2))
def replay(environment: TrackingEnvironment, start: jax.Array, steps: int) -> tuple[SimState, TrackingState]:
    """What zero residual action leads to from a frame of the reference on: `steps` frames and states, stacked."""

    def step(state, _):
        state, frame = environment.advance(state, jnp.zeros(environment.action_size))
        return state, (frame, state)

    return jax.lax.scan(step, environment.start(start), None, length=steps)[1]
