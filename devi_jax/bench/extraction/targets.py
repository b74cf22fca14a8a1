"""What extraction should reach on scripted videos, and how far the measured rows are from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from devi_jax.bench.result_files import Result

PAPER = {
    "GVHMR": ((31.2, 28.3, 29.3), (0.76, 0.073), 94.9),
    "DeVI without alignment": ((31.2, 25.6, 27.4), (0.73, 0.100), 101.0),
    "DeVI": ((26.2, 3.74, 11.0), (1.00, 0.864), 18.7),
}
"""DeVI's Table 2: pixel MPJPE of body, hands and all, contact precision at 0.1 and 0.025 m, d_HOI in mm."""

STAGES = ("raw", "unified", "aligned", "gripped")


@dataclass(frozen=True)
class ExtractionTarget:
    """One figure of a row and its bound; `least` where more is better."""

    label: str
    limit: float
    value: Callable[[Result], float]
    unit: str = ""
    least: bool = False

    def met(self, value: float) -> bool:
        """Whether a value is within the bound."""
        return bool(value >= self.limit if self.least else value <= self.limit)


def of(row: Result, stage: str, *keys: str | int) -> float:
    """A figure of a stage; NaN where there is none."""
    found = row["measured"]["stages"].get(stage)
    for key in keys:
        found = None if found is None else found[key]
    return number(found)


def number(value: float | None) -> float:
    """A figure, or NaN where JSON has null."""
    return float("nan") if value is None else float(value)


def precise(row: Result, stage: str) -> float:
    """Contact precision at 0.025 m over all frames of contact."""
    return of(row, stage, "held", "precision", 1)


def gain(worse: float, better: float) -> float:
    """How many times as good; infinite from nothing to something, 1 from nothing to nothing."""
    return worse / better if better else (1.0 if worse == 0 else float("inf"))


def _hands(key: str, *phases: str) -> Callable[[Result], float]:
    found = min if key == "found" else max
    return lambda r: found(number(r["measured"]["hands"][key][p]) for p in phases)


TARGETS = (
    ExtractionTarget(
        "acting hands found, in the worst phase", 0.95, _hands("found", "reach", "grasp", "lift"), least=True
    ),
    ExtractionTarget("hands at their own side", 0.99, lambda r: number(r["measured"]["hands"]["sides"]), least=True),
    ExtractionTarget("hand points, median in reach", 4, _hands("px", "reach"), "px"),
    ExtractionTarget("hand points, median in grasp and lift, the worse", 7, _hands("px", "grasp", "lift"), "px"),
    ExtractionTarget("wrist at contact", 30, lambda r: 1e3 * of(r, "aligned", "wrist_contact_m"), "mm"),
    ExtractionTarget("upper-body MPJPE", 30, lambda r: 1e3 * of(r, "aligned", "upper_m"), "mm"),
    ExtractionTarget("tracks, median", 1, lambda r: number(r["measured"]["tracks"]["median_px"]), "px"),
    ExtractionTarget("tracks, 95th percentile", 3, lambda r: number(r["measured"]["tracks"]["p95_px"]), "px"),
    ExtractionTarget("contact labels, F1", 0.9, lambda r: number(r["measured"]["labels"]["f1"]), least=True),
    ExtractionTarget(
        "contact labels, onset off by", 4, lambda r: abs(number(r["measured"]["labels"]["onset_frames"])), "frames"
    ),
)
"""Of each scripted video."""

DONE = (
    ExtractionTarget(
        "hand pixel MPJPE against the estimators' 2D, unified over aligned",
        4,
        lambda r: gain(of(r, "unified", "px_seen", "hand"), of(r, "aligned", "px_seen", "hand")),
        "x",
        least=True,
    ),
    ExtractionTarget(
        "contact precision at 0.025 m, aligned over unified",
        4,
        lambda r: gain(precise(r, "aligned"), precise(r, "unified")),
        "x",
        least=True,
    ),
    ExtractionTarget("body and hand pixel MPJPE, aligned", 11.0, lambda r: of(r, "aligned", "px_seen", "all"), "px"),
)
"""As in the paper (25.6 to 3.74 px, 0.100 to 0.864, 11.0 px)."""


def judged(target: ExtractionTarget, rows: Sequence[Result]) -> list[str]:
    """The bound, the median over rows and the worst of them, how many meet it, and whether the median does."""
    values = np.array([target.value(row) for row in rows])
    values = values[~np.isnan(values)]
    sign = "\u2265" if target.least else "\u2264"
    bound = f"{sign} {target.limit:g} {target.unit}".rstrip()
    if not len(values):
        return [target.label, bound, "-", "-", "-", "not measured"]
    median, worst = float(np.median(values)), float(values.min() if target.least else values.max())
    count = sum(target.met(v) for v in values)
    verdict = "**met**" if target.met(median) else "missed"
    return [target.label, bound, short(median), short(worst), f"{count} of {len(values)}", verdict]


def short(value: float) -> str:
    """A figure to three digits."""
    if np.isnan(value):
        return "-"
    return "\u221e" if np.isinf(value) else (f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}")
