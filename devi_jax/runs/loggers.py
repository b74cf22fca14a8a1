"""Where scalars go: a JSON line each iteration, TensorBoard, or both."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from tensorboardX import SummaryWriter

from devi_jax.core.errors import RunError
from devi_jax.core.files import replacing
from devi_jax.runs.json_io import jsonable


@runtime_checkable
class Logger(Protocol):
    """Takes the scalars of one iteration."""

    def log(self, step: int, scalars: Mapping[str, Any]) -> None:
        """Write the scalars of iteration `step`."""
        ...

    def close(self) -> None:
        """Finish writing."""
        ...


class JsonlLogger:
    """Appends `{"iteration": step, name: value, ...}` to a file, one line a call, on disk when the call returns."""

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a")

    def log(self, step: int, scalars: Mapping[str, Any]) -> None:
        """Append one line; numbers that are not finite become null."""
        line = {"iteration": step, **{name: jsonable(value) for name, value in scalars.items()}}
        self._file.write(json.dumps(line, allow_nan=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class TensorboardLogger:
    """TensorBoard event files in `folder`; `purge_after` hides what an earlier process logged after that step."""

    def __init__(self, folder: Path, purge_after: int | None = None):
        self._writer = SummaryWriter(str(folder), purge_step=None if purge_after is None else purge_after + 1)

    def log(self, step: int, scalars: Mapping[str, Any]) -> None:
        """Add each scalar under its name."""
        for name, value in scalars.items():
            self._writer.add_scalar(name, float(value), step)

    def close(self) -> None:
        """Flush and close the event file."""
        self._writer.close()


@dataclass(frozen=True)
class Loggers:
    """Several loggers as one."""

    loggers: Sequence[Logger]

    def log(self, step: int, scalars: Mapping[str, Any]) -> None:
        """Hand the scalars to each logger."""
        for logger in self.loggers:
            logger.log(step, scalars)

    def close(self) -> None:
        """Close each logger."""
        for logger in self.loggers:
            logger.close()


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """The lines of a metrics file. A last line that a killed process left unfinished is skipped.

    Raises:
        RunError: when the file is absent or another line is not a JSON object with an `iteration`.
    """
    if not path.is_file():
        raise RunError("the run has no metrics", where=str(path), fix="train for at least one iteration")
    text = path.read_text()
    whole = text[: text.rfind("\n") + 1]
    rows = []
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            row = json.loads(line)
            int(row["iteration"])
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(
                "a line of the metrics is not readable",
                where=f"{path}, line {number}",
                valid='a JSON object with "iteration"',
                fix="remove that line",
            ) from error
        rows.append(row)
    return rows


def truncate_after(path: Path, step: int) -> None:
    """Drop the lines of iterations after `step`, and an unfinished last line; an absent file stays absent.

    A run resumed from the checkpoint of `step` then continues the file as if it had never stopped.
    """
    if not path.exists():
        return
    kept = [row for row in read_jsonl(path) if row["iteration"] <= step]
    with replacing(path) as temporary:
        temporary.write_text("".join(json.dumps(row) + "\n" for row in kept))
