"""Notebooks are stored without outputs, are valid, and run on today's commands and terms."""

import ast
import json
from pathlib import Path

import nbformat
import pytest

from devi_jax import evaluate
from devi_jax.datasets.load import bundled
from devi_jax.datasets.scenes import load_scene_file
from devi_jax.evaluation.metrics import Scores
from devi_jax.extract import Extract
from devi_jax.imagine import Imagine
from devi_jax.systems import devi
from devi_jax.training.run_config import RunConfig
from devi_jax.training.train_options import EarlyOptions, Invocation

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
TRAIN = {*RunConfig.__dataclass_fields__, *EarlyOptions.__dataclass_fields__, *Invocation.__dataclass_fields__}
NAMED = {path.stem: path for path in NOTEBOOKS}


def code(path: Path) -> list[str]:
    return [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook_is_valid_and_stripped(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = [c for c in notebook.cells if c.cell_type == "code"]
    assert cells and all(not c.outputs and c.execution_count is None for c in cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook_is_python(path):
    for source in code(path):
        ast.parse(source)


class Asked(list):
    """Notes the commands that a notebook gives, in place of running them."""

    def __call__(self, name, *flags):
        self.append((name, [flag[2:].partition("=")[0] for flag in flags if flag.startswith("--")]))


def given(name: str) -> tuple[dict, Asked]:
    """The settings of a notebook, and the commands that it gives when run up to its first results."""
    asked = Asked()
    names: dict = {"Path": Path, "folder": Path("folder"), "command": asked}
    cells = code(NAMED[name])
    exec(cells[0], names)
    for cell in cells[1:]:
        for part in ast.parse(cell).body:
            text = ast.unparse(part)
            if text.startswith(("command(", "run =", "runs =")) or (isinstance(part, ast.For) and "command(" in text):
                exec(text, names)
    return names, asked


def test_the_first_policy_asks_for_a_clip_and_flags_that_exist():
    names, asked = given("01_first_policy")
    assert names["CLIP"] in bundled() and names["EXTRA"] == []
    assert [name for name, _ in asked] == ["clips", "clips", "train"]
    assert {*asked[-1][1]} <= TRAIN
    assert asked[0][1] == ["set"] and "--set=tabletop" in "".join(code(NAMED["01_first_policy"]))


def test_the_ablation_uses_flags_and_terms_that_exist():
    names, asked = given("02_reward_ablation")
    rewards = devi().rewards
    assert names["CLIP"] in bundled() and len(rewards) == 11
    changed = {flag for flags in names["CHANGES"].values() for flag in flags}
    for flag in changed:
        start, term, value = flag.partition("=")[0].split(".")
        assert start == "--rewards" and term.replace("-", "_") in rewards and value in ("weight", "sharpness")
    assert [name for name, _ in asked] == ["train"] * (1 + len(names["CHANGES"]))
    own = {flag for _, flags in asked for flag in flags if not flag.startswith("rewards.")}
    assert own <= TRAIN


@pytest.mark.parametrize("name", ["01_first_policy", "02_reward_ablation"])
def test_results_are_shown_of_what_a_run_leaves(name, tmp_path, monkeypatch, capsys):
    """All cells, on run folders with the files of a training; the commands themselves are tested elsewhere."""
    plt = pytest.importorskip("matplotlib.pyplot")
    monkeypatch.setattr(plt, "show", lambda: None)
    score = {key: 0.5 for key in Scores.__dataclass_fields__}
    row = {"iteration": 1, "steps": 10, **{f"environment/{term}": 0.1 for term in devi().rewards}}

    def command(kind, *flags):
        if kind == "train":
            (run,) = (Path(flag.partition("=")[2]) for flag in flags if flag.startswith("--out="))
            run.mkdir()
            judged = {"exact": score, "perturbed": {"success_rate": 0.5}}
            (run / "evaluation.json").write_text(json.dumps({**judged, "reference": judged}))
            (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for _ in range(2)))

    names: dict = {}
    for cell in code(NAMED[name]):
        exec(cell, names)
        if "command" in names:
            names["command"] = command
    plt.close("all")
    assert "lift_can" in names["CLIP"] and "0.5" in capsys.readouterr().out


def test_from_video_asks_for_flags_files_and_a_scene_that_exist():
    """Its own calls of commands, run where commands only note what they are asked."""
    cells, asked = code(NAMED["03_from_video"]), []
    names: dict = {"Path": Path, "folder": Path("folder")}
    exec(cells[0], names)
    for line in "\n".join(cells).splitlines():
        if line.startswith("film, clip, run ="):
            exec(line, names)
    names["command"] = lambda name, *flags: asked.append((name, flags))
    for cell in cells:
        for part in ast.parse(cell).body:
            if ast.unparse(part).startswith("command("):
                exec(ast.unparse(part), names)
    assert [name for name, _ in asked] == ["imagine", "extract", "train", "evaluate"]
    kinds = {"imagine": Imagine, "extract": Extract, "evaluate": evaluate.EvaluateOptions}
    flags_of = {name: {*kind.__dataclass_fields__} for name, kind in kinds.items()} | {"train": TRAIN}
    for name, flags in asked:
        given = {flag[2:].partition("=")[0] for flag in flags if flag.startswith("--")}
        assert given <= flags_of[name]
    extracting, text = Extract(names["film"], out=names["clip"], truth=Path("truth.npz")), "\n".join(cells)
    assert load_scene_file(names["SCENE"]).prompt and extracting.film.name in text and extracting.measured.name in text
