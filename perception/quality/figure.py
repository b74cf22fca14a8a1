"""A figure of quality: a number in a unit, two bounds, and the frames in which it is worst."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from devi_jax.core.intervals import true_runs
from perception.contracts import EstimateError

Verdict = Literal["ok", "unusual", "poor", "not measured"]


@dataclass(frozen=True)
class QualityFigure:
    """What was found, and how much is usual and acceptable.

    `value` is None where nothing tells it. `usual` and `accepted` bound it from above, or from below where `usual` is
    the larger; an infinite `accepted` refuses nothing. `frames`: first and last frame of the longest run beyond
    `usual`, None if no frame is.
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
        sign, word = (">=", "least") if self.usual > self.accepted else ("<=", "most")
        second = "" if math.isinf(self.accepted) else f", at {word} {self.accepted:g}"
        return f"{sign} {self.usual:g}{second}"

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
            "accepted": None if math.isinf(self.accepted) else self.accepted,
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


def brief(figures: Sequence[QualityFigure]) -> str:
    """How many figures there are of each verdict."""
    verdicts = [figure.verdict for figure in figures]
    return ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in get_args(Verdict))


def refuse_poor(figures: Sequence[QualityFigure], film: str) -> None:
    """Raise `EstimateError` with every figure beyond what is acceptable, if there is one; `film` shows them."""
    poor = of_verdict(figures, "poor")
    if not poor:
        return
    frames = [f"frames {figure.frames[0]} to {figure.frames[1]}" for figure in poor if figure.frames]
    told = [f"{figure.name} {figure.value:.3g} {figure.unit}".rstrip() for figure in poor]
    raise EstimateError(
        f"the clip is not what the film shows: {'; '.join(told)}",
        where=", ".join(frames) or "clip",
        valid="; ".join(figure.bounds for figure in poor),
        fix=f"see {film}; {poor[0].advice}; --accept-poor writes the clip all the same",
    )


def longest(beyond: np.ndarray) -> tuple[int, int] | None:
    """First and last frame of the longest run of `beyond` (T,) bool; None where there is none."""
    runs = true_runs(beyond)
    if not runs:
        return None
    run = max(runs, key=len)
    return int(run[0]), int(run[-1])
