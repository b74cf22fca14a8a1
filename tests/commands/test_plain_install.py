"""Commands that look at videos, on an install without the packages for it: help is printed, work is one error."""

import subprocess
import sys
from pathlib import Path

import pytest

BLOCKED = ("torch", "cv2", "ai_edge_litert", "diffusers", "transformers", "smplx")

PROGRAM = """
import runpy, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked}:
            raise ModuleNotFoundError(f"No module named '{{name}}'", name=name)

sys.meta_path.insert(0, Absent())
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__")
"""


def plain(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command where none of `BLOCKED` can be imported."""
    program = PROGRAM.format(blocked=BLOCKED)
    root = Path(__file__).resolve().parents[2]
    return subprocess.run([sys.executable, "-c", program, *command], cwd=root, capture_output=True, text=True)


@pytest.mark.parametrize("command", ["devi_jax.extract", "devi_jax.imagine"])
def test_help_needs_no_package_for_videos(command):
    done = plain(command, "--help")
    assert done.returncode == 0 and "--out" in done.stdout and not done.stderr


@pytest.mark.parametrize(
    ("command", "package", "extras"),
    [
        (["devi_jax.extract", "{folder}"], "torch", "perception"),
        (["devi_jax.imagine", "--generator=wan"], "diffusers", "perception,wan"),
    ],
)
def test_work_without_its_packages_names_the_install_command(tmp_path, command, package, extras):
    done = plain(*(part.format(folder=tmp_path) for part in command), f"--out={tmp_path / 'out' / 'clip.npz'}")
    assert done.returncode == 2 and package in done.stderr and "Traceback" not in done.stderr
    assert f"pip install -e '.[{extras}]'" in done.stderr
    assert list(tmp_path.iterdir()) == []
