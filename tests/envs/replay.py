"""The recipe environments are tested with, and its zero action as a compiled scan without rewards and observations."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp

from devi_jax.core.sim_state import SimState
from devi_jax.systems import System, devi
from envs.control import AnkleBalance, GroundReaction, ObjectFollowing
from envs.tracking import terminations
from envs.tracking.config import STILL, ActionConfig, ObjectPoints, ResetConfig
from envs.tracking.env import TrackingEnvironment
from envs.tracking.state import TrackingState
from envs.tracking.terminations import Termination


def recipe() -> System:
    """DeVI with the environment's defaults, whatever the presets are tuned to."""
    system, plain = devi("cpu"), devi("cpu", "paper")
    return replace(
        system,
        observations=plain.observations,
        goal=plain.goal,
        action=ActionConfig(),
        resets=ResetConfig(),
        randomization=STILL,
        goal_frames=(1, 4),
        object_points=ObjectPoints(256),
        controllers={
            **system.controllers,
            "ground_reaction": GroundReaction(),
            "ankle_balance": AnkleBalance(),
            "object_following": ObjectFollowing(),
        },
        terminations={**system.terminations, "fingertips": Termination(terminations.fingertips, 0.04)},
    )


def with_controllers(system: System, **rows) -> System:
    """The system with other controllers in these rows."""
    return replace(system, controllers={**system.controllers, **rows})


@partial(jax.jit, static_argnums=(0, 2))
def replay(environment: TrackingEnvironment, start: jax.Array, steps: int) -> tuple[SimState, TrackingState]:
    """What zero residual action leads to from a frame of the reference on: `steps` frames and states, stacked."""

    def step(state, _):
        state, frame = environment.advance(state, jnp.zeros(environment.action_size))
        return state, (frame, state)

    return jax.lax.scan(step, environment.start(start), None, length=steps)[1]
