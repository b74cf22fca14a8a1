"""Commands answer bad input with one error that says what, where, and what fixes it; exit code 2."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from devi_jax import evaluate, play, train
from devi_jax.core.clip_io import save_clip
from devi_jax.datasets.load import resolve


def fails(main, arguments, capsys) -> str:
    """Run a command that must leave with code 2; what it printed on stderr."""
    with pytest.raises(SystemExit) as leaving:
        main(arguments)
    assert leaving.value.code == 2
    return capsys.readouterr().err


def test_unknown_clip_names_the_listing_command(tmp_path, capsys):
    out = tmp_path / "run"
    message = fails(train.main, ["--clip=lift_cann", f"--out={out}"], capsys)
    assert "lift_can" in message and "devi_jax.clips list" in message
    assert not out.exists()


def test_existing_run_folder_is_never_overwritten(tmp_path, capsys):
    out = tmp_path / "run"
    out.mkdir()
    (out / "keep.txt").write_text("mine")
    message = fails(train.main, ["--clip=lift_can", f"--out={out}", "--iterations=1"], capsys)
    assert "--resume" in message and str(out) in message
    assert [p.name for p in out.iterdir()] == ["keep.txt"]


def test_pickle_inside_a_clip_is_refused(tmp_path, capsys):
    path = tmp_path / "evil.npz"
    np.savez(path, joint_rotations=np.array([{"a": 1}], dtype=object))
    message = fails(train.main, [f"--clip={path}", f"--out={tmp_path / 'run'}"], capsys)
    assert "pickle" in message and str(path) in message
    assert not (tmp_path / "run").exists()


def test_negative_weight_names_its_flag(tmp_path, capsys):
    arguments = ["--clip=lift_can", "--rewards.object-2d.weight=-1", f"--out={tmp_path / 'run'}"]
    assert "--rewards.object-2d" in fails(train.main, arguments, capsys)
    assert not (tmp_path / "run").exists()


def test_misspelt_weight_is_refused_with_a_suggestion():
    command = [sys.executable, "-m", "devi_jax.train", "--rewards.object-3d.weight=1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "--rewards.object-2d.weight" in done.stderr


@pytest.mark.parametrize("main", [evaluate.main, play.main])
def test_absent_run_is_an_error(main, tmp_path, capsys):
    message = fails(main, [str(tmp_path / "nothing")], capsys)
    assert "nothing" in message


def test_absolute_actions_have_no_plan_to_turn_around(tmp_path, capsys):
    arguments = ["--clip=lift_can", "--environment.action.mode=absolute", f"--out={tmp_path / 'run'}"]
    message = fails(train.main, arguments, capsys)
    assert "--plan=none" in message and not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "wrong", [["--planner.search.commit=5"], ["--planner.search.samples=4", "--planner.search.elites=9"]]
)
def test_a_search_without_meaning_is_refused(wrong, tmp_path, capsys):
    message = fails(train.main, ["--clip=lift_can", *wrong, f"--out={tmp_path / 'run'}"], capsys)
    assert ("commit" in message or "elites" in message) and not (tmp_path / "run").exists()


def test_a_clip_in_2d_is_refused_by_a_system_that_compares_poses(tmp_path, capsys):
    flat, out = tmp_path / "flat.npz", tmp_path / "run"
    save_clip(replace(resolve("lift_can"), object_poses=None), flat)
    message = fails(train.main, ["--system=skillmimic", f"--clip={flat}", f"--out={out}"], capsys)
    assert "only in 2D" in message and "--rewards.key-to-object" in message and "devi" in message
    assert not out.exists()


def test_an_unknown_system_is_refused_with_the_known_ones(tmp_path, capsys):
    out = tmp_path / "run"
    message = fails(train.main, ["--system=phsyhoi", f"--out={out}"], capsys)
    assert "physhoi" in message and not out.exists()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["--devices=0"], "--devices"),
        (["--devices=3"], "there are 2"),
        (["--hosts.count=2", "--hosts.index=0"], "--hosts.coordinator=HOST:PORT"),
        (["--hosts.coordinator=localhost", "--hosts.count=2", "--hosts.index=0"], "HOST:PORT"),
    ],
)
def test_devices_and_hosts_that_cannot_be_are_refused(wrong, told, tmp_path, capsys):
    message = fails(train.main, ["--clip=lift_can", *wrong, f"--out={tmp_path / 'run'}"], capsys)
    assert told in message and message.count("error") == 1 and not (tmp_path / "run").exists()


def test_help_tells_of_devices_and_hosts(capsys):
    with pytest.raises(SystemExit) as leaving:
        train.main(["--help"])
    assert leaving.value.code == 0
    told = capsys.readouterr().out
    assert all(flag in told for flag in ("--devices", "--hosts.coordinator", "--hosts.auto", "--hosts.timeout-s"))
