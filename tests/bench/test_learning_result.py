"""A run's row: what it keeps, what it leaves out, and that a failure has one too."""

import json

import pytest

from devi_jax.bench.learning.jobs import collect
from devi_jax.bench.result_files import read_results, result_file, write_result
from devi_jax.bench.training_result import POINTS, curve, first_times
from devi_jax.core.errors import RunError


def test_a_row_tells_what_was_run_and_what_came_of_it(trained):
    cell, folder = trained
    row = collect(cell, folder)
    assert (row["clip"], row["grade"], row["root"], row["seed"], row["variant"]) == (
        "lift_can",
        "mild",
        "pinned",
        3,
        "full",
    )
    assert row["status"] == "done" and row["commit"] == "c0ffee" and row["hardware"]["cpus"] == 2
    assert row["environment_steps"] == 8192 * 120 and row["trained_minutes"] == pytest.approx(6.0)
    assert row["evaluation"]["perturbed"] == {"success_rate": 0.75, "rollouts": 64}
    assert row["evaluation"]["plan"]["exact"]["t_obj_mm"] == 9.0 and "mpjpe_body_mm" not in row["evaluation"]["exact"]
    assert row["evaluation"]["versus"]["plan"]["verdict"] == "better"


def test_a_row_keeps_doing_nothing_grades_and_whether_the_clip_is_trivial(trained):
    cell, folder = trained
    file = folder / "evaluation.json"
    evaluation = json.loads(file.read_text())
    grades = {"hard": {"starts": 256, "success": {"policy": 0.4, "nothing": 0.0}}}
    causes = {"mass": {"starts": 64, "success": {"policy": 0.7, "nothing": 0.0}}}
    evaluation |= {"nothing": evaluation["reference"], "trivial": True, "grades": grades, "causes": causes}
    file.write_text(json.dumps(evaluation))
    kept = collect(cell, folder)["evaluation"]
    assert kept["trivial"] is True and kept["grades"] == grades and kept["causes"] == causes
    assert kept["nothing"]["perturbed"] == {"success_rate": 0.75, "rollouts": 64}


def test_a_stage_counts_when_it_is_first_reached(trained):
    cell, folder = trained
    assert collect(cell, folder)["stages"] == {
        "plan": {"minutes": 0.5, "steps": 0},
        "success": {"minutes": 1.5, "steps": 40960},
    }
    assert first_times([]) == {}


def test_a_curve_is_thinned_evenly_and_keeps_its_ends(trained):
    cell, folder = trained
    points = collect(cell, folder)["curve"]
    assert len(points) == POINTS
    assert points[0] == {"minutes": 0.0, "steps": 0, "reward": 0.05, "perturbed": 0.0}
    assert points[-1]["minutes"] == pytest.approx(6.0) and points[-1]["perturbed"] == 1.0
    gaps = [b["minutes"] - a["minutes"] for a, b in zip(points[1:], points[2:], strict=False)]
    assert min(gaps) == pytest.approx(0.1) and max(gaps) <= 0.2 + 1e-6
    few = [{"iteration": i, "evaluation/reward": 0.1} for i in range(3)]
    assert len(curve(few)) == 3


def test_a_training_that_ended_in_an_error_has_a_row_without_evaluation(trained):
    cell, folder = trained
    (folder / "evaluation.json").unlink()
    (folder / "stages.json").unlink()
    row = collect(cell, folder)
    assert (row["status"], row["evaluation"], row["stages"]) == ("failed", None, {})
    assert row["environment_steps"] == 8192 * 120


def test_a_training_that_never_took_a_step_has_none(trained):
    cell, folder = trained
    (folder / "metrics.jsonl").write_text('{"iteration": 0, "evaluation/reward": 0.1}\n')
    with pytest.raises(RunError) as caught:
        collect(cell, folder)
    assert f"{folder.name}.log" in caught.value.fix


def test_a_row_is_small_and_comes_back_as_it_was(trained, tmp_path):
    cell, folder = trained
    row = collect(cell, folder)
    path = write_result(tmp_path / "results", cell.name, row)
    assert path == result_file(tmp_path / "results", cell.name) and path.stat().st_size < 20_000
    assert read_results(tmp_path / "results") == [json.loads(json.dumps(row))]
    assert read_results(tmp_path / "absent") == []


def test_a_broken_row_is_named(tmp_path):
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(RunError) as caught:
        read_results(tmp_path)
    assert "broken.json" in caught.value.where
