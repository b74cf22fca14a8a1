"""A motion as a file, so that a stage's result can be kept, looked at, and replaced by one's own."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from devi_jax.core.errors import ClipError
from devi_jax.core.files import replacing
from perception.human.motion import SkeletonMotion

SCHEMA = 1
"""Version of the file format; any other is refused."""

KIND = "SkeletonMotion"
MEND = "run the stage again that wrote it: --again"
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
    header = json.dumps({"schema": SCHEMA, "kind": KIND, "units": UNITS, **told})
    with replacing(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, header=np.array(header), **arrays)
    return path


def load_motion(path: str | Path) -> SkeletonMotion:
    """Read what `save_motion` wrote.

    Raises:
        ClipError: no such file, damaged, of another kind or version, or not usable.
    """
    where = str(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            header: dict[str, Any] = json.loads(str(file["header"][()]))
            arrays = {name: file[name].astype(float) for name in UNITS}
        kind, schema = header["kind"], header["schema"]
        motion = SkeletonMotion(**arrays, **{name: header[name] for name in ("fps", "frame", "provenance")})
    except Exception as error:  # zip, zlib, JSON and NumPy raise many kinds for a damaged file
        raise ClipError(
            f"not a readable motion ({type(error).__name__}: {error})", where=where, valid="a motion's .npz", fix=MEND
        ) from error
    if (kind, schema) != (KIND, SCHEMA):
        raise ClipError(f"the file holds {kind}, schema {schema}", where=where, valid=f"{KIND}, schema {SCHEMA}")
    motion.validate(where)
    return motion
