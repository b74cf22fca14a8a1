"""What an error of a reward is measured in, and when it means anything: written above the function itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from jaxtyping import Array, Float

from devi_jax.core.sim_state import ReferenceState, SimState

ErrorFunction = Callable[[SimState, ReferenceState], Float[Array, "..."]]
"""From what the simulation shows and what it should show to an error in a unit; of several parts (hands) one each."""
F = TypeVar("F", bound=Callable)
Gate = Callable[[ReferenceState], Array]
"""Which parts of an error count at a frame."""


@dataclass(frozen=True)
class MeasureInfo:
    """`unit` of the error. `needs`: field of the reference without which it does not apply. `gate`: where it is false
    the error does not count, and the factor of its reward is 1."""

    unit: str = ""
    needs: str | None = None
    gate: Gate | None = None


def measured(unit: str, *, needs: str | None = None, gate: Gate | None = None) -> Callable[[F], F]:
    """Decorator that notes what a function measures; the function stays as it is."""

    def note(function: F) -> F:
        function.__dict__["error_info"] = MeasureInfo(unit, needs, gate)
        return function

    return note


def measure_info(function: Callable) -> MeasureInfo:
    """What `measured` noted of a function; nothing of one that it did not decorate."""
    return function.__dict__.get("error_info", MeasureInfo())
