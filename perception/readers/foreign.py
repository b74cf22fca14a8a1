"""Foreign files as one flat dict of arrays, whichever of .npz, .npy, .pt and .pkl they are, and what they must hold."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from devi_jax.core.safe_load.pickles import read_pickle
from devi_jax.core.safe_load.torch_file import read_torch
from perception.contracts import EstimateError
from perception.readers.shot import Shot

SUFFIXES = (".npz", ".npy", ".pt", ".pth", ".pkl", ".pickle")


def load_content(path: Path) -> Any:
    """What a file holds: a dict for `.npz`, an array for `.npy`, whatever was saved for `.pt` and `.pkl`.

    Raises:
        EstimateError: no such file, another kind of file, a damaged one, or one with objects other than arrays.
        ClipError: a `.pt` or `.pkl` is damaged or wants to run code.
    """
    if not path.is_file():
        raise EstimateError(f"no such file: {path}", where=str(path), valid=f"a file ({', '.join(SUFFIXES)})")
    match path.suffix:
        case ".npz" | ".npy":
            return _numpy(path)
        case ".pt" | ".pth":
            return read_torch(path)
        case ".pkl" | ".pickle":
            return read_pickle(path)
    raise EstimateError(
        f"'{path.suffix}' is no kind of file that tools write", where=str(path), valid=" ".join(SUFFIXES)
    )


def arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file of nested dicts, by names joined with dots (`smpl_params_incam.betas`)."""
    return flatten_arrays(load_content(path), str(path))


def flatten_arrays(values: Any, where: str) -> dict[str, np.ndarray]:
    """Arrays and numbers of nested dicts, by names joined with dots. Raises `EstimateError` for anything but a dict."""
    if not isinstance(values, dict):
        raise EstimateError(f"the file holds {type(values).__name__}", where=where, valid="arrays by name")
    out: dict[str, np.ndarray] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            out |= {f"{key}.{inner}": array for inner, array in flatten_arrays(value, where).items()}
        elif isinstance(value, np.ndarray | int | float | bool | list):
            out[str(key)] = _array(value, f"{where}: {key}")
    return out


def check_video(values: dict[str, np.ndarray], shot: Shot, where: str) -> None:
    """Raise `EstimateError` if the file says, in `frames` and `size` (width, height), that it is of another video.

    Files of detections name only the frames with something in them, so that they cannot be told by their length.
    """
    if "frames" in values:
        shot.check_length(int(require_array(values, "frames", (), where)), where)
    if "size" in values:
        width, height = require_array(values, "size", (2,), where)
        shot.check_size(float(width), float(height), where)


def require_array(values: dict[str, np.ndarray], key: str, spec: Sequence[int | None], where: str) -> np.ndarray:
    """`values[key]` as floating point numbers of the shape `spec`, None for any size.

    Raises:
        EstimateError: it is not there, of another shape, or holds no numbers.
    """
    named = ", ".join("*" if n is None else str(n) for n in spec)
    if key not in values:
        raise EstimateError(
            f"the file lacks '{key}'",
            where=where,
            valid=f"'{key}' ({named}); there are {', '.join(sorted(values)) or 'no arrays'}",
            fix="check that the file is named after the tool that wrote it: TOOL:FILE",
        )
    value = values[key]
    fits = value.ndim == len(spec) and all(n in (None, size) for n, size in zip(spec, value.shape, strict=True))
    if not fits or value.dtype.kind not in "fiub":
        raise EstimateError(
            f"'{key}' has shape {value.shape} and type {value.dtype}", where=where, valid=f"numbers ({named})"
        )
    return value.astype(np.float64)


def _numpy(path: Path) -> Any:
    try:
        with np.load(path, allow_pickle=False) if path.suffix == ".npz" else path.open("rb") as file:
            if isinstance(file, np.lib.npyio.NpzFile):
                return {key: file[key] for key in file.files}
            return np.load(file, allow_pickle=False)
    except Exception as error:  # zip, zlib and NumPy raise many kinds for a damaged file
        pickled = isinstance(error, ValueError) and "object arrays" in str(error).lower()
        raise EstimateError(
            "the file holds pickled objects, which are never read: they can run code"
            if pickled
            else f"not a readable file ({type(error).__name__}: {error})",
            where=str(path),
            valid="arrays of numbers",
            fix="save it with arrays of numbers only" if pickled else "run the tool again",
        ) from error


def _array(value: Any, where: str) -> np.ndarray:
    try:
        return np.asarray(value)
    except ValueError as error:
        raise EstimateError(f"no array: {error}", where=where, valid="numbers in rows of one length") from error
