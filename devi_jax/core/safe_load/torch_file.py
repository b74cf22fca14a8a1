"""Read the tensors of a torch zip checkpoint with NumPy alone, without running what the file says.

The pickle inside may name only what rebuilding tensors and NumPy arrays needs; see `unpickle`.
"""

import io
import math
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from devi_jax.core.errors import ClipError
from devi_jax.core.safe_load.pickles import PlainUnpickler

_RESAVE = "torch.save(torch.load(FILE, weights_only=True), FILE) with torch >= 1.6, if you trust its author"
_BFLOAT16 = "bfloat16"

_STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "BFloat16Storage": _BFLOAT16,
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


class _StorageType(NamedTuple):
    dtype: str


class _Storage(NamedTuple):
    values: np.ndarray


def read_torch(path: str | Path) -> Any:
    """The content of a torch zip checkpoint (tensors and arrays in lists, tuples and dicts), tensors as NumPy arrays.

    bfloat16 comes back as float32. Raises `ClipError` for anything but such a file, naming a blocked global.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            return _read_archive(archive, path)
    except (OSError, zipfile.BadZipFile) as error:
        raise ClipError(
            f"not a readable torch checkpoint ({type(error).__name__}: {error})",
            where=str(path),
            valid="a zip archive as torch.save writes it since torch 1.6",
            fix=_RESAVE,
        ) from error


def read_matrix(path: str | Path) -> np.ndarray:
    """The one two-dimensional tensor of a checkpoint, (T, columns) float64: bare, or the only entry of a dict."""
    content = read_torch(path)
    if isinstance(content, dict) and len(content) == 1:
        content = next(iter(content.values()))
    if not isinstance(content, np.ndarray) or content.ndim != 2:
        found = f"an array of shape {content.shape}" if isinstance(content, np.ndarray) else type(content).__name__
        raise ClipError(
            f"the checkpoint holds {found}",
            where=str(path),
            valid="one tensor of shape (frames, columns), bare or alone in a dict",
            fix="torch.save(CONTENT['motion'], FILE) with the tensor that holds the motion",
        )
    return content.astype(np.float64)


def _read_archive(archive: zipfile.ZipFile, path: Path) -> Any:
    pickles = [n for n in archive.namelist() if n == "data.pkl" or n.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise ClipError("the archive is no torch checkpoint", where=str(path), valid="one data.pkl", fix=_RESAVE)
    root = pickles[0].removesuffix("data.pkl")
    if f"{root}byteorder" in archive.namelist() and archive.read(f"{root}byteorder").strip() != b"little":
        raise ClipError("the checkpoint is big-endian", where=f"{path}: byteorder", valid="little", fix=_RESAVE)
    try:
        return _TensorUnpickler(archive, root, path).load()
    except ClipError:
        raise
    except Exception as error:  # damaged or hostile bytes can raise anything in the pickle machine
        raise ClipError(
            f"the checkpoint is damaged ({type(error).__name__}: {error})",
            where=f"{path}: {pickles[0]}",
            valid="a complete torch checkpoint",
            fix="fetch the file again",
        ) from error


class _TensorUnpickler(PlainUnpickler):
    """Unpickles tensors, arrays and plain containers; every other global is an error."""

    def __init__(self, archive: zipfile.ZipFile, root: str, path: Path):
        tensors = {
            ("torch._utils", "_rebuild_tensor"): self._rebuild,
            ("torch._utils", "_rebuild_tensor_v2"): self._rebuild,
            ("torch._utils", "_rebuild_parameter"): lambda data, *_: data,
            ("torch", "Size"): tuple,
            **{("torch", name): _StorageType(dtype) for name, dtype in _STORAGES.items()},
        }
        where = f"{path}: {root}data.pkl"
        super().__init__(io.BytesIO(archive.read(f"{root}data.pkl")), where, tensors)
        self._archive, self._root, self._path = archive, root, path

    def persistent_load(self, pid: Any, /) -> _Storage:
        _, storage_type, key, _, count = pid
        where = f"{self._path}: {self._root}data/{key}"
        if not isinstance(storage_type, _StorageType):
            raise ClipError("storage of an unknown type", where=where, valid=", ".join(_STORAGES))
        raw = self._archive.read(f"{self._root}data/{key}")
        half = storage_type.dtype == _BFLOAT16
        dtype = np.dtype("<u2" if half else storage_type.dtype)
        if len(raw) != count * dtype.itemsize:
            raise ClipError(
                f"storage holds {len(raw)} bytes", where=where, valid=f"{count} numbers", fix="fetch the file again"
            )
        values = np.frombuffer(raw, dtype)
        return _Storage((values.astype("<u4") << 16).view("<f4") if half else values)

    def _rebuild(self, storage: Any, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> Any:
        """A copy of the strided view (torch._utils._rebuild_tensor_v2), inside its storage or not at all."""
        numbers = (offset, *size, *stride)
        sound = (
            isinstance(storage, _Storage)
            and len(size) == len(stride)
            and all(isinstance(n, int) and n >= 0 for n in numbers)
            and math.prod(size) <= len(storage.values)
            and offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True)) < max(len(storage.values), 1)
        )
        if not sound:
            raise ClipError(
                f"tensor of size {tuple(size)} and strides {tuple(stride)} reaches outside its storage",
                where=str(self._path),
                valid="views inside their storage",
                fix="fetch the file again",
            )
        item = storage.values.itemsize
        base = storage.values[offset:]
        view = np.lib.stride_tricks.as_strided(base, size, [s * item for s in stride], writeable=False)
        return np.array(view)
