"""The targets that learning is measured against, and how far medians over clips and seeds are from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

import numpy as np

from devi_jax.bench.evidence import beats_all, counts, graded_rate, rate, verdict
from devi_jax.bench.learning.jobs import CAPTURE, DEMO, FULL, SEEDS
from devi_jax.bench.result_files import Result
from devi_jax.datasets.bundled_sets import SUITE


@dataclass(frozen=True)
class LearningTarget:
    """Shares of perturbed starts, `easy` and `hard`, from which half of the policies should succeed.

    `clips`: names, or patterns of names. `cells`: how many clips in a grade that is, each with every seed. `minutes`:
    of learning, within which.
    """

    label: str
    clips: tuple[str, ...]
    grades: tuple[str, ...]
    cells: int
    root: str
    minutes: float
    easy: float
    hard: float


TARGETS = (
    LearningTarget("demo clip, free root", DEMO[:1], DEMO[1:], 1, "free", 6, 0.97, 0.85),
    LearningTarget("tabletop-8, mild and rough, pinned", SUITE, ("mild", "rough"), 16, "pinned", 10, 0.95, 0.70),
    LearningTarget("tabletop-8, mild and rough, free root", SUITE, ("mild", "rough"), 16, "free", 20, 0.90, 0.60),
    LearningTarget("ParaHome, pinned", ("parahome_*",), (CAPTURE,), 4, "pinned", 20, 0.80, 0.40),
)

HEAD = ["", "runs that count", "policy, easy", "policy, hard", "better than all that is none", "worse than its targets"]
"""Of a table with a line a target. What a policy turns around, its targets, is a plan, or the clip's, which follow."""


def of_target(rows: Sequence[Result], target: LearningTarget) -> list[Result]:
    """The rows a target speaks of, trivial clips among them: its clips, grades and root, and the recipe as it is."""
    return [
        row
        for row in rows
        if row["root"] == target.root
        and row["grade"] in target.grades
        and row["variant"] == FULL
        and any(fnmatch(row["clip"], pattern) for pattern in target.clips)
        and row["minutes"] <= target.minutes
    ]


def target_line(rows: Sequence[Result], target: LearningTarget) -> list[str]:
    """A target's line: medians over its rows that count, and in how many the policy is better, or worse.

    A median of some runs of many is told, and is no verdict.
    """
    every = of_target(rows, target)
    mine = [row for row in every if counts(row)]
    left_out = len(every) - len(mine)
    runs = SEEDS * target.cells
    whole = len(every) >= runs
    judged_rows = [row["evaluation"] for row in mine]
    better = sum(beats_all(e) for e in judged_rows)
    worse = sum(bool(e) and "worse" in (verdict(e, "plan"), verdict(e, "follow")) for e in judged_rows)
    return [
        f"{target.label}, {target.minutes:g} min",
        f"{len(mine)} of {runs}" + (f" ({left_out} trivial left out)" if left_out else ""),
        judged([_failed_is_zero(e, rate(e)) for e in judged_rows], target.easy, whole),
        judged([_failed_is_zero(e, graded_rate(e, "hard")) for e in judged_rows], target.hard, whole),
        f"{better} of {len(mine)}" if mine else "-",
        f"{worse} of {len(mine)}" if mine else "-",
    ]


def _failed_is_zero(evaluation: Result | None, value: float | None) -> float | None:
    return value if evaluation else 0.0


def judged(rates: Sequence[float | None], wanted: float, whole: bool = True) -> str:
    """The median beside its target: met, or by how much it is missed; only a number unless it is of the `whole`. None:
    not measured."""
    there = [r for r in rates if r is not None]
    aim = f"(≥ {100 * wanted:.0f} %)"
    if not there:
        return f"{'not measured' if rates else 'not run'} {aim}"
    median = float(np.median(there))
    if not whole:
        return f"{100 * median:.0f} % so far {aim}"
    if median >= wanted:
        return f"**{100 * median:.0f} %**, met {aim}"
    return f"{100 * median:.0f} %, missed by {100 * (wanted - median):.0f} points {aim}"
