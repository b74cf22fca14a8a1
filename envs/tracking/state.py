"""The state of an episode that follows a clip, and the states of plans that episodes may start from."""

from dataclasses import dataclass, field
from typing import Any

import jax
from jaxtyping import Array, Float, Int, PRNGKeyArray

from devi_jax.core.sim_state import SimState
from envs.physics import PhysicsState


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class TrackingState:
    """Simulated state, which clip it follows, the frame it stands for, and the factor on the bounds of its episode.

    `commands`: what each controller with something to do adds in the next step; `memory`: what each keeps of the
    episode so far, where it keeps anything. `untouched`: for how many steps each hand that should touch the object has
    felt nothing; `past`: states before this one, (H, ...); `noise`: key of the observations' noise, of pushes and of
    noise on the targets. The last three are `None` where nothing asks for them.
    """

    physics: PhysicsState
    clip: Int[Array, ""]
    t: Int[Array, ""]
    termination_scale: Float[Array, ""]
    commands: dict[str, Any]
    memory: dict[str, Array] = field(default_factory=dict)
    untouched: Int[Array, " H"] | None = None
    past: SimState | None = None
    noise: PRNGKeyArray | None = None


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class PlanStates:
    """States (C, L, V, ...) that a plan of each clip leads through from frame 0, in V conditions, to start from.
    `length`: how many of the L frames each clip's plan survives; `memory`: what controllers keep in each state."""

    states: PhysicsState
    length: Int[Array, " C"]
    memory: dict[str, Array] = field(default_factory=dict)
