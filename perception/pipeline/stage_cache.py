"""Stages of a command as files: what is done is not done again, and a file that a user put there is used as it is."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from devi_jax.core.errors import RunError
from devi_jax.core.files import replacing

SCHEMA = 1
INDEX_FILE = "stages.json"

StageState = Literal["due", "kept", "own"]

SAID: Mapping[StageState, str] = {"due": "done", "kept": "kept from an earlier run", "own": "your own file"}
"""What is said of a stage in each state."""


class StageCache:
    """A folder of stage files, and a book of what each was made from.

    A stage is due when a file of it is missing, or the book's entry has another key: other inputs or settings. Files
    that the book does not know, or knows with other contents, are the user's own.
    """

    def __init__(self, folder: Path, again: Sequence[str] = ()):
        """Open the folder, which need not be there yet; stages named in `again` are due.

        Raises:
            RunError: the book is damaged or of another version.
        """
        self.folder, self._again = folder, frozenset(again)
        self._entries: dict[str, dict[str, Any]] = {}
        book = folder / INDEX_FILE
        if book.is_file():
            try:
                told = json.loads(book.read_text())
                if told["schema"] != SCHEMA:
                    raise ValueError(f"schema {told['schema']}")
                self._entries = {
                    stage: {"key": e["key"], "files": dict(e["files"])} for stage, e in told["stages"].items()
                }
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                fix = "delete that folder, or name another with --work"
                raise RunError(f"the list of stages is not readable ({error})", where=str(book), fix=fix) from error

    def state(self, stage: str, files: Sequence[str], key: str) -> StageState:
        """Whether a stage is due, kept from an earlier run with the same key, or the user's own.

        `files` are those that it may have; of a stage without an entry one is enough.
        """
        entry = self._entries.get(stage)
        there = {name: digest(self.folder / name) for name in files if (self.folder / name).is_file()}
        if stage in self._again or not there or (entry is not None and entry["files"].keys() - there.keys()):
            return "due"
        if entry is None or entry["files"] != there:
            return "own"
        return "kept" if entry["key"] == key else "due"

    def enter(self, stage: str, files: Sequence[str], key: str) -> None:
        """Write down that the stage's files are made with this key."""
        made = {name: digest(self.folder / name) for name in files}
        self._entries[stage] = {"key": key, "files": made}
        with replacing(self.folder / INDEX_FILE) as temporary:
            temporary.write_text(json.dumps({"schema": SCHEMA, "stages": self._entries}, indent=2) + "\n")


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def key_of(*parts: Any) -> str:
    """SHA-256 of settings and digests: JSON types and nothing else."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
