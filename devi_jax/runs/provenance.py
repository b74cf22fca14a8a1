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

PACKAGES = ("agents", "devi_jax", "envs", "perception")
"""Folders of a checkout whose files can change a number, committed or not."""
_PAGES = ":(exclude)docs"


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
    changed = changes(checkout)
    if changed is None:
        return None
    return {"commit": git(checkout_root(checkout), "rev-parse", "HEAD"), "dirty": bool(changed)}


def changes(checkout: Path | None = None) -> list[str] | None:
    """Files that differ from a checkout's commit: tracked ones outside of `docs`, and untracked ones of `PACKAGES`.

    Pages and result files in `docs` change no number: a bench that writes them would make its own next row dirty. None
    when it is not a git checkout of its own, or git does not answer.
    """
    root = checkout_root(checkout)
    top = git(root, "rev-parse", "--show-toplevel")
    if top is None or git(root, "rev-parse", "HEAD") is None or Path(top).resolve() != root:
        return None
    status = ("status", "--porcelain")
    tracked = git(root, *status, "--untracked-files=no", "--", ".", _PAGES)
    every = git(root, *status, "--untracked-files=all", "--", *PACKAGES)
    if tracked is None or every is None:
        return None
    lines = [*tracked.splitlines(), *(line for line in every.splitlines() if line.startswith("??"))]
    return [line.split(maxsplit=1)[1] for line in lines]


def checkout_root(checkout: Path | None = None) -> Path:
    """The folder asked about, by default the one that holds the `devi_jax` package."""
    return (checkout or Path(str(devi_jax.__file__)).parents[1]).resolve()


def git(root: Path, *arguments: str) -> str | None:
    """What a git command says in a folder, without white space around it; None where it fails or there is no git."""
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
