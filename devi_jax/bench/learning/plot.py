"""The learning curves of all rows in one picture: success from perturbed starts over minutes, beside the replay's."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from devi_jax.bench.evidence import rate
from devi_jax.bench.learning.jobs import FULL
from devi_jax.bench.result_files import Result
from devi_jax.core.files import replacing

COLOURS = {"clean": "#1f4e79", "mild": "#2e9e6b", "rough": "#c8553d", "capture": "#7a5195"}


COLUMNS = 6
"""Small plots side by side."""


def plot(path: Path, rows: Sequence[Result]) -> bool:
    """Write a PNG with a small plot for each clip and root, a line a run; whether there was anything to draw."""
    shown = panels(rows)
    if not shown:
        return False
    columns = min(COLUMNS, len(shown))
    lines = -(-len(shown) // columns)
    with matplotlib.rc_context({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(max(4.0, 2.4 * columns), 1.9 * lines), dpi=130, layout="constrained")
        axes = figure.subplots(lines, columns, squeeze=False, sharey=True).ravel()
        for axis, ((clip, root), mine) in zip(axes, shown.items(), strict=False):
            _lines(axis, mine)
            axis.set_title("\n".join([*textwrap.wrap(clip, 30), root]), fontsize=8, loc="left")
            axis.set_xlabel("minutes")
        for axis in axes[len(shown) :]:
            axis.set_axis_off()
        with replacing(path) as temporary:
            figure.savefig(temporary)
    return True


def panels(rows: Sequence[Result]) -> dict[tuple[str, str], list[Result]]:
    """The runs of the whole recipe that were judged on the way, by clip and root; pinned ones first."""
    found: dict[tuple[str, str], list[Result]] = {}
    for row in sorted(rows, key=lambda r: r["root"] != "pinned"):
        if row["variant"] == FULL and any(p["perturbed"] is not None for p in row["curve"]):
            found.setdefault((row["clip"], row["root"]), []).append(row)
    return found


def _lines(axis: Axes, rows: Sequence[Result]) -> None:
    named = set()
    for row in rows:
        points = [p for p in row["curve"] if p["perturbed"] is not None]
        label = None if row["grade"] in named else row["grade"]
        named.add(row["grade"])
        x, y = ([p[key] for p in points] for key in ("minutes", "perturbed"))
        axis.plot(x, y, color=COLOURS[row["grade"]], linewidth=1.0, label=label)
    for grade in sorted(named):
        axis.axhline(_replay(rows, grade), color=COLOURS[grade], linewidth=0.8, linestyle=":")
    axis.set_ylim(-0.02, 1.02)
    axis.margins(x=0.02)
    if named:
        axis.legend(frameon=False, fontsize=7)


def _replay(rows: Sequence[Result], grade: str) -> float:
    """The median share from which the replay of a grade succeeds, nan where nobody measured it."""
    rates = (rate(row["evaluation"], "reference") for row in rows if row["grade"] == grade)
    known = [r for r in rates if r is not None]
    return float(np.median(known)) if known else float("nan")
