"""Readers by the names that the command line knows: `--body=gvhmr:FILE`, and a contract's own file without a name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from devi_jax.core.errors import ConfigError, did_you_mean
from perception.contracts import BodyMotion, Depth, HandMotion, Masks, PointTracks
from perception.readers.cotracker import read_cotracker
from perception.readers.gem import read_gem, read_gem_hands
from perception.readers.gvhmr import read_gvhmr, read_gvhmr_world
from perception.readers.hamer import read_hamer
from perception.readers.sam3 import read_sam3
from perception.readers.sam3d import read_sam3d, read_sam3d_hands
from perception.readers.shot import Shot
from perception.readers.spatracker import read_spatracker, read_spatracker_depth
from perception.readers.tapir import read_tapir
from perception.readers.wilor import read_wilor

T = TypeVar("T")
Reader = Callable[[Path, Shot], T]

BODY: Mapping[str, Reader[BodyMotion]] = {
    "gvhmr": read_gvhmr,
    "gvhmr-world": read_gvhmr_world,
    "gem": read_gem,
    "sam3d": read_sam3d,
}
HANDS: Mapping[str, Reader[dict[str, HandMotion]]] = {
    "hamer": read_hamer,
    "wilor": read_wilor,
    "gem": read_gem_hands,
    "sam3d": read_sam3d_hands,
}
POINTS: Mapping[str, Reader[PointTracks]] = {
    "cotracker": read_cotracker,
    "tapir": read_tapir,
    "spatracker": read_spatracker,
}
MASKS: Mapping[str, Reader[Masks]] = {"sam3": read_sam3}
DEPTH: Mapping[str, Reader[Depth]] = {"spatracker": read_spatracker_depth}


def named(value: str, readers: Mapping[str, Reader[T]], flag: str) -> tuple[Reader[T], Path]:
    """The reader and the file of `TOOL:FILE`.

    Raises:
        ConfigError: there is no such tool, or no file is named.
    """
    tool, _, file = value.partition(":")
    if tool not in readers or not file:
        what = f"'{value}' does not say which tool wrote which file{did_you_mean(tool, readers)}"
        raise ConfigError(what, where=f"{flag}={value}", valid=", ".join(f"{name}:FILE" for name in readers))
    return readers[tool], Path(file)
