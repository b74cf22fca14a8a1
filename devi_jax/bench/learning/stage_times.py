"""Minutes until a stage was reached, of runs in which that means something."""

from collections.abc import Sequence

import numpy as np

from devi_jax.bench.evidence import beats_all, searched
from devi_jax.bench.result_files import Result

PLAN = "plan"


def stage_times(rows: Sequence[Result], stage: str) -> np.ndarray:
    """Minutes until each row reached a stage; infinite for one that never did or does not count; none if none counts.

    A plan counts where one was searched, and rows without are left out. Every other stage is the policy's, and counts
    where the policy ended better than plan and replay: before that, it is they who succeed.
    """
    if stage == PLAN:
        return times([row for row in rows if row["evaluation"] and searched(row["evaluation"])], stage)
    counted = [beats_all(row["evaluation"]) for row in rows]
    return np.where(counted, times(rows, stage), np.inf) if any(counted) else np.array([])


def times(rows: Sequence[Result], stage: str) -> np.ndarray:
    """Minutes until each row passed a stage, whether that means anything or not; infinite for one that never did."""
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
