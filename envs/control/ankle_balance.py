"""Standing by linear feedback: the ankles push back where the centre of mass strays from the reference's.

A layer under the policy, which may add to it like to any other target.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from devi_jax.core import rotations as rot
from devi_jax.core.sim_state import ReferenceState, SimState
from devi_jax.core.skeleton import INDEX, SIDES
from envs.control.centre_of_mass import centre_of_mass, centre_velocity, segments
from envs.control.controller import Controller, Prepared, ReferenceMotion, ground_is_shared
from envs.physics import Physics

ANKLES = np.array([INDEX[f"{side}_ankle"] for side in SIDES])
_SHANKS = np.array([INDEX[f"{side}_knee"] for side in SIDES])


@dataclass(frozen=True)
class AnkleBalance(Controller):
    """Ankles push back where the centre of mass strays. Of a free root, where no ground forces are shared."""

    gain: float = 0.0
    """Radians of ankle for a metre that the centre of mass strays; 0 leaves balance to the targets."""
    damping: float = 0.2
    """Radians of ankle for a metre a second of it, over `gain`."""

    def prepare(self, physics: Physics, motion: ReferenceMotion, prepared: Prepared) -> dict[str, np.ndarray] | None:
        """`centre` (T, 3) of mass and its `velocity` (T, 3)."""
        if not self.gain or physics.scene.embodiment.root != "free" or ground_is_shared(prepared):
            return None
        centre = np.asarray(centre_of_mass(segments(physics.model), motion.position, motion.rotation))
        return {"centre": centre, "velocity": np.gradient(centre, 1 / motion.fps, axis=0)}

    def command(
        self,
        physics: Physics,
        state: SimState,
        reference: ReferenceState,
        noted: Mapping[str, Array],
        memory: Array | None = None,
    ) -> Float[Array, "2 3"]:
        """Rotation vectors of both ankles."""
        of = segments(physics.model)
        stray = centre_of_mass(of, state.position, state.rotation) - noted["centre"]
        velocity = centre_velocity(of, state.rotation, state.linear_velocity, state.angular_velocity)
        drift = velocity - noted["velocity"]
        return ankle_turns(stray, drift, state.rotation, self.gain, self.gain * self.damping)

    def bend(self, turns: Float[Array, "J 3"], command: Any) -> Float[Array, "J 3"]:
        """Turn the ankles."""
        return turns.at[ANKLES - 1].add(command)


def ankle_turns(
    error_m: Float[Array, "3"],
    error_m_s: Float[Array, "3"],
    rotation: Float[Array, "52 4"],
    gain: float,
    damping: float,
) -> Float[Array, "2 3"]:
    """Rotation vectors of both ankles against a stray of the centre of mass.

    `error_m`, `error_m_s`: simulated less reference, world axes; `gain` rad/m, `damping` rad/(m/s). A body that falls
    forward presses its toes down, one that falls to its right rolls its feet onto their right edges.
    """
    push = gain * error_m + damping * error_m_s
    local = rot.rotate_inverse(rotation[_SHANKS], jnp.broadcast_to(push, (2, 3)))
    return jnp.stack([-local[:, 1], local[:, 0], jnp.zeros(2)], axis=-1)
