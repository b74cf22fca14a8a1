"""The report of `bench speed` in one picture: shares of the raw engine, an iteration's time, the others, memory."""

from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from devi_jax.bench.speed.page import TARGETS
from devi_jax.core.files import replacing

BLUE, GREEN, RED, GREY = "#1f4e79", "#2e9e6b", "#c8553d", "#9aa5b1"


def plot(path: Path, report: dict[str, Any]) -> None:
    """Write a PNG with a panel for each part that has figures."""
    panels = [_shares, _time]
    if any("rate" in r for r in report["rivals"].values()):
        panels.append(_others)
    if report["memory"]:
        panels.append(_memory)
    with matplotlib.rc_context({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(2.9 * len(panels), 2.4), dpi=130, layout="constrained")
        for axis, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            panel(axis, report)
        with replacing(path) as temporary:
            figure.savefig(temporary)


def _shares(axis: Axes, report: dict[str, Any]) -> None:
    names = ["environment", "rollout", "iteration"]
    axis.bar(names, [report["ratios"][n] for n in names], color=[BLUE, GREY, GREEN], width=0.6)
    for i, name in enumerate(names):
        if name in TARGETS:
            axis.plot([i - 0.4, i + 0.4], [TARGETS[name]] * 2, color=RED, linewidth=1)
    axis.axhline(1.0, color=GREY, linewidth=0.6, linestyle=":")
    axis.set_title("share of the raw engine's rate (red: target)", fontsize=8, loc="left")


def _time(axis: Axes, report: dict[str, Any]) -> None:
    phases, left = report["phases"], 0.0
    physics = phases["samples"] / report["rates"]["raw"]
    parts = {
        "raw physics": (physics, BLUE),
        "rest of acting": (max(phases["collect"] - physics, 0.0), GREY),
        "learning": (phases["learn"], GREEN),
    }
    for name, (seconds, colour) in parts.items():
        axis.barh([0], [seconds], left=left, color=colour, label=f"{name} {seconds:.2f} s", height=0.4)
        left += seconds
    axis.set_yticks([])
    axis.set_ylim(-0.4, 1.2)
    axis.legend(frameon=False, fontsize=7, loc="upper left")
    axis.set_xlabel("seconds of one iteration")


def _others(axis: Axes, report: dict[str, Any]) -> None:
    rivals = {name: r["rate"] for name, r in report["rivals"].items() if "rate" in r}
    rates = {
        "this: environment": report["rates"]["environment"],
        "this: training": report["rates"]["iteration"],
        **rivals,
    }
    axis.barh(list(rates)[::-1], list(rates.values())[::-1], color=[GREY] * len(rivals) + [GREEN, BLUE], height=0.6)
    axis.set_xscale("log")
    axis.set_xlabel("steps a second")


def _memory(axis: Axes, report: dict[str, Any]) -> None:
    for name, colour in (("raw", GREY), ("environment", BLUE)):
        points = [(m["environments"], m[name] / 1e6) for m in report["memory"] if isinstance(m[name], int)]
        axis.plot(*zip(*points, strict=True), marker="o", markersize=3, color=colour, label=name) if points else None
    axis.set_ylim(bottom=0)
    axis.set_xlabel("environments")
    axis.set_title("peak memory, MB", fontsize=8, loc="left")
    axis.legend(frameon=False, fontsize=7)
