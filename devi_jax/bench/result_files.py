"""Results as files, one JSON each, small enough to be committed; and what they say of how they were made."""

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

from devi_jax.core.errors import RunError
from devi_jax.runs.json_io import write_json

Result = dict[str, Any]


def result_file(folder: Path, name: str) -> Path:
    """Where the result of a job lies."""
    return folder / f"{name}.json"


def read_results(folder: Path) -> list[Result]:
    """All results, by name. Raises `RunError` for one that cannot be read."""
    return [read_json(path) for path in sorted(folder.glob("*.json"))]


def write_result(folder: Path, name: str, result: Result) -> Path:
    """Write a result, whole or not at all."""
    path = result_file(folder, name)
    write_json(path, result)
    return path


def read_json(path: Path) -> Any:
    """A file's JSON. Raises `RunError` for one that cannot be read."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise RunError(f"not readable ({error})", where=str(path), fix="remove it and run the job again") from error


def made(git: Result | None, hardware: Result | None) -> Result:
    """What every result says: commit, machine, how busy it was, and when."""
    git = git or {}
    return {
        "commit": git.get("commit"),
        "dirty": git.get("dirty"),
        "hardware": hardware,
        "load_average": [round(x, 2) for x in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "date": date.today().isoformat(),
    }
