"""Files and folders that appear whole or not at all."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NUMBERS = itertools.count()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path` with the same suffix; it becomes `path` if the body ends without error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}-{next(_NUMBERS)}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> Path:
    """Write a text file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text)
    return path


@contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """Give an empty temporary folder beside `folder`; what lies in it moves there if the body ends without error.

    Files of the same name are replaced, others in `folder` stay as they are.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield temporary
        folder.mkdir(exist_ok=True)
        for part in sorted(temporary.iterdir()):
            part.replace(folder / part.name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
