"""Pickles of plain containers and NumPy arrays, read without running what the file says.

Every global a pickle names is looked up in a table of what arrays need, and is otherwise refused before it is touched;
even NumPy's own reconstructors are replaced, since their states can lie about types and sizes.
"""

import collections
import math
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from devi_jax.core.errors import ClipError

_KINDS = "fiub"
_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")
REFUSED_MEND = "do not open this file with other programs either, unless you know where it comes from"


def read_pickle(path: str | Path) -> Any:
    """Numbers, strings, lists, tuples, dicts and NumPy arrays of numbers from a pickle.

    Raises `ClipError` for a file that is damaged or names anything else.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            return PlainUnpickler(stream, str(path)).load()
    except ClipError:
        raise
    except Exception as error:  # damaged or hostile bytes can raise anything in the pickle machine
        raise ClipError(
            f"not a readable pickle ({type(error).__name__}: {error})",
            where=str(path),
            valid="a complete pickle of lists, dicts and arrays of numbers",
            mend="fetch the file again",
        ) from error


class PlainUnpickler(pickle.Unpickler):
    """Unpickles plain containers and arrays; `extra` adds to the globals a file may name."""

    def __init__(self, stream: IO[bytes], where: str, extra: Mapping[tuple[str, str], Any] | None = None):
        super().__init__(stream)
        self._where = where
        self._known = {**_globals(), **(extra or {})}

    def find_class(self, module: str, name: str, /) -> Any:
        if (module, name) in self._known:
            return self._known[module, name]
        raise ClipError(
            f"the file wants to load '{module}.{name}', which no array needs: it is never run",
            where=self._where,
            valid="arrays and tensors of numbers, lists, tuples and dicts",
            mend=REFUSED_MEND,
        )

    def load(self) -> Any:
        """The content, with arrays as NumPy's."""
        return _plain(super().load())


def _globals() -> dict[tuple[str, str], Callable[..., Any]]:
    known: dict[tuple[str, str], Callable[..., Any]] = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("numpy", "ndarray"): _Array,
        ("numpy", "dtype"): _Type,
        ("_codecs", "encode"): _encode,
        ("__builtin__", "bytes"): _no_bytes,
    }
    known |= {(module, "_reconstruct"): _Array for module in _MULTIARRAY}
    known |= {(module, "scalar"): _scalar for module in _MULTIARRAY}
    return known | {(module, "_frombuffer"): _from_buffer for module in _NUMERIC}


class _Type:
    """A pickled dtype: its name and its byte order."""

    def __init__(self, name: Any, *_: Any):
        self._name, self._order = str(name), "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._order = {"<": "<", ">": ">"}.get(str(state[1]), "=")

    @property
    def dtype(self) -> np.dtype:
        """The dtype. Raises ValueError unless it is one of plain numbers."""
        dtype = np.dtype(self._name)
        if dtype.kind not in _KINDS:
            raise ValueError(f"array of type {dtype}, where numbers would be valid")
        return np.dtype(self._order + dtype.str[1:])


class _Array:
    """A pickled array: empty when made, filled by its state."""

    def __init__(self, *_: Any):
        self.value = np.zeros(0)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, fortran, raw = state
        self.value = _from_buffer(raw, kind, shape, "F" if fortran else "C")


def _from_buffer(raw: Any, kind: _Type, shape: tuple[int, ...], order: str, *_: Any) -> np.ndarray:
    """An array of native byte order, with exactly the numbers that its shape asks for."""
    if not isinstance(raw, bytes | bytearray):
        raise ValueError(f"array of {type(raw).__name__}, where numbers would be valid")
    dtype = kind.dtype
    if any(n < 0 for n in shape) or len(raw) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{len(raw)} bytes for an array of shape {shape} and type {dtype}")
    flat = np.frombuffer(raw, dtype).astype(dtype.newbyteorder("="))
    return flat.reshape(shape, order="F" if order == "F" else "C")


def _scalar(kind: _Type, raw: bytes) -> Any:
    return _from_buffer(raw, kind, (1,), "C")[0].item()


def _encode(text: str, codec: str = "") -> bytes:
    """How protocol 2 spells bytes."""
    if codec != "latin1":
        raise ValueError(f"bytes in the encoding {codec!r}")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """How protocol 2 spells no bytes."""
    return b""


def _plain(value: Any) -> Any:
    """`value` with every array in place of what stood for it."""
    if isinstance(value, _Array):
        return value.value
    if isinstance(value, dict):
        return type(value)((_plain(k), _plain(v)) for k, v in value.items())
    if isinstance(value, list | tuple):
        return type(value)(_plain(v) for v in value)
    return value
