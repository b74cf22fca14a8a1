"""Learning curves of a run as small multiples."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from devi_jax.core.files import replacing
from devi_jax.runs.loggers import read_jsonl

COLUMNS = 4
EPISODE = {"episode/reward": "", "episode/length": "frames"}
"""What every run logs, with units."""


def curves(path: Path, metrics_jsonl: Path, units: Mapping[str, str]) -> None:
    """Write a PNG with a small plot over iterations of reward, episode length and each name in `units` that was logged.

    `units`: unit by metric name; a plot's title is the name after its last slash, with `policy:` for an evaluation.

    Raises:
        RunError: when there are no metrics or they cannot be read.
    """
    rows = read_jsonl(metrics_jsonl)
    wanted = {**EPISODE, **units}
    series = {name: _series(rows, name) for name in wanted}
    shown = [name for name, (_, values) in series.items() if len(values)]
    lines = max(1, -(-len(shown) // COLUMNS))
    with matplotlib.rc_context({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(11, 1.9 * lines), dpi=130, layout="constrained")
        axes = figure.subplots(lines, COLUMNS, squeeze=False).ravel()
        for axis, name in zip(axes, shown, strict=False):
            _plot(axis, *series[name], title=_title(name, wanted[name]), unit=wanted[name])
        for axis in axes[len(shown) :]:
            axis.set_axis_off()
        for axis in axes[max(0, len(shown) - COLUMNS) : len(shown)]:
            axis.set_xlabel("iteration")
        with replacing(path) as temporary:
            figure.savefig(temporary)


def _title(name: str, unit: str) -> str:
    """Words for a metric without its unit; the deterministic policy's scores say so."""
    group, _, last = name.rpartition("/")
    last = last.removesuffix(f"_{unit}") if unit else last
    return ("policy: " if group == "evaluation" else "") + last.replace("_", " ")


def _series(rows: Sequence[Mapping[str, Any]], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Iterations (N,) and values (N,) of the rows that have a number under `name`."""
    there = [(row["iteration"], row[name]) for row in rows if row.get(name) is not None]
    pairs = np.array(there, float).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _plot(axis: Axes, iterations: np.ndarray, values: np.ndarray, title: str, unit: str) -> None:
    axis.plot(iterations, values, color="#9bb8d3", linewidth=0.8, marker="." if len(values) < 20 else "")
    if len(values) >= 20:
        axis.plot(iterations, _smooth(values), color="#1f4e79", linewidth=1.4)
    axis.set_title(f"{title} [{unit}]" if unit else title, fontsize=8, loc="left")
    axis.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axis.yaxis.set_major_locator(MaxNLocator(nbins=4))
    axis.margins(x=0.02)


def _smooth(values: np.ndarray) -> np.ndarray:
    """Mean over a centred window of a twentieth of the run, shorter at its ends."""
    half = max(1, len(values) // 40)
    return np.array([values[max(0, i - half) : i + half + 1].mean() for i in range(len(values))])
