"""Programs of the user's: started without a shell, given a time, and quoted when they fail."""

import shlex
import subprocess
from collections.abc import Mapping

from devi_jax.core.errors import ConfigError, VideoError

TAIL_LINES = 12
"""How much of a failed program's stderr stands in the error."""


def arguments(template: str, values: Mapping[str, object], flag: str) -> list[str]:
    """`template` split as a shell would, then `{name}` in each part replaced: values need no quotes and run nothing.

    Raises:
        ConfigError: an empty template, quotes that do not close, or a name that is not in `values`.
    """
    known = ", ".join(f"{{{name}}}" for name in values) or "no names in braces"
    try:
        parts = [part.format_map(values) for part in shlex.split(template)]
    except (ValueError, KeyError, IndexError, AttributeError) as error:
        raise ConfigError(
            f"the command cannot be read ({error})", where=f"{flag}={template!r}", valid=f"a program and {known}"
        ) from error
    if not parts:
        raise ConfigError("the command is empty", where=flag, valid=f"a program and {known}")
    return parts


def run(command: list[str], flag: str, stdin: str = "", timeout_s: float = 3600.0) -> str:
    """Run a program to its end; returns what it printed.

    Raises:
        ConfigError: there is no such program.
        VideoError: it failed (with the end of its stderr) or took longer than `timeout_s`.
    """
    line = shlex.join(command)
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, errors="replace", timeout=timeout_s)
    except (FileNotFoundError, PermissionError) as error:
        raise ConfigError(
            f"'{command[0]}' cannot be started ({error.strerror})", where=flag, valid="a program on the PATH, or a path"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise VideoError(f"the command took longer than {timeout_s:g} s and was ended", where=line) from error
    if done.returncode:
        tail = "\n".join(done.stderr.strip().splitlines()[-TAIL_LINES:]) or "it said nothing on stderr"
        raise VideoError(f"the command failed with exit code {done.returncode}:\n{tail}", where=line)
    return done.stdout
