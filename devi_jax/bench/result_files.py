"""Rows of a page as files, one JSON each, small enough to be committed; and what they say of how they were made."""

import json
import os
import subprocess
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from devi_jax.core.errors import RunError
from devi_jax.runs.json_io import write_json

Row = dict[str, Any]


def row_file(folder: Path, name: str) -> Path:
    """Where the row of a cell lies."""
    return folder / f"{name}.json"


def read_rows(folder: Path) -> list[Row]:
    """All rows, by name. Raises `RunError` for one that cannot be read."""
    return [read_json(path) for path in sorted(folder.glob("*.json"))]


def write_row(folder: Path, name: str, row: Row) -> Path:
    """Write a row, whole or not at all."""
    path = row_file(folder, name)
    write_json(path, row)
    return path


def read_json(path: Path) -> Any:
    """A file's JSON. Raises `RunError` for one that cannot be read."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise RunError(f"not readable ({error})", where=str(path), fix="remove it and run the cell again") from error


def logged(command: Sequence[str], log: Path) -> int:
    """Run a command whose output is added to a log; its exit code, negative or 130 where it was interrupted."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as out:
        return subprocess.run(command, stdout=out, stderr=subprocess.STDOUT).returncode


def made(git: Row | None, hardware: Row | None) -> Row:
    """What every row says: commit, machine, how busy it was, and when."""
    git = git or {}
    return {
        "commit": git.get("commit"),
        "dirty": git.get("dirty"),
        "hardware": hardware,
        "load_average": [round(x, 2) for x in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "date": date.today().isoformat(),
    }
