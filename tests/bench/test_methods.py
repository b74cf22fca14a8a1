"""Filling the tables of a comparison: every combination once, resumable, and a failure that stays."""

import shutil
from dataclasses import replace

import pytest

from devi_jax import compare
from devi_jax.bench.grid import last_error, log_file
from devi_jax.bench.methods.jobs import ComparisonJob, collect, comparison, named_clips
from devi_jax.bench.result_files import read_results
from devi_jax.core.errors import ConfigError
from devi_jax.datasets.bundled_sets import SUITE
from devi_jax.systems import NAMES
from devi_jax.training.train_options import read_early, read_options


def test_a_seed_of_everything_comes_before_another_seed_of_anything():
    cells = comparison(["a", "b"], ["devi", "physhoi"], ["pinned"], 2, 3.0, "fast")
    assert [(c.seed, c.clip, c.system) for c in cells] == [
        (seed, clip, system) for seed in (0, 1) for clip in "ab" for system in ("devi", "physhoi")
    ]
    assert len({c.name for c in cells}) == 8


def test_every_setting_is_in_the_name():
    cell = ComparisonJob("lift_can-mild", "devi", "pinned", 0, 3.0, "fast")
    others = [
        replace(cell, **change)
        for change in (
            {"clip": "x/lift_box.npz"},
            {"system": "physhoi"},
            {"root": "free"},
            {"seed": 1},
            {"minutes": 2.5},
            {"recipe": "paper"},
            {"iterations": 40},
        )
    ]
    assert len({c.name for c in (cell, *others)}) == 8
    assert cell.budget == "3 minutes" and others[-1].budget == "40 iterations"


def test_clips_are_sets_names_and_files(tmp_path):
    file = tmp_path / "kettle.npz"
    file.touch()
    assert named_clips(["tabletop-8"], "mild") == [f"{name}-mild" for name in SUITE]
    assert named_clips(["tabletop-8"], "clean") == list(SUITE)
    assert named_clips(["lift_can", "hat-rough", str(file)], "mild") == ["lift_can-mild", "hat-rough", str(file)]
    with pytest.raises(ConfigError) as caught:
        named_clips(["lift_cann"], "clean")
    assert "lift_can" in caught.value.what and "tabletop-8" in caught.value.valid


@pytest.mark.parametrize("system", NAMES)
def test_the_flags_of_a_cell_are_flags_of_training(system):
    cell = ComparisonJob("lift_can-mild", system, "pinned", 2, 2.5, "paper")
    options = read_options(cell.flags, read_early(cell.flags))
    run = options.run
    assert (options.early.method, run.recipe, run.plan, run.root, run.seed) == (system, "paper", "none", "pinned", 2)
    assert (run.clip, run.minutes, run.until, run.system.name) == ("lift_can-mild", 2.5, None, system)
    flags = replace(cell, iterations=40).flags
    options = read_options(flags, read_early(flags))
    assert (options.run.iterations, options.run.minutes, options.early.method) == (40, None, system)


@pytest.fixture
def bench(tmp_path, trained, young, monkeypatch):
    """Run `compare` with a training that copies a finished run; returns a caller, the cells trained, and the folder."""
    _, finished = trained
    calls = []

    def train(cell, folder):
        calls.append(cell.name)
        shutil.copytree(finished, folder)
        return 0

    monkeypatch.setattr(compare, "train", train)
    where = [f"--runs={tmp_path / 'cells'}", f"--out={tmp_path / 'docs' / 'compare'}"]
    task = ["--clips", "lift_can", "--seeds=1", "--minutes=2"]
    return lambda *flags: compare.main([*task, *flags, *where]), calls, tmp_path


def test_cells_are_trained_once_and_what_has_a_row_is_skipped(bench, capsys):
    run, calls, folder = bench
    run("--systems=devi,physhoi", "--limit=1")
    assert calls == ["lift_can-mild-devi-pinned-fast-2min-0"]
    run("--systems", "devi", "physhoi")
    assert calls[1:] == ["lift_can-mild-physhoi-pinned-fast-2min-0"]
    run("--systems=devi,physhoi")
    assert len(calls) == 2
    text = (folder / "docs" / "compare.md").read_text()
    assert "| lift_can-mild | yes | PhysHOI | 0.75 |" in text and text in capsys.readouterr().out


def test_list_tells_and_does_nothing(bench, capsys):
    run, calls, folder = bench
    run("--list", "--systems=devi")
    assert capsys.readouterr().out.split() == ["missing", "lift_can-mild-devi-pinned-fast-2min-0"] and not calls
    assert not (folder / "docs").exists()


def test_what_could_not_begin_is_a_failure_with_its_reason_and_the_rest_goes_on(bench, monkeypatch, capsys):
    run, calls, folder = bench
    train = compare.train

    def broken(cell, where):
        if cell.system != "physhoi":
            return train(cell, where)
        log_file(where).parent.mkdir(parents=True, exist_ok=True)
        log_file(where).write_text("device: cpu\nerror: this clip knows its object only in 2D\n  where: --clip\n")
        return 2

    monkeypatch.setattr(compare, "train", broken)
    run("--systems=physhoi,devi")
    rows = {row["system"]: row for row in read_results(folder / "docs" / "compare")}
    assert rows["physhoi"]["status"] == "failed" and rows["devi"]["status"] == "done"
    assert rows["physhoi"]["error"] == "this clip knows its object only in 2D" and rows["devi"]["error"] is None
    assert "FAILED: this clip" in capsys.readouterr().out
    assert "failed: this clip knows" in (folder / "docs" / "compare.md").read_text()


def test_an_interrupted_training_has_no_row_and_goes_on_the_next_time(bench, trained, monkeypatch, capsys):
    run, calls, folder = bench

    def killed(cell, where):
        shutil.copytree(trained[1], where)
        (where / "evaluation.json").unlink()
        return -9

    train = compare.train
    monkeypatch.setattr(compare, "train", killed)
    run("--systems=devi")
    assert "interrupted" in capsys.readouterr().out and not read_results(folder / "docs" / "compare")
    shutil.rmtree(folder / "cells")
    monkeypatch.setattr(compare, "train", train)
    run("--systems=devi")
    assert len(calls) == 1 and len(read_results(folder / "docs" / "compare")) == 1


def test_a_row_keeps_every_score_of_the_tables(trained):
    _, folder = trained
    row = collect(ComparisonJob("lift_can-mild", "skillmimic", "pinned", 3, 6.0, "fast"), folder)
    assert row["evaluation"]["exact"]["mpjpe_body_mm"] == 11.0 and row["system"] == "skillmimic"
    assert row["recipe"] == "fast" and row["budget"] == "6 minutes" and row["commit"] == "c0ffee"


def test_the_last_error_is_told_else_the_last_line(tmp_path):
    log = tmp_path / "log"
    assert last_error(log) == "nothing was said"
    log.write_text("error: first\nerror: second\n  where: here\n")
    assert last_error(log) == "second"
    log.write_text("Traceback\nValueError: odd\n\n")
    assert last_error(log) == "ValueError: odd"


@pytest.mark.parametrize("wrong", [["--systems=devi,phsyhoi"], ["--seeds=0"], ["--clips", "nothing"]])
def test_what_does_not_exist_is_refused_before_anything_is_trained(wrong, tmp_path, capsys):
    with pytest.raises(SystemExit) as leaving:
        compare.main([*wrong, f"--out={tmp_path / 'compare'}"])
    assert leaving.value.code == 2 and "error:" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
