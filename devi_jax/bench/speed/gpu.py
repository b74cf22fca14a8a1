"""`python -m devi_jax.bench gpu --json=FILE`: a few minutes on any GPU tell what is worth knowing of it.

Each engine at several batch sizes, whole iterations, and a training of a bundled clip; each in a process of its own, so
that one that fails costs only itself. The file is written anew after each, so that what was measured is never lost.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from devi_jax.bench.speed.worker import Result, run_worker
from devi_jax.core.errors import ConfigError, exit_on_error
from devi_jax.core.files import write_text
from devi_jax.runs.json_io import jsonable
from devi_jax.runs.loggers import read_jsonl
from envs.physics import EngineName, HumanRoot

AROUND_TRAINING_S = 150.0
"""Seconds that compilation and evaluation may take beside the minutes of training."""
SPARE_S = 5.0
"""Seconds under which nothing more is begun."""


@dataclass(frozen=True)
class BenchGpuOptions:
    """Measure one GPU, or what this machine has instead."""

    json: Path
    """File of all figures."""
    budget_s: float = 460.0
    """Seconds for everything."""
    engines: tuple[EngineName, ...] = ("warp", "mjx")
    """Engines to measure, the first of which also trains."""
    environments: tuple[int, ...] = (512, 2048, 4096, 8192)
    """Batch sizes; an engine's next one is left out once one has failed."""
    steps: int = 16
    """Control steps of one measurement."""
    repeats: int = 3
    """Measurements, of which the median counts."""
    clip: str = "lift_can"
    """Clip that is simulated and learned."""
    root: HumanRoot = "pinned"
    """Pelvis free or pinned."""
    preset: str = "paper"
    """Sizes of the learner: paper, cpu, or tiny to try the script itself."""
    engine_s: float = 90.0
    """Longest that one measurement may take, compilation included."""
    train_minutes: float = 2.0
    """Minutes of training, beside compilation and evaluation; 0 leaves it out."""


def main(arguments: list[str]) -> None:
    """Entry point."""
    with exit_on_error():
        options = tyro.cli(BenchGpuOptions, args=arguments, prog="python -m devi_jax.bench gpu")
        if options.budget_s <= SPARE_S or not options.engines:
            raise ConfigError("there is nothing to measure", where="--budget-s, --engines", valid="--budget-s=460")
        report = measure(options, run_worker, train)
        print(f"{len(report['stages'])} measurements in {report['wall_s']:.0f} s: {options.json}")


def measure(options: BenchGpuOptions, worker: Callable[..., Result], trainer: Callable[..., Result]) -> dict[str, Any]:
    """All stages that fit the budget; the file holds the finished ones at any time."""
    began = time.monotonic()

    def left() -> float:
        return options.budget_s - (time.monotonic() - began)

    report: dict[str, Any] = {"command": sys.argv, "cores": os.cpu_count(), "stages": []}

    def keep(stage: dict[str, Any]) -> bool:
        report["stages"].append(stage)
        report["wall_s"] = round(time.monotonic() - began, 1)
        _write(options.json, report)
        print(_line(stage), flush=True)
        return "error" not in stage

    common = {"clip": options.clip, "root": options.root, "preset": options.preset, "repeats": options.repeats}
    # training tells most and is begun first, lest the budget run out before it
    if options.train_minutes > 0:
        stage = {"task": "train", "engine": options.engines[0], "minutes": options.train_minutes}
        longest = min(left() - SPARE_S, 60 * options.train_minutes + AROUND_TRAINING_S)
        keep({**stage, **trainer(options, longest)})
    if left() > SPARE_S:
        given = {"engine": options.engines[0], "devices": 1}
        keep({"task": "iteration", **given, **worker(min(options.engine_s, left()), "iteration", **common, **given)})
    for engine in options.engines:
        for count in options.environments:
            if left() <= SPARE_S:
                break
            given = {"engine": engine, "environments": count, "steps": options.steps}
            found = worker(min(options.engine_s, left()), "environment", **common, **given)
            if not keep({"task": "environment", **given, **found}):
                break
    return report


def train(options: BenchGpuOptions, timeout_s: float) -> Result:
    """`devi_jax.train` on the clip, without plan and film, and what it says of itself."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        preset = "paper" if options.preset == "paper" else "cpu"
        command = [sys.executable, "-m", "devi_jax.train", f"--clip={options.clip}", f"--physics={options.engines[0]}"]
        command += [f"--root={options.root}", f"--preset={preset}", f"--minutes={options.train_minutes:g}"]
        command += ["--no-film", "--plan=none", f"--out={out}"]
        if options.preset == "tiny":
            command += ["--ppo.environments=4", "--ppo.horizon=2", "--ppo.minibatch=4", "--ppo.epochs=1"]
        began = time.monotonic()
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=max(timeout_s, 1.0))
            told = {"returncode": done.returncode} if done.returncode == 0 else {"error": done.stderr[-400:]}
        except subprocess.TimeoutExpired:
            told = {"error": f"not done in {timeout_s:.0f} s"}
        curve = read_jsonl(out / "metrics.jsonl") if (out / "metrics.jsonl").exists() else []
        evaluation = out / "evaluation.json"
        return {
            **told,
            "wall_s": round(time.monotonic() - began, 1),
            "command": command[2:],
            "iterations": len(curve),
            "last": curve[-1] if curve else None,
            "evaluation": json.loads(evaluation.read_text()) if evaluation.exists() else None,
        }


def _write(path: Path, report: dict[str, Any]) -> None:
    write_text(path, json.dumps(jsonable(report), indent=1) + "\n")


def _line(stage: dict[str, Any]) -> str:
    what = " ".join(str(stage[k]) for k in ("task", "engine", "environments") if k in stage)
    if "error" in stage:
        return f"{what}: {stage['error'].strip().splitlines()[-1]}"
    rate = f"{stage['rate']:,.0f} steps/s, " if "rate" in stage else ""
    return f"{what}: {rate}{stage['wall_s']:.0f} s in all"
