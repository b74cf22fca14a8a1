"""What an engine is: one function from coordinates, spring targets and object to coordinates and sensor readings."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import jax
from jaxtyping import Array, Float

from envs.physics.state import Variation


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Coordinates:
    """MuJoCo's integration state: `qpos` (nq,), `qvel` (nv,), solver warm start (nv,)."""

    qpos: Float[Array, " nq"]
    qvel: Float[Array, " nv"]
    warmstart: Float[Array, " nv"]


@runtime_checkable
class Advance(Protocol):
    """One control step of one environment, pure; usable inside `jit`, `scan` and `vmap`."""

    def __call__(
        self, now: Coordinates, spring: Float[Array, " nq"], variation: Variation
    ) -> tuple[Coordinates, Float[Array, " nsensordata"]]: ...
