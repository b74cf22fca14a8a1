"""Notebooks are stored without outputs, are valid, and run on today's commands and terms."""

import ast
from pathlib import Path

import nbformat
import pytest

from devi_jax.systems import devi
from devi_jax.train import Options

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


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
    text = "\n".join(code(NOTEBOOKS[[p.stem for p in NOTEBOOKS].index("reward_ablation")]))
    settings: dict = {}
    exec(code(NOTEBOOKS[0])[0], settings)
    assert settings["TERM"] in devi().rewards and len(devi().rewards) == 9
    for flag in ("clip", "preset", "minutes", "out"):
        assert f"--{flag}=" in text and flag in Options.__dataclass_fields__
