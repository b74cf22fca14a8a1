"""The learning curves of all rows in one picture: success from perturbed starts over minutes."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from devi_jax.bench.cells import FULL
from devi_jax.bench.store import Row
from devi_jax.core.files import replacing

COLOURS = {"clean": "#1f4e79", "mild": "#2e9e6b", "rough": "#c8553d", "capture": "#7a5195"}


def plot(path: Path, rows: Sequence[Row]) -> bool:
    """Write a PNG with a small plot for each clip and root, a line a run; whether there was anything to draw."""
    rows = [r for r in rows if r["variant"] == FULL and any(p["perturbed"] is not None for p in r["curve"])]
    if not rows:
        return False
    clips = list(dict.fromkeys(r["clip"] for r in rows))
    roots = [root for root in ("pinned", "free") if any(r["root"] == root for r in rows)]
    with matplotlib.rc_context({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False}):
        size = (max(4.0, 2.1 * len(clips)), 1.9 * len(roots))
        figure = Figure(figsize=size, dpi=130, layout="constrained")
        axes = figure.subplots(len(roots), len(clips), squeeze=False, sharey=True)
        for i, root in enumerate(roots):
            for j, clip in enumerate(clips):
                _lines(axes[i, j], [r for r in rows if r["root"] == root and r["clip"] == clip])
                axes[i, j].set_title(f"{clip}, {root}", fontsize=8, loc="left")
        for axis in axes[-1]:
            axis.set_xlabel("minutes")
        with replacing(path) as temporary:
            figure.savefig(temporary)
    return True


def _lines(axis: Axes, rows: Sequence[Row]) -> None:
    named = set()
    for row in rows:
        points = [p for p in row["curve"] if p["perturbed"] is not None]
        label = None if row["grade"] in named else row["grade"]
        named.add(row["grade"])
        x, y = ([p[key] for p in points] for key in ("minutes", "perturbed"))
        axis.plot(x, y, color=COLOURS[row["grade"]], linewidth=1.0, label=label)
    axis.set_ylim(-0.02, 1.02)
    axis.margins(x=0.02)
    if named:
        axis.legend(frameon=False, fontsize=7)
