"""One program, from start to end: logged, ended with all its children after a time, quoted when it fails."""

import os
import shlex
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from devi_jax.core.errors import ConfigError
from perception.contracts import EstimateError

TAIL_LINES = 15
"""How much of a failed program's stderr stands in the error."""


@dataclass(frozen=True)
class Log:
    """Where a program's words go: `<stem>.out.txt` and `<stem>.err.txt`."""

    stem: Path

    @property
    def out(self) -> Path:
        """What it prints."""
        return self.stem.with_name(f"{self.stem.name}.out.txt")

    @property
    def err(self) -> Path:
        """What it complains about."""
        return self.stem.with_name(f"{self.stem.name}.err.txt")

    def tail(self) -> str:
        """The last lines of its stderr."""
        lines = self.err.read_text(errors="replace").replace("\r", "\n").strip().splitlines()
        return "\n".join(lines[-TAIL_LINES:]) or "it said nothing on stderr"


def run(command: list[str], log: Log, timeout_s: float, cwd: Path | None, flag: str) -> float:
    """Run `command` to its end, without a shell; returns the seconds it took.

    `cwd`, where given, is also put before everything on PYTHONPATH: repositories that are no packages.

    Raises:
        ConfigError: there is no such program or folder; `flag` is named.
        EstimateError: it failed, with the end of its stderr, or took longer than `timeout_s`.
    """
    line, start = shlex.join(command), time.monotonic()
    log.stem.parent.mkdir(parents=True, exist_ok=True)
    if cwd is not None and not cwd.is_dir():
        raise ConfigError(f"no such folder: {cwd}", where=flag, valid="the checkout of the tool's repository")
    with log.out.open("wb") as out, log.err.open("wb") as err:
        try:
            # a session of its own, so that what the program starts (conda run, workers) ends with it
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=cwd, env=_environment(cwd),
                start_new_session=True,
            )  # fmt: skip
        except (FileNotFoundError, PermissionError) as error:
            raise ConfigError(
                f"'{command[0]}' cannot be started ({error.strerror})",
                where=flag,
                valid="the Python of the tool's environment, or a program on the PATH",
            ) from error
        try:
            code = process.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired as error:
            raise EstimateError(
                f"the program took longer than {timeout_s:g} s and was ended; it last said:\n{log.tail()}",
                where=line,
                fix=f"give it more time, or a shorter video; its words are in {log.err}",
            ) from error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    if code:
        raise EstimateError(
            f"the program failed with exit code {code}:\n{log.tail()}",
            where=line,
            fix=f"run the same line by hand{f' in {cwd}' if cwd else ''}; all its words are in {log.err}",
        )
    return time.monotonic() - start


def _environment(cwd: Path | None) -> dict[str, str]:
    """This process's, less what ties programs to its own Python."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")}
    if cwd is not None:
        kept["PYTHONPATH"] = os.pathsep.join([str(cwd.absolute()), *filter(None, [kept.get("PYTHONPATH")])])
    return kept
