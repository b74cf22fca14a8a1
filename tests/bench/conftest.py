"""Rows and run folders as a training would leave them."""

import json
import subprocess
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from devi_jax.bench import clean_tree, row_age
from devi_jax.bench.evidence import OTHERS
from devi_jax.bench.learning.jobs import LearningJob
from devi_jax.bench.result_files import Result
from devi_jax.bench.row_age import Age
from devi_jax.runs import provenance
from tests.bench.comparisons import compared

MakeRow = Callable[..., Result]

YOUNG = defaultdict(lambda: Age(3))
"""Ages of rows whose code is nearly as it is."""


@pytest.fixture(autouse=True)
def committed(monkeypatch):
    """Whatever is changed in the checkout that runs the tests: its code counts as that of a commit."""
    for module in (clean_tree, provenance):
        monkeypatch.setattr(module, "changes", lambda checkout: [])


@pytest.fixture
def young(monkeypatch):
    """Rows count as measured with code that is nearly as it is, whatever commit they name."""
    monkeypatch.setattr(row_age, "age", lambda root, commit, watched: Age(3))


@pytest.fixture
def repository(tmp_path) -> tuple[Path, Callable[..., str]]:
    """An empty git repository, and git in it."""
    root = tmp_path / "repository"
    root.mkdir()

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        command = ["git", "-C", str(root), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-b", "main")
    return root, git


@pytest.fixture
def make_row() -> MakeRow:
    """A row of a cell; `stages` as minutes by name, `rates` of policy, plan, replay and doing nothing under
    perturbation, as far as they were measured."""

    def make(
        clip="lift_can",
        grade="clean",
        root="pinned",
        seed=0,
        variant="full",
        stages=None,
        rates=(0.9, 0.5, 0.2),
        **more,
    ) -> Result:
        def side(rate):
            exact = {"mpjpe_all_mm": 20.0 + seed, "t_obj_mm": 15.0, "alive_share": 0.9 + 0.03 * seed}
            return {"exact": exact, "perturbed": {"success_rate": rate}}

        verdicts = {name: compared("better" if rates[0] > r else "worse") for name, r in _others(rates)}
        evaluation = {**side(rates[0]), "versus": verdicts, **{name: side(r) for name, r in _others(rates)}}
        return {
            "cell": f"{clip}-{grade}-{root}-{variant}-{seed}",
            "clip": clip,
            "grade": grade,
            "root": root,
            "seed": seed,
            "variant": variant,
            "recipe": "devi",
            "flags": [],
            "minutes": 45.0,
            "trained_minutes": 44.5,
            "environment_steps": 1_250_000,
            "status": "done",
            "evaluation": evaluation,
            "stages": {name: {"minutes": m, "steps": 1000} for name, m in (stages or {}).items()},
            "curve": [{"minutes": float(i), "steps": 100 * i, "reward": 0.1, "perturbed": i / 10} for i in range(5)],
            "commit": "0123456789abcdef",
            "dirty": False,
            "hardware": {"platform": "cpu", "device": "cpu", "devices": 1, "cpus": 2},
            "load_average": [1.0, 2.0, 3.0],
            "date": "2026-01-02",
            **more,
        }

    return make


def _others(rates):
    return [(name, rate) for name, rate in zip(OTHERS, rates[1:], strict=False) if rate is not None]


@pytest.fixture
def trained(tmp_path) -> tuple[LearningJob, Path]:
    """A run folder after 120 iterations with an evaluation every second one, and its cell."""
    folder = tmp_path / "runs" / "cell"
    folder.mkdir(parents=True)
    config = {"format": 1, "system": "devi", "seed": 3, "config": {}, "git": {"commit": "c0ffee", "dirty": False}}
    config |= {"machine": {"platform": "cpu", "device": "cpu", "devices": 1, "cpus": 2}}
    (folder / "config.json").write_text(json.dumps(config))
    lines = [{"iteration": 0, "evaluation/reward": 0.05, "evaluation/perturbed_success": 0.0}]
    for i in range(1, 121):
        line = {"iteration": i, "steps": 8192 * i, "time/spent_s": 3.0 * i, "episode/reward": 0.2}
        if i % 2 == 0:
            line |= {"evaluation/reward": 0.05 + i / 1000, "evaluation/perturbed_success": i / 120}
        lines.append(line)
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    scores = {"success": True, "mpjpe_all_mm": 12.0, "t_obj_mm": 9.0, "mpjpe_body_mm": 11.0}
    side = {"exact": scores, "perturbed": {"success_rate": 0.75, "rollouts": 64, "perturbation": {"push_ns": 5.0}}}
    told = {"policy": 0.75, "other": 0.25, **compared("better")}
    evaluation = {**side, "plan": side, "reference": side, "versus": {"plan": told, "reference": told}, "frames": 110}
    (folder / "evaluation.json").write_text(json.dumps(evaluation))
    stages = [
        {"stage": "plan", "minutes": 0.5, "steps": 0},
        {"stage": "success", "minutes": 1.5, "steps": 40960},
        {"stage": "success", "minutes": 3.0, "steps": 81920},
        {"stage": "begun", "minutes": 0.0, "steps": 0},
    ]
    (folder / "stages.json").write_text(json.dumps(stages))
    return LearningJob("lift_can", "mild", "pinned", 3, 6.0), folder
