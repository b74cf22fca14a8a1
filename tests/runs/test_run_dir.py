"""A run folder says what it was made with, and refuses what is no run."""

import functools
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import devi_jax
from devi_jax.core.errors import RunError
from devi_jax.core.files import replacing
from devi_jax.runs.json_io import jsonable, write_json
from devi_jax.runs.provenance import changes, git_state
from devi_jax.runs.run_dir import RunDir, next_run_folder


@dataclass(frozen=True)
class Settings:
    rate: float
    sizes: tuple[int, ...]
    out: Path
    norm: object = np.linalg.norm


def test_config_holds_the_run(tmp_path):
    config = {"learner": Settings(2e-5, (64, 32), Path("runs/a")), "minutes": None}
    run = RunDir.create(tmp_path / "a" / "b", config, system="devi", seed=7)
    found = json.loads(run.config_json.read_text())
    assert found["config"]["learner"]["rate"] == 2e-5
    assert found["config"]["learner"]["sizes"] == [64, 32]
    assert found["config"]["learner"]["out"] == "runs/a"
    assert found["config"]["learner"]["norm"].endswith("norm")
    assert (found["system"], found["seed"], found["config"]["minutes"]) == ("devi", 7, None)
    assert found["versions"]["numpy"] == np.__version__
    assert found["machine"]["platform"] == "cpu" and found["machine"]["devices"] == 2
    assert RunDir.open(run.path, system="devi") == run
    assert [p.name for p in run.path.iterdir()] == ["config.json"]


def test_a_used_folder_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="not empty") as e:
        RunDir.create(tmp_path, {}, system="devi", seed=0)
    assert f"--resume={tmp_path}" in e.value.fix and "--out" in e.value.fix
    with pytest.raises(RunError, match="not empty"):
        RunDir.create(tmp_path / "notes.txt", {}, system="devi", seed=0)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_a_config_without_json_form_leaves_nothing(tmp_path):
    with pytest.raises(TypeError, match="object has no JSON form"):
        RunDir.create(tmp_path / "run", {"x": object()}, system="devi", seed=0)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "is not a run"),
        ("{", "cannot be read"),
        ("[]", "lacks format"),
        ('{"format": 99, "system": "devi", "seed": 0, "config": {}}', "has format 99"),
    ],
)
def test_a_folder_that_is_no_run_is_one_error(tmp_path, content, said):
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(RunError, match=said) as e:
        RunDir.open(tmp_path)
    assert e.value.where == str(tmp_path / "config.json") and e.value.fix


def test_an_absent_folder_and_another_system_are_named(tmp_path):
    with pytest.raises(RunError, match="no such run folder"):
        RunDir.open(tmp_path / "nowhere")
    run = RunDir.create(tmp_path / "run", {}, system="rhov", seed=0)
    with pytest.raises(RunError, match="'rhov', not to 'devi'"):
        RunDir.open(run.path, system="devi")


def test_the_next_run_folder_is_free(tmp_path):
    assert next_run_folder("lift_can", tmp_path) == tmp_path / "lift_can-1"
    (tmp_path / "lift_can-1").mkdir()
    assert next_run_folder("lift_can", tmp_path) == tmp_path / "lift_can-2"
    assert next_run_folder("data/sub2 table.pt", tmp_path) == tmp_path / "sub2_table-1"


def test_git_state_follows_the_checkout(tmp_path):
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        return subprocess.run(
            ["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True, text=True
        ).stdout.strip()

    assert git_state(tmp_path) is None
    git("init")
    (tmp_path / "inside").mkdir()
    (tmp_path / "a.py").write_text("1")
    git("add", "a.py")
    git("commit", "-m", "first")
    assert git_state(tmp_path) == {"commit": git("rev-parse", "HEAD"), "dirty": False}
    (tmp_path / "a.py").write_text("2")
    assert git_state(tmp_path) == {"commit": git("rev-parse", "HEAD"), "dirty": True}
    assert git_state(tmp_path / "inside") is None


def test_pages_make_no_code_dirty_and_code_that_git_does_not_know_does(tmp_path):
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    git("init")
    for name in ("docs/page.md", "docs/results/row.json", "envs/a.py", "README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    git("add", ".")
    git("commit", "-m", "first")
    for name in ("docs/page.md", "docs/results/row.json", "docs/results/new.json", "own.mp4"):
        (tmp_path / name).write_text("2")
    assert changes(tmp_path) == []
    (tmp_path / "envs" / "b.py").write_text("2")
    assert changes(tmp_path) == ["envs/b.py"]
    (tmp_path / "README.md").write_text("2")
    assert changes(tmp_path) == ["README.md", "envs/b.py"]
    assert changes(tmp_path / "envs") is None


def test_jsonable_covers_the_values_of_a_config():
    assert jsonable({"a": float("nan"), 1: np.float32(0.5), "b": jnp.arange(3)}) == {
        "a": None,
        "1": 0.5,
        "b": [0, 1, 2],
    }
    assert jsonable(np.zeros((10, 10), np.float32)) == {"shape": [10, 10], "dtype": "float32"}
    bound = jsonable(functools.partial(next_run_folder, "a", runs=Path("b")))
    assert bound == {"function": "devi_jax.runs.run_dir.next_run_folder", "args": ["a"], "keywords": {"runs": "b"}}


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "deep" / "x.json"
    write_json(path, {"a": 1})
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert json.loads(path.read_text()) == {"a": 1}
    assert [p.name for p in path.parent.iterdir()] == ["x.json"]


def test_the_checkout_is_the_one_that_holds_the_package():
    assert git_state() == git_state(Path(str(devi_jax.__file__)).parents[1])
