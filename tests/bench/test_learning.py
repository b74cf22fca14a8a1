"""Filling the table: what is missing is trained, in order; what has a row is not; what broke is told."""

import shutil

import pytest

from devi_jax.bench import training_result
from devi_jax.bench.__main__ import COMMANDS, main


@pytest.fixture
def bench(tmp_path, trained, young, monkeypatch):
    """Run `bench learning` with a training that copies a finished run; a caller, the jobs it trained, the folder."""
    _, finished = trained
    calls = []

    def run_logged(command, log):
        calls.append(log.stem)
        shutil.copytree(finished, log.with_suffix(""))
        return 0

    monkeypatch.setattr(training_result, "run_logged", run_logged)
    where = [f"--runs={tmp_path / 'learning'}", f"--out={tmp_path / 'docs' / 'results'}"]
    return lambda *flags: main(["learning", *flags, *where]), calls, tmp_path


def test_missing_cells_are_trained_once_and_the_page_grows(bench):
    run, calls, folder = bench
    flags = ("--clips", "lift_can", "--roots", "pinned", "--seeds=2")
    run(*flags, "--limit=1")
    page = (folder / "docs" / "results.md").read_text()
    assert calls == ["lift_can-clean-pinned-0"] and "`lift_can-clean-pinned-0`" in page
    run(*flags)
    assert calls == [f"lift_can-{grade}-pinned-{seed}" for grade in ("clean", "mild") for seed in (0, 1)]
    run(*flags)
    assert len(calls) == 4
    assert len(list((folder / "docs" / "results").glob("*.json"))) == 4 and (folder / "docs" / "results.png").exists()


def test_list_tells_and_does_nothing(bench, capsys):
    run, calls, folder = bench
    run("--list")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["missing", "lift_can-rough-free-0"] and not calls
    assert not (folder / "docs").exists()


def test_a_finished_run_without_a_row_gets_one_and_is_not_trained_again(bench, trained):
    run, calls, folder = bench
    shutil.copytree(trained[1], folder / "learning" / "lift_can-rough-free-0")
    run("--limit=1")
    assert not calls and (folder / "docs" / "results" / "lift_can-rough-free-0.json").exists()


def test_what_could_not_begin_leaves_no_row_and_the_rest_goes_on(bench, monkeypatch, capsys):
    run, calls, folder = bench
    first, train = "lift_can-rough-free-0", training_result.run_logged
    monkeypatch.setattr(training_result, "run_logged", lambda _, log: 2 if log.stem == first else train(_, log))
    run("--limit=2")
    assert calls == ["lift_can-rough-free-1"] and "no result" in capsys.readouterr().out
    assert [p.stem for p in (folder / "docs" / "results").glob("*.json")] == calls


def test_an_interrupted_training_leaves_no_row(bench, trained, monkeypatch, capsys):
    run, _, folder = bench

    def killed(command, log):
        shutil.copytree(trained[1], log.with_suffix(""))
        (log.with_suffix("") / "evaluation.json").unlink()
        return -9

    monkeypatch.setattr(training_result, "run_logged", killed)
    run("--limit=1")
    assert "interrupted" in capsys.readouterr().out and not (folder / "docs" / "results").exists()


def test_speed_is_what_is_meant_without_a_name(monkeypatch):
    seen = []
    monkeypatch.setitem(COMMANDS, "speed", seen.append)
    monkeypatch.setitem(COMMANDS, "learning", lambda _: seen.append("learning"))
    main(["--repeats=3"])
    main(["speed", "--repeats=4"])
    main(["learning"])
    assert seen == [["--repeats=3"], ["--repeats=4"], "learning"]
