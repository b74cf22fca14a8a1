"""A tool in the user's environment, from a video to its result: where it is, how it is called, what it leaves."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from devi_jax.core.errors import ConfigError
from devi_jax.core.files import filling
from perception.contracts import Estimate, EstimateError
from perception.readers.shot import Shot
from perception.tools.locations import ToolLocation
from perception.tools.process import Log, run
from perception.tools.subprocesses import arguments

SCRIPTS = Path(__file__).parent / "scripts"

E = TypeVar("E")


@dataclass(frozen=True)
class Tool:
    """What is known of a tool, wherever it is installed."""

    name: str
    command: str
    """Its command line, with {python}, {video}, {stem} (the video's name without suffix), {out} (an empty folder),
    {scripts}, and the names of `settings`."""
    result: str
    """What it leaves, below {out}."""
    licence: str
    home: str
    """Where a user gets it."""
    settings: Mapping[str, object] = field(default_factory=dict)
    """Further names in `command`, and their values unless the user gives others."""
    repo: bool = True
    """Whether it runs inside a checkout of its repository."""
    beside: bool = False
    """Whether it looks for the video in {out}."""

    def result_of(self, video: Path) -> str:
        """What it leaves of `video`, relative to {out}."""
        return self.result.format(stem="video" if self.beside else video.stem)


@dataclass(frozen=True)
class ToolRun:
    """A tool's result, and how it came about."""

    path: Path
    provenance: dict[str, Any]


def run_tool(
    tool: Tool,
    location: ToolLocation,
    video: Path,
    folder: Path,
    settings: Mapping[str, object] | None = None,
    say: Callable[[str], None] = print,
) -> ToolRun:
    """Run `tool` on `video`; what it leaves is in `folder`, which stays as it was if it fails.

    It works in an empty folder: several tools take what lies there from another run for this one's. The licence is
    told through `say`.

    Raises:
        ConfigError: it is not said where the tool is, or there is no such program.
        EstimateError: it failed, took too long, or left nothing; its words stay in `<folder>.err.txt`.
    """
    flag = f"--{tool.name}"
    check_location(tool, location)
    folder = folder.absolute()  # the tool runs elsewhere
    log = Log(folder)
    say(f"{tool.name}: {tool.licence} ({tool.home})")
    with filling(folder) as out:
        seen = out / f"video{video.suffix}" if tool.beside else video.absolute()
        if tool.beside:
            shutil.copyfile(video, seen)
        values = {"video": seen, "stem": seen.stem, "out": out, "scripts": SCRIPTS}
        values |= {**tool.settings, **(settings or {}), **location.settings}
        values = {k: v.expanduser().absolute() if isinstance(v, Path) else v for k, v in values.items()}
        command = _command(location.command or tool.command, location.python, values, flag)
        seconds = run(command, log, location.timeout_s, location.repo and location.repo.expanduser(), flag)
        result = out / tool.result_of(video)
        if not result.is_file():
            found = sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file() and p != seen)
            raise EstimateError(
                f"{tool.name} ended well but left no result; there is {', '.join(found[:8]) or 'nothing'}",
                where=" ".join(command),
                valid=f"{result.relative_to(out)} in {{out}}",
                fix=f"check the command against the tool's documentation ({tool.home}); its words are in {log.out}",
            )
        shown = [part.replace(str(out), str(folder)) for part in command]
        for part in out.iterdir():  # a folder is not replaced by one of the same name
            if (folder / part.name).is_dir():
                shutil.rmtree(folder / part.name)
    notes = {"tool": tool.name, "command": shown, "seconds": round(seconds, 3), "licence": tool.licence}
    return ToolRun(folder / tool.result_of(video), notes)


def read_result(ran: ToolRun, reader: Callable[[Path, Shot], E], shot: Shot) -> E:
    """What `reader` finds in a tool's result, with the run in its provenance.

    Raises as the reader does; the estimate of another video's length is one such error.
    """
    found: Any = reader(ran.path, shot)
    if isinstance(found, dict):
        return {side: _with_run(part, ran) for side, part in found.items()}  # type: ignore[return-value]
    return _with_run(found, ran)


def _with_run(found: Estimate, ran: ToolRun) -> Any:
    return replace(found, origin=replace(found.origin, provenance={**found.origin.provenance, "run": ran.provenance}))


def check_location(tool: Tool, location: ToolLocation) -> None:
    """Raise `ConfigError` unless it is said where `tool` is, and that is there."""
    flag = f"--{tool.name}"
    command = location.command or tool.command
    missing = [f"{flag}.python"] if "{python}" in command and not location.python.strip() else []
    missing += [f"{flag}.repo"] if tool.repo and not location.command and location.repo is None else []
    if missing:
        raise ConfigError(
            f"it is not said where {tool.name} is: {' and '.join(missing)}",
            where=flag,
            valid=f"{flag}.python=PYTHON_OF_ITS_ENVIRONMENT{f' {flag}.repo=ITS_CHECKOUT' if tool.repo else ''}",
            fix=f"install it ({tool.home}; {tool.licence}), or give a file of its: {tool.name}:FILE",
        )
    if not location.timeout_s > 0:
        raise ConfigError(f"timeout_s is {location.timeout_s}", where=f"{flag}.timeout-s", valid="above 0 seconds")
    if location.repo is not None and not location.repo.expanduser().is_dir():
        valid = "the checkout of the tool's repository"
        raise ConfigError(f"no such folder: {location.repo}", where=f"{flag}.repo", valid=valid)


def _command(template: str, python: str, values: Mapping[str, object], flag: str) -> list[str]:
    """The command's parts; {python} may itself be several words."""
    parts = arguments(template, {"python": "\0", **values}, f"{flag}.command")
    interpreter = arguments(python, {}, f"{flag}.python") if python.strip() else []
    if interpreter and "/" in interpreter[0]:
        interpreter[0] = str(Path(interpreter[0]).expanduser().absolute())
    return [word for part in parts for word in (interpreter if part == "\0" else [part])]
