"""The targets that learning is measured against, and how far medians over clips and seeds are from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from devi_jax.bench.learning.jobs import FULL
from devi_jax.bench.result_files import Result
from devi_jax.datasets.bundled_sets import SUITE


@dataclass(frozen=True)
class LearningTarget:
    """Minutes of training within which half of the runs of a root and some grades should be so far."""

    label: str
    root: str
    grades: tuple[str, ...]
    minutes: dict[str, float]


TARGETS = (
    LearningTarget(
        "pinned pelvis, clean and mild",
        "pinned",
        ("clean", "mild"),
        {"plan": 1, "success": 3, "parity": 5, "perturbed_80": 10},
    ),
    LearningTarget(
        "pinned pelvis, rough", "pinned", ("rough",), {"plan": 2, "success": 5, "parity": 10, "perturbed_60": 15}
    ),
    LearningTarget(
        "whole body, free root, clean and mild",
        "free",
        ("clean", "mild"),
        {"plan": 2, "success": 10, "parity": 20, "perturbed_60": 45},
    ),
)


def of_target(rows: Sequence[Result], target: LearningTarget) -> list[Result]:
    """The rows a target speaks of: suite clips of its root and grades, the recipe as it is, trained long enough."""
    return [
        row
        for row in rows
        if row["root"] == target.root
        and row["grade"] in target.grades
        and row["variant"] == FULL
        and row["clip"] in SUITE
        and row["minutes"] >= max(target.minutes.values())
    ]


def times(rows: Sequence[Result], stage: str) -> np.ndarray:
    """Minutes until each row reached a stage; infinite for one that never did, or ended in an error."""
    return np.array([row["stages"].get(stage, {}).get("minutes", np.inf) for row in rows])


def in_words(minutes: np.ndarray) -> str:
    """The median, and how many never arrived."""
    count, never = len(minutes), int(np.isinf(minutes).sum())
    if not count:
        return "-"
    median = float(np.median(minutes))
    if np.isinf(median):
        return f"never in {never} of {count}" if never < count else "never"
    return f"{median:.1f}" + (f" ({never} of {count} never)" if never else "")


def judged(minutes: np.ndarray, wanted: float) -> str:
    """The median beside its target: met, or by how much it is missed."""
    if not len(minutes):
        return f"not run (≤ {wanted:g})"
    median = float(np.median(minutes))
    if median <= wanted:
        return f"**{in_words(minutes)} min**, met (≤ {wanted:g})"
    by = f" min, missed by {median - wanted:.1f} min" if np.isfinite(median) else ", missed"
    return f"{in_words(minutes)}{by} (≤ {wanted:g})"
