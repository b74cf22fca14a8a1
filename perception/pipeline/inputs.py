"""What a flag gives a stage: the built-in way, a tool's file, or files of the stage's own kind."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from devi_jax.core.errors import ConfigError, did_you_mean
from perception.contracts import Estimate, EstimateError, HandMotion, load
from perception.readers.shot import Shot
from perception.readers.table import Reader, named
from perception.tools.table import TOOLS

AUTO = "auto"

E = TypeVar("E", bound=Estimate)
T = TypeVar("T")


def named_files(value: str, readers: Mapping[str, Reader], flag: str, default: str = AUTO) -> list[Path]:
    """The files that `value` names: of `TOOL:FILE` or `TOOL:FOLDER` one, of `FILE.npz` or `LEFT.npz,RIGHT.npz` those.

    `default`: what the flag may also say, for the error.

    Raises:
        ConfigError: it is none of these, or a file is not there.
    """
    own = own_files(value)
    if not own and ":" not in value:
        tools = ", ".join(f"{name}:FILE" for name in readers)
        ways = [*filter(None, [default]), tools, "FILE.npz of the stage's own kind, or a tool of --run"]
        what = f"'{value}' names no file and no tool that is run{did_you_mean(value, [AUTO, *readers])}"
        fix = f"--run={value} starts it" if value in readers else ""
        raise ConfigError(what, where=f"{flag}={value}", valid=", ".join(ways), fix=fix)
    found = own or [tool_and_file(value, readers, flag)[1]]
    for path in found:
        if not path.is_file():
            valid = "what the stage wrote" if own else "what the tool wrote"
            raise ConfigError(f"no such file: {path}", where=f"{flag}={value}", valid=valid)
    return found


def tool_and_file(value: str, readers: Mapping[str, Reader[T]], flag: str) -> tuple[Reader[T], Path]:
    """The reader and the file of `TOOL:FILE`, or of `TOOL:FOLDER` the tool's one result anywhere in the folder.

    Raises:
        ConfigError: there is no such tool, no file is named, or the folder holds no result, or several.
    """
    reader, path = named(value, readers, flag)
    if not path.is_dir():
        return reader, path
    result = Path(TOOLS[value.partition(":")[0].removesuffix("-world")].result.format(stem="*")).name
    found = sorted(path.rglob(result))
    if len(found) != 1:
        what = f"there are {len(found)} results in the folder: {', '.join(map(str, found[:5]))}"
        raise ConfigError(
            what if found else f"the folder holds no {result}",
            where=f"{flag}={value}",
            valid=f"a folder with one {result}, or the file itself",
        )
    return reader, found[0]


def own_files(value: str) -> list[Path]:
    """The files of `FILE.npz` or `LEFT.npz,RIGHT.npz`; none of `TOOL:FILE`."""
    parts = value.split(",")
    return [Path(part) for part in parts] if ":" not in value and all(p.endswith(".npz") for p in parts) else []


def read_estimate(value: str, readers: Mapping[str, Reader[E]], kind: type[E], flag: str, shot: Shot) -> E:
    """The estimate that `value` names, of this video. Raises what `named_files` and the readers raise."""
    own = own_files(value)
    if not own:
        reader, path = tool_and_file(value, readers, flag)
        return reader(path, shot)
    if len(own) > 1:
        raise ConfigError(f"{len(own)} files are given", where=f"{flag}={value}", valid="one FILE.npz")
    return _own(own[0], kind, shot)


def read_hands(value: str, readers: Mapping[str, Reader[dict[str, HandMotion]]], flag: str, shot: Shot):
    """Hands by side, as `value` names them.

    Raises what `read_estimate` raises, and `EstimateError` for two files of one hand.
    """
    own = own_files(value)
    if not own:
        reader, path = tool_and_file(value, readers, flag)
        return reader(path, shot)
    hands: dict[str, HandMotion] = {}
    for path in own:
        hand = _own(path, HandMotion, shot)
        if hand.side in hands:
            raise EstimateError(f"two files are of the {hand.side} hand", where=f"{flag}={value}", valid="one a hand")
        hands[hand.side] = hand
    return hands


def _own(path: Path, kind: type[E], shot: Shot) -> E:
    found = load(path, kind)
    shot.check_length(found.frames, str(path))
    shot.check_size(*found.size_px, str(path))
    return found
