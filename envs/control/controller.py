"""What a controller is: something that adds to the PD targets, from the reference beforehand or from the state in every
step. A system names its controllers in a table; the environment knows none of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from devi_jax.core.sim_state import ReferenceState, SimState
from envs.physics import Control, Physics

Prepared = Mapping[str, Mapping[str, np.ndarray]]
"""By the controller's name, what it noted of the reference: arrays (T, ...)."""


@dataclass(frozen=True, eq=False)
class ReferenceMotion:
    """The reference motion of T frames that targets are made of, world axes.

    `position` (T, 52, 3), `rotation` (T, 52, 4), `tips` (T, 10, 3), `contact` (T, 2); `qpos` (T, nq), `qvel` (T, nv):
    the same in MuJoCo's coordinates. `object_pose` (T, 7): of the object, of which only the first is known unless
    `object_posed`; `object_round`: whether a turn about the vertical changes nothing of it.
    """

    position: np.ndarray
    rotation: np.ndarray
    tips: np.ndarray
    contact: np.ndarray
    qpos: np.ndarray
    qvel: np.ndarray
    fps: float
    object_pose: np.ndarray | None = None
    object_posed: bool = False
    object_round: bool = False


@dataclass(frozen=True)
class TargetOffsets:
    """What a controller adds to the targets of every frame: `turns` (T, 52, 3), rotation vectors in the joints' frames;
    `shifts` (T, 3) of a pinned root, metres; 0 where there is nothing to add."""

    turns: np.ndarray | float = 0.0
    shifts: np.ndarray | float = 0.0


@dataclass(frozen=True)
class Controller:
    """A row of a system's controllers; each kind overrides what it does."""

    def prepare(self, physics: Physics, motion: ReferenceMotion, prepared: Prepared) -> dict[str, np.ndarray] | None:
        """Beforehand: arrays (T, ...) of the reference that `command` reads; None where this motion has no use of the
        controller in its steps. `prepared`: what the controllers above it in the table noted."""
        return None

    def offsets(self, physics: Physics, motion: ReferenceMotion, prepared: Prepared) -> TargetOffsets:
        """Beforehand: what to add to the targets of every frame. `prepared`: what all controllers noted."""
        return TargetOffsets()

    def remember(self, state: SimState, noted: Mapping[str, Array], before: Array | None) -> Array | None:
        """In every step: what is kept of it for those to come. `before`: what was kept so far, None in an episode's
        first state. A controller without memory keeps None."""
        return None

    def command(
        self,
        physics: Physics,
        state: SimState,
        reference: ReferenceState,
        noted: Mapping[str, Array],
        memory: Array | None = None,
    ) -> Any:
        """In every step: what `bend` or `correct` adds in the next one. `noted`: `prepare`'s arrays at this frame."""
        return jnp.zeros(())

    def bend(self, turns: Float[Array, "J 3"], command: Any) -> Float[Array, "J 3"]:
        """Add to the turns of a residual action, before they turn the targets."""
        return turns

    def correct(self, control: Control, command: Any) -> Control:
        """Change the PD targets that a residual action made."""
        return control


def ground_is_shared(prepared: Prepared) -> bool:
    """Whether a controller shares the forces of the ground among the feet in every step, instead of the targets."""
    return any("wrench" in noted for noted in prepared.values())
