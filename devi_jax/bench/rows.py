"""A cell's training, and its row: the few numbers of a run that stay, small enough to be committed."""

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

from devi_jax.bench.cells import Cell
from devi_jax.core.errors import RunError
from devi_jax.runtime.files import write_json
from devi_jax.runtime.loggers import read_jsonl
from devi_jax.runtime.rundir import RunDir

POINTS = 50
"""Points of a row's curve, at most."""

STAGES = ("plan", "success", "parity", "perturbed_60", "perturbed_80")
"""What a training is timed by: a plan found; its policy successful, at parity, at 60 and 80 % of perturbed starts."""

KEPT = (
    "success",
    "parity",
    "success_paper",
    "success_rate",
    "parity_rate",
    "mpjpe_all_mm",
    "t_obj_mm",
    "t_obj_end_mm",
    "o_obj_rad",
    "lift_ratio",
    "end_ratio",
    "contact_share",
    "duration_s",
    "alive_share",
    "reward",
    "rollouts",
)
"""Scores of an evaluation that a row keeps."""

Row = dict[str, Any]

UNTIL = 0.95
"""Share of perturbed starts at which a cell has nothing left to show, and stops before its minutes are over."""


def train(cell: Cell, folder: Path) -> int:
    """Train a cell in a process of its own, or go on where it was interrupted; its exit code. Output goes to a log."""
    command = [sys.executable, "-m", "devi_jax.train", "--no-film", *_task(cell, folder)]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{cell.name}.log").open("a") as log:
        return subprocess.run(command, stdout=log, stderr=subprocess.STDOUT).returncode


def _task(cell: Cell, folder: Path) -> list[str]:
    if RunDir(folder).config_json.exists():
        return [f"--resume={folder}"]
    told = {"clip": cell.source, "root": cell.root, "seed": cell.seed, "minutes": f"{cell.minutes:g}", "out": folder}
    told |= {"until": UNTIL, "checkpoint-every": 10}
    return [f"--{name}={value}" for name, value in told.items()] + list(cell.flags)


def collect(cell: Cell, folder: Path) -> Row:
    """The row of a trained cell. A training that ended in an error has a row too, with no evaluation.

    Raises:
        RunError: when the run never took a step, or one of its files is not readable.
    """
    run = RunDir.open(folder)
    told, metrics = run.description(), read_jsonl(run.metrics_jsonl)
    if not any("steps" in line for line in metrics):
        raise RunError("the cell was not trained", where=str(folder), mend=f"read {cell.name}.log beside it")
    last = [line for line in metrics if "steps" in line][-1]
    evaluation = _read(run.evaluation_json) if run.evaluation_json.exists() else None
    stages, git = folder / "stages.json", told.get("git") or {}
    return {
        "cell": cell.name,
        "clip": Path(cell.clip).stem,
        "grade": cell.grade,
        "root": cell.root,
        "seed": cell.seed,
        "variant": cell.variant,
        "recipe": told["config"].get("recipe", told["system"]),
        "flags": list(cell.flags),
        "minutes": cell.minutes,
        "trained_minutes": last.get("time/spent_s", 0.0) / 60,
        "environment_steps": int(last["steps"]),
        "status": "failed" if evaluation is None else "done",
        "evaluation": None if evaluation is None else shortened(evaluation),
        "stages": first_times(_read(stages) if stages.exists() else []),
        "curve": curve(metrics),
        "commit": git.get("commit"),
        "dirty": git.get("dirty"),
        "hardware": told.get("machine"),
        "load_average": [round(x, 2) for x in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "date": date.today().isoformat(),
    }


def shortened(evaluation: Row) -> Row:
    """An evaluation with the scores that are kept, for policy, plan and replay."""

    def some(side: Row) -> Row:
        return {part: {k: side[part][k] for k in KEPT if k in side[part]} for part in ("exact", "perturbed")}

    sides = {name: some(evaluation[name]) for name in ("plan", "reference") if evaluation.get(name)}
    noisy = {name: scores.get("success_rate") for name, scores in evaluation.get("noisy", {}).items()}
    return {**some(evaluation), **sides, "versus": evaluation.get("versus", {}), "noisy": noisy}


def first_times(stages: list[Row]) -> Row:
    """When each stage was first reached: its minutes and steps. Stages that never were are absent."""
    out: Row = {}
    for stage in stages:
        if stage["stage"] in STAGES:
            out.setdefault(stage["stage"], {"minutes": float(stage["minutes"]), "steps": int(stage["steps"])})
    return out


def curve(metrics: list[Row]) -> list[Row]:
    """The evaluations during training, evenly thinned, the first and the last kept."""
    seen = [line for line in metrics if line.get("evaluation/reward") is not None]
    if len(seen) > POINTS:
        seen = [seen[round(i * (len(seen) - 1) / (POINTS - 1))] for i in range(POINTS)]
    return [
        {
            "minutes": round(line.get("time/spent_s", 0.0) / 60, 3),
            "steps": int(line.get("steps", 0)),
            "reward": round(line["evaluation/reward"], 4),
            "perturbed": line.get("evaluation/perturbed_success"),
        }
        for line in seen
    ]


def row_file(results: Path, cell: Cell) -> Path:
    """Where a cell's row lies."""
    return results / f"{cell.name}.json"


def read_rows(results: Path) -> list[Row]:
    """All rows, by name. Raises `RunError` for one that cannot be read."""
    return [_read(path) for path in sorted(results.glob("*.json"))]


def write_row(results: Path, cell: Cell, row: Row) -> Path:
    """Write a row, whole or not at all."""
    path = row_file(results, cell)
    write_json(path, row)
    return path


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise RunError(f"not readable ({error})", where=str(path), mend="remove it and run the cell again") from error
