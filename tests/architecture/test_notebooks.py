"""Notebooks are stored without outputs, are valid, and run on today's commands and terms."""

import ast
from pathlib import Path

import nbformat
import pytest

from devi_jax import evaluate
from devi_jax.extract import Extract
from devi_jax.imagine import Imagine
from devi_jax.sources.setups import load_setup
from devi_jax.systems import devi
from devi_jax.train import Options

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
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


def test_the_ablation_uses_flags_and_terms_that_exist():
    cells = code(NAMED["reward_ablation"])
    text = "\n".join(cells)
    settings: dict = {}
    exec(cells[0], settings)
    assert settings["TERM"] in devi().rewards and len(devi().rewards) == 9
    for flag in ("clip", "preset", "minutes", "out"):
        assert f"--{flag}=" in text and flag in Options.__dataclass_fields__


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
    kinds = {"imagine": Imagine, "extract": Extract, "train": Options, "evaluate": evaluate.Options}
    for name, flags in asked:
        given = {flag[2:].partition("=")[0] for flag in flags if flag.startswith("--")}
        assert given <= {*kinds[name].__dataclass_fields__}
    extracting, text = Extract(names["film"], out=names["clip"], truth=Path("truth.npz")), "\n".join(cells)
    assert load_setup(names["SCENE"]).prompt and extracting.film.name in text and extracting.measured.name in text
