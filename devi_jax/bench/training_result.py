"""A training in a process of its own, and what of its run folder a result keeps: small enough to be committed."""

import sys
from collections.abc import Sequence
from pathlib import Path

from devi_jax.bench.evidence import OTHERS
from devi_jax.bench.grid import log_file, run_logged
from devi_jax.bench.result_files import Result, made, read_json
from devi_jax.core.errors import RunError
from devi_jax.runs.loggers import read_jsonl
from devi_jax.runs.run_dir import RunDir

POINTS = 50
"""Points of a result's curve, at most."""

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
"""Scores of an evaluation that a result keeps."""


def run_training(folder: Path, flags: Sequence[str], film: bool = False) -> int:
    """Train into a folder, or go on in it unless it is done; the exit code. What it prints goes to a log.

    `film`: whether the policy is also filmed.
    """
    if RunDir(folder).evaluation_json.exists():
        return 0
    task = [f"--resume={folder}"] if RunDir(folder).config_json.exists() else [*flags, f"--out={folder}"]
    command = [sys.executable, "-m", "devi_jax.train", *([] if film else ["--no-film"]), *task]
    return run_logged(command, log_file(folder))


def outcome(folder: Path, kept: Sequence[str] = KEPT) -> Result:
    """What came of a training, and how it was made. Raises `RunError` as `collect` does."""
    run = RunDir.open(folder)
    told, metrics = run.description(), read_jsonl(run.metrics_jsonl)
    if not any("steps" in line for line in metrics):
        raise RunError("nothing was trained", where=str(folder), fix=f"read {log_file(folder).name} beside it")
    last = [line for line in metrics if "steps" in line][-1]
    evaluation = read_json(run.evaluation_json) if run.evaluation_json.exists() else None
    stages = folder / "stages.json"
    return {
        "trained_minutes": last.get("time/spent_s", 0.0) / 60,
        "environment_steps": int(last["steps"]),
        "status": "failed" if evaluation is None else "done",
        "evaluation": None if evaluation is None else shortened(evaluation, kept),
        "stages": first_times(read_json(stages) if stages.exists() else []),
        "curve": curve(metrics),
        **made(told.get("git"), told.get("machine")),
    }


def shortened(evaluation: Result, kept: Sequence[str] = KEPT) -> Result:
    """An evaluation with the scores that are kept, for the policy and what is none; whether the clip is trivial."""

    sides = {name: scores_of(evaluation[name], kept) for name in OTHERS if evaluation.get(name)}
    noisy = {name: scores.get("success_rate") for name, scores in evaluation.get("noisy", {}).items()}
    told = {key: evaluation[key] for key in ("trivial", "grades", "causes") if key in evaluation}
    return {**scores_of(evaluation, kept), **sides, "versus": evaluation.get("versus", {}), "noisy": noisy, **told}


def scores_of(side: Result, kept: Sequence[str] = KEPT) -> Result:
    """The scores that are kept of the policy, or of what is none: from the exact start and over perturbed ones."""
    return {part: {k: side[part][k] for k in kept if k in side[part]} for part in ("exact", "perturbed")}


def first_times(stages: list[Result]) -> Result:
    """When each stage was first reached: its minutes and steps. Stages that never were are absent."""
    out: Result = {}
    for stage in stages:
        if stage["stage"] in STAGES:
            out.setdefault(stage["stage"], {"minutes": float(stage["minutes"]), "steps": int(stage["steps"])})
    return out


def curve(metrics: list[Result]) -> list[Result]:
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
