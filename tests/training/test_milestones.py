"""When what was reached: once, in order, over a resume."""

import json

import pytest

from devi_jax.training.milestones import Milestones


def test_a_stage_is_reached_once_and_kept_in_the_run_folder(tmp_path):
    stages = Milestones(tmp_path)
    assert stages.reach("plan", 0, attempt="search 1") and not stages.reach("plan", 100)
    rows = json.loads((tmp_path / "stages.json").read_text())
    assert [(r["stage"], r["steps"], r["attempt"]) for r in rows] == [("plan", 0, "search 1")]
    assert 0 <= rows[0]["minutes"] < 0.1
    assert stages.reach("success", 1, minutes=2.5)
    assert json.loads((tmp_path / "stages.json").read_text())[1]["minutes"] == 2.5


@pytest.mark.parametrize(
    ("scalars", "reached"),
    [
        ({}, []),
        ({"evaluation/success": 1.0, "evaluation/parity": 0.0, "evaluation/perturbed_success": 0.59}, ["success"]),
        ({"evaluation/success": 1.0, "evaluation/perturbed_success": 0.6}, ["success", "perturbed_60"]),
        (
            {"evaluation/success": 1.0, "evaluation/parity": 1.0, "evaluation/perturbed_success": 0.8},
            ["success", "parity", "perturbed_60", "perturbed_80"],
        ),
    ],
)
def test_stages_of_a_policy_follow_from_what_a_glance_sees(scalars, reached, tmp_path):
    stages = Milestones(tmp_path)
    assert stages.judge(scalars, 8192) == reached
    assert stages.judge(scalars, 16384) == []


def test_the_clock_goes_on_where_a_run_was_interrupted(tmp_path):
    (tmp_path / "stages.json").write_text(json.dumps([{"stage": "plan", "minutes": 7.5, "steps": 0}]))
    again = Milestones(tmp_path)
    assert 7.5 <= again.minutes < 7.6 and not again.reach("plan", 0) and again.reach("success", 5)
