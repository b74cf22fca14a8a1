"""The shape of the house: imports point down, files and functions stay small, imports are light, commands answer."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.architecture import plain_help

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("devi_jax", "envs", "agents", "perception")
SOURCES = sorted(p for room in ROOMS for p in (ROOT / room).rglob("*.py"))
PROSE = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")])
TOP = sorted(p.stem for p in (ROOT / "devi_jax").glob("*.py") if p.stem != "__init__")
UNFINISHED = ("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_imports_only_point_down():
    command = "import sys; from importlinter.cli import lint_imports_command; sys.argv = ['']; lint_imports_command()"
    done = python("-c", command)
    assert done.returncode == 0 and "0 broken" in done.stdout, done.stdout + done.stderr


def test_every_module_at_the_top_of_devi_jax_has_its_place_in_the_layers():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["type"] == "layers")
    assert [n for n in TOP if f"(devi_jax.{n})" not in layers[0].split(" | ")] == []


def test_every_folder_with_modules_is_a_package():
    assert sorted({name(p.parent) for p in SOURCES if not (p.parent / "__init__.py").exists()}) == []


def test_files_and_functions_stay_small():
    long = [f"{name(p)}: {n} lines" for p in SOURCES if (n := len(p.read_text().splitlines())) > 500]
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                long += [f"{name(path)}: {node.name} has {lines} lines"] if lines >= 80 else []
    assert long == []


def test_packages_only_import_and_export():
    """`__init__.py` holds a docstring, imports and `__all__`: nothing happens at import time."""
    busy = []
    for path in (p for p in SOURCES if p.name == "__init__.py"):
        for node in ast.parse(path.read_text()).body:
            exports = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
            prose = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            if not (exports or prose or isinstance(node, ast.Import | ast.ImportFrom)):
                busy.append(f"{name(path)}: {ast.unparse(node)}")
    assert busy == []


def test_clips_are_read_without_starting_jax():
    done = python(
        "-c", "import devi_jax, devi_jax.core.clip_io, sys; print([m for m in ('jax', 'mujoco') if m in sys.modules])"
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_every_command_answers_help_without_optional_packages():
    done = python("-m", "tests.architecture.plain_help", "--block")
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_optional_package_is_forgotten():
    """Of all that extras bring, what packages could import is hidden in the test above."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extra = {re.split(r"[\[<>=~ ]", p)[0] for one in project["optional-dependencies"].values() for p in one}
    programs = {"import-linter", "ipython", "pyright", "pytest-xdist", "ruff", "uv"}
    named = {"opencv-python-headless": "cv2", "jax": "warp", "mujoco-mjx": "warp"}
    assert {named.get(n, n.replace("-", "_")) for n in extra - programs} == {*plain_help.PACKAGES}


def test_the_lock_pins_every_direct_requirement_and_names_no_index():
    lock = (ROOT / "requirements.lock").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(p for one in project["optional-dependencies"].values() for p in one)]
    pinned = {line.partition("==")[0] for line in lock.splitlines()}
    assert {re.split(r"[\[<>=~ ]", p)[0].lower() for p in asked} <= pinned
    assert "://" not in lock


def test_nothing_is_left_unfinished():
    found = [f"{name(p)}: {w}" for p in [*SOURCES, *PROSE] for w in UNFINISHED if w in p.read_text()]
    assert found == []


def test_assertions_only_narrow_types():
    """What a user can get wrong raises a `DeviError`: an `assert` may say no more than that something is not None."""

    def narrows(test: ast.expr) -> bool:
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
            return all(narrows(part) for part in test.values)
        return isinstance(test, ast.Compare) and ast.unparse(test).endswith(" is not None")

    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Assert) and (node.msg or not narrows(node.test)):
                found.append(f"{name(path)}:{node.lineno}")
    assert found == []
