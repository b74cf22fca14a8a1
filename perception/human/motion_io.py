"""A motion as a file, so that a stage's result can be kept, looked at, and replaced by one's own."""

from dataclasses import asdict
from pathlib import Path

from devi_jax.core.errors import ClipError
from devi_jax.core.npz_container import NpzFormat
from perception.human.motion import SkeletonMotion

SCHEMA = 1
"""Version of the file format; any other is refused."""

FIX = "run the stage again that wrote it: --again"
FORMAT = NpzFormat("motion", SCHEMA, ClipError, FIX, kind="Motion")
"""`kind` is not the class's name: files outlive it."""
UNITS = {"rotations": "quaternions wxyz", "root": "m", "offsets": "m"}


def save_motion(motion: SkeletonMotion, path: str | Path) -> Path:
    """Write one `.npz`, whole or not at all: rotations, root, offsets, and a JSON `header` with all the rest.

    Raises:
        ClipError: the motion is not usable.
    """
    path = Path(path)
    motion.validate(str(path))
    told = asdict(motion)
    arrays = {name: told.pop(name) for name in UNITS}
    return FORMAT.write(path, arrays, {"units": UNITS, **told})


def load_motion(path: str | Path) -> SkeletonMotion:
    """Read what `save_motion` wrote.

    Raises:
        ClipError: no such file, damaged, of another kind or version, or not usable.
    """
    path = Path(path)
    header, arrays = FORMAT.read(path)
    try:
        given = {name: arrays[name].astype(float) for name in UNITS}
        motion = SkeletonMotion(**given, **{name: header[name] for name in ("fps", "frame", "provenance")})
    except KeyError as error:
        raise ClipError(f"a motion lacks {error}", where=str(path), valid="a motion's .npz", fix=FIX) from error
    motion.validate(str(path))
    return motion
