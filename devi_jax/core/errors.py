"""Errors that say what is wrong, where, what would be valid, and which command fixes it.

Every command turns a `DeviError` into one message on stderr and exit code 2 (see `exit_on_error`).
"""

import difflib
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NoReturn


class DeviError(Exception):
    """Base of all errors a user can cause and fix.

    Args:
        what: what is wrong, in one sentence.
        where: the file, field or flag it is wrong in.
        valid: what would be valid there.
        fix: the command or the step that fixes it.
    """

    def __init__(self, what: str, *, where: str = "", valid: str = "", fix: str = ""):
        self.what, self.where, self.valid, self.fix = what, where, valid, fix
        lines = [what]
        lines += [f"  where: {where}"] if where else []
        lines += [f"  valid: {valid}"] if valid else []
        lines += [f"  fix:   {fix}"] if fix else []
        super().__init__("\n".join(lines))


class ClipError(DeviError):
    """A clip, or a file that should become one, is not usable."""


class SceneError(DeviError):
    """A scene, object or mesh is not usable."""


class VideoError(DeviError):
    """A video is not usable, or a generator left none."""


class CameraError(DeviError):
    """A camera does not see what it has to see."""


class RunError(DeviError):
    """A run folder or checkpoint is not usable."""


class ConfigError(DeviError):
    """Flags contradict each other or name something that does not exist."""


class DeviceError(DeviError):
    """The machine lacks what was asked for (an engine, a renderer, a GPU)."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about a name that is not there: the closest ones, or nothing."""
    close = difflib.get_close_matches(name, list(known), n=2, cutoff=0.5)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def fail(error: DeviError) -> NoReturn:
    """Print `error` on stderr and leave with exit code 2."""
    print(f"error: {error}", file=sys.stderr)
    raise SystemExit(2)


_RAISED_IN_CALLBACKS: list[DeviError] = []
"""Since the last `exit_on_error` began, the first one first."""


def raise_in_callback(error: DeviError) -> NoReturn:
    """Raise `error` in a host callback of a compiled program.

    JAX raises an error of its own in its place, which has no more of it than text: the error itself is kept for
    `exit_on_error`.
    """
    _RAISED_IN_CALLBACKS.append(error)
    raise error


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Turn a `DeviError` raised inside, be it in a host callback, into one message and exit code 2."""
    _RAISED_IN_CALLBACKS.clear()
    try:
        yield
    except DeviError as error:
        fail(error)
    except RuntimeError:
        if not _RAISED_IN_CALLBACKS:
            raise
        fail(_RAISED_IN_CALLBACKS[0])
    except BrokenPipeError:
        # the reader of a pipe (`| head`) has seen enough; keep the interpreter from flushing into it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        raise SystemExit(130) from None
