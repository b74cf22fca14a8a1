"""What a result was made with: command line, code version, library versions, device."""

import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import devi_jax
from devi_jax.runs.devices import machine

LIBRARIES = ("jax", "jaxlib", "mujoco", "mujoco-mjx", "flax", "optax", "numpy")
"""Libraries that can change a number."""


def versions() -> dict[str, str | None]:
    """Version of Python and of each of `LIBRARIES`; None where it is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def git_state(checkout: Path | None = None) -> dict[str, Any] | None:
    """`{"commit", "dirty"}` of the code that runs, None when it is not a git checkout of its own.

    `checkout`: folder asked about, by default the one that holds the `devi_jax` package.
    """
    root = (checkout or Path(str(devi_jax.__file__)).parents[1]).resolve()
    top = _git(root, "rev-parse", "--show-toplevel")
    commit = _git(root, "rev-parse", "HEAD")
    if top is None or commit is None or Path(top).resolve() != root:
        return None
    return {"commit": commit, "dirty": bool(_git(root, "status", "--porcelain", "--untracked-files=no"))}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def provenance() -> dict[str, Any]:
    """Command line, git state, versions and machine as JSON types."""
    return {
        "command": sys.argv,
        "git": git_state(),
        "versions": versions(),
        "machine": machine(),
    }
