"""Foreign `.npz` archives, arrays of Python objects included, read without running what the file says.

`numpy.load` reads such arrays only with `allow_pickle`, which runs any code a file names; see `unpickle`.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from numpy.lib import format as npy

from devi_jax.core.errors import ClipError
from devi_jax.core.safe_load.pickles import PlainUnpickler, object_globals

_VALID = "an .npz as numpy.savez writes it: numbers, words, and dicts of arrays of numbers"


class Npz(Mapping[str, Any]):
    """A foreign archive: names of its entries at once, each entry read when it is asked for."""

    def __init__(self, path: str | Path):
        """Raises `ClipError` for what is no archive."""
        self.path = Path(path)
        with self._open() as archive:
            self._names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, name: str) -> Any:
        """An array of numbers; of objects, the one object or a list of them; a word as `str`.

        Raises `ClipError` for a damaged entry and for one that names anything but arrays; `KeyError` for none.
        """
        if name not in self._names:
            raise KeyError(name)
        where = f"{self.path}: {name}"
        with self._open() as archive:
            try:
                return _entry(archive.read(f"{name}.npy"), where)
            except ClipError:
                raise
            except Exception as error:  # damaged or hostile bytes can raise anything in zlib, NumPy and pickle
                raise ClipError(
                    f"not a readable array ({type(error).__name__}: {error})",
                    where=where,
                    valid=_VALID,
                    fix="fetch the file again",
                ) from error

    def _open(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.path)
        except (OSError, zipfile.BadZipFile) as error:
            raise ClipError(
                f"not a readable archive ({type(error).__name__}: {error})",
                where=str(self.path),
                valid=_VALID,
                fix="fetch the file again",
            ) from error


def _entry(raw: bytes, where: str) -> Any:
    stream = io.BytesIO(raw)
    version = npy.read_magic(stream)
    header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    dtype = header(stream)[2]
    if dtype.hasobject:
        return PlainUnpickler(stream, where, object_globals()).load()
    stream.seek(0)
    value = npy.read_array(stream, allow_pickle=False)
    return str(value) if value.ndim == 0 and dtype.kind in "US" else value
