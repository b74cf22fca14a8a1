"""What a run without learning leaves behind: what its targets come to, and no policy."""

import json
from dataclasses import replace
from functools import partial

import jax.numpy as jnp
import pytest

from devi_jax.core.clip import crop
from devi_jax.evaluation.evaluate import evaluate
from devi_jax.evaluation.rollouts import zero_policy
from devi_jax.runs.run_dir import RunDir
from devi_jax.training import report
from tests.short import cut

COUNT, SEED = 3, 1000


@pytest.fixture(scope="module")
def short(assembly):
    """Twenty frames around the first contact."""
    return replace(assembly, environment=cut(assembly.environment, 45, 65), raw=None)


def test_targets_are_judged_by_the_truth_as_by_their_own_clip_where_that_is_it(short, lift_can):
    full = evaluate(short, zero_policy(), SEED, COUNT, truth=crop(lift_can, 45, 65))[0]
    told = report.unlearned(full)
    name = report.turned_around(told)
    for grade, sides in told["truth"]["grades"].items():
        assert sides["success"] == told["grades"][grade]["success"] and "policy" not in sides["interval"]
    assert told["truth"]["exact"] == pytest.approx({k: v for k, v in told[name]["exact"].items() if k != "reward"})
    line = report.targets_line(told)
    assert "by the truth lift_can: from easy" in line and "by the truth" not in report.targets_line(
        {**told, "truth": None}
    )


@pytest.mark.slow
def test_a_run_that_only_plans_reports_its_targets_and_no_policy(short, tmp_path, monkeypatch, capsys):
    planned = short.environment.with_targets(jnp.roll(short.environment.reference.target, 3, axis=0))
    searched = replace(short, environment=planned, raw=short.environment)
    monkeypatch.setattr(report, "evaluate", partial(evaluate, count=COUNT))
    for assembly, name, said in ((searched, "plan", "the plan's targets"), (short, "follow", "no plan was better")):
        run = RunDir(tmp_path / name)
        run.path.mkdir()
        report.report_plan(run, assembly, film=False)
        told, printed = json.loads(run.evaluation_json.read_text()), capsys.readouterr().out
        full = evaluate(assembly, zero_policy(), SEED, COUNT)[0]
        assert "policy" not in run.evaluation_json.read_text() and set(told["grades"]) == {"easy", "hard"}
        assert set(told) == set(full) - {"exact", "perturbed", "versus", "noisy"}
        # that of the zero policy, whose numbers they are
        assert told[name]["exact"] == full["exact"]
        for grade, sides in told["grades"].items():
            assert sides["success"][name] == full["grades"][grade]["success"]["policy"]
        assert said in printed and f"easy {told['grades']['easy']['success'][name]:.0%}" in printed
