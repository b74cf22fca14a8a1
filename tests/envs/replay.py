"""Zero residual action played open loop, as a compiled scan without rewards and observations."""

from functools import partial

import jax
import jax.numpy as jnp

from devi_jax.core.frame import Frame
from envs.tracking import TrackingEnvironment, TrackingState


@partial(jax.jit, static_argnums=(0, 2))
def replay(environment: TrackingEnvironment, start: jax.Array, steps: int) -> tuple[Frame, TrackingState]:
    """What zero residual action leads to from a frame of the reference on: `steps` frames and states, stacked."""

    def step(state, _):
        control = environment.control(state, jnp.zeros(environment.action_size))
        state = TrackingState(environment.physics.step(state.physics, control), state.t + 1)
        return state, (environment.frame(state), state)

    return jax.lax.scan(step, environment.start(start), None, length=steps)[1]
