"""A figure of quality: a number in a unit, two bounds, and the frames in which it is worst."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from devi_jax.core.intervals import true_runs

Verdict = Literal["ok", "unusual", "poor", "not measured"]


@dataclass(frozen=True)
class QualityFigure:
    """What was found, and how much is usual and acceptable.

    `value` is None where nothing tells it. `usual` and `accepted` bound it from above, or from below where `usual` is
    the larger. `frames`: first and last frame of the longest run beyond `usual`, None if no frame is.
    """

    name: str
    value: float | None
    unit: str
    usual: float
    accepted: float
    advice: str
    frames: tuple[int, int] | None = None

    @property
    def verdict(self) -> Verdict:
        """`unusual` beyond `usual`, `poor` beyond `accepted`."""
        if self.value is None:
            return "not measured"
        if self._beyond(self.accepted):
            return "poor"
        return "unusual" if self._beyond(self.usual) else "ok"

    @property
    def bounds(self) -> str:
        """Both bounds in words."""
        sign = ">=" if self.usual > self.accepted else "<="
        return f"{sign} {self.usual:g}, at {'least' if sign == '>=' else 'most'} {self.accepted:g}"

    @property
    def line(self) -> str:
        """One line of a table."""
        value = "-" if self.value is None else f"{self.value:.3g}"
        told = f"  {self.name:<46} {value:>7} {self.unit:<4} {self.verdict:<12} {self.bounds}"
        return told + (f"; frames {self.frames[0]} to {self.frames[1]}" if self.frames and self.verdict != "ok" else "")

    @property
    def record(self) -> dict[str, Any]:
        """What a clip's provenance keeps."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "usual": self.usual,
            "accepted": self.accepted,
            "verdict": self.verdict,
            "frames": list(self.frames) if self.frames else None,
        }

    def _beyond(self, bound: float) -> bool:
        assert self.value is not None
        return not (self.value >= bound if self.usual > self.accepted else self.value <= bound)


def table(figures: Sequence[QualityFigure]) -> str:
    """All figures, a line each."""
    return "\n".join(figure.line for figure in figures)


def of_verdict(figures: Sequence[QualityFigure], verdict: Verdict) -> list[QualityFigure]:
    """The figures of one verdict."""
    return [figure for figure in figures if figure.verdict == verdict]


def longest(beyond: np.ndarray) -> tuple[int, int] | None:
    """First and last frame of the longest run of `beyond` (T,) bool; None where there is none."""
    runs = true_runs(beyond)
    if not runs:
        return None
    run = max(runs, key=len)
    return int(run[0]), int(run[-1])
