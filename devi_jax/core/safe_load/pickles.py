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
            fix="fetch the file again",
        ) from error


class PlainUnpickler(pickle.Unpickler):
    """Unpickles plain containers and arrays; `extra` adds to the globals a file may name."""

    def __init__(self, stream: IO[bytes], where: str, extra: Mapping[tuple[str, str], Any] | None = None):
        super().__init__(stream)
        self._where = where
        self._known = {**array_globals(), **(extra or {})}

    def find_class(self, module: str, name: str, /) -> Any:
        return look_up(self._known, module, name, self._where)

    def load(self) -> Any:
        """The content, with arrays as NumPy's."""
        return plain(super().load())


def look_up(known: Mapping[tuple[str, str], Any], module: str, name: str, where: str) -> Any:
    """What stands for a global that a pickle names; raises `ClipError` for one that is not in the table."""
    if (module, name) in known:
        return known[module, name]
    raise ClipError(
        f"the file wants to load '{module}.{name}', which no array needs: it is never run",
        where=where,
        valid="arrays and tensors of numbers, lists, tuples and dicts",
        fix=REFUSED_MEND,
    )


def array_globals() -> dict[tuple[str, str], Callable[..., Any]]:
    """What a pickle of arrays may name, and what stands for it."""
    known: dict[tuple[str, str], Callable[..., Any]] = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("numpy", "ndarray"): _Array,
        ("numpy", "dtype"): Type,
        ("_codecs", "encode"): _encode,
        ("__builtin__", "bytes"): _no_bytes,
    }
    known |= {(module, "_reconstruct"): _Array for module in _MULTIARRAY}
    known |= {(module, "scalar"): _scalar for module in _MULTIARRAY}
    return known | {(module, "_frombuffer"): from_buffer for module in _NUMERIC}


def object_globals() -> dict[tuple[str, str], Callable[..., Any]]:
    """The same, where arrays may also hold words, and objects that are plain themselves (`numpy.savez`, joblib)."""
    known = {("numpy", "ndarray"): _ObjectArray}
    known |= {(module, "_reconstruct"): _ObjectArray for module in _MULTIARRAY}
    return array_globals() | known | {(module, "scalar"): _word_or_scalar for module in _MULTIARRAY}


class Type:
    """A pickled dtype: its name and its byte order."""

    def __init__(self, name: Any, *_: Any):
        self._name, self._order = str(name), "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._order = {"<": "<", ">": ">"}.get(str(state[1]), "=")

    @property
    def kind(self) -> str:
        """NumPy's letter for the kind."""
        return np.dtype(self._name).kind

    def dtype(self, kinds: str = _KINDS) -> np.dtype:
        """The dtype. Raises ValueError unless it is of one of `kinds`, by default plain numbers."""
        dtype = np.dtype(self._name)
        if dtype.kind not in kinds:
            raise ValueError(f"array of type {dtype}, where numbers would be valid")
        return np.dtype(self._order + dtype.str[1:])


class _Array:
    """A pickled array: empty when made, filled by its state."""

    def __init__(self, *_: Any):
        self.value = np.zeros(0)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, fortran, raw = state
        self.value: Any = from_buffer(raw, kind.dtype(), shape, "F" if fortran else "C")


class _ObjectArray(_Array):
    """A pickled array that may hold words, or objects: a list of them, or the one of an array without axes."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, fortran, raw = state
        if kind.kind != "O":
            self.value = from_buffer(raw, kind.dtype(_KINDS + "U"), shape, "F" if fortran else "C")
            return
        if not isinstance(raw, list) or len(raw) != math.prod(shape):
            raise ValueError(f"objects that do not fill an array of shape {shape}")
        self.value = raw if shape else raw[0]


def from_buffer(raw: Any, dtype: np.dtype | Type, shape: tuple[int, ...], order: str, *_: Any) -> np.ndarray:
    """An array of native byte order, with exactly the numbers that its shape asks for; raises ValueError otherwise."""
    if not isinstance(raw, bytes | bytearray):
        raise ValueError(f"array of {type(raw).__name__}, where numbers would be valid")
    dtype = dtype.dtype() if isinstance(dtype, Type) else dtype
    if any(n < 0 for n in shape) or len(raw) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{len(raw)} bytes for an array of shape {shape} and type {dtype}")
    flat = np.frombuffer(raw, dtype).astype(dtype.newbyteorder("="))
    return flat.reshape(shape, order="F" if order == "F" else "C")


def _scalar(kind: Type, raw: bytes) -> Any:
    return from_buffer(raw, kind.dtype(), (1,), "C")[0].item()


def _word_or_scalar(kind: Type, raw: bytes) -> Any:
    return from_buffer(raw, kind.dtype(_KINDS + "U"), (1,), "C")[0].item()


def _encode(text: str, codec: str = "") -> bytes:
    """How protocol 2 spells bytes."""
    if codec != "latin1":
        raise ValueError(f"bytes in the encoding {codec!r}")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """How protocol 2 spells no bytes."""
    return b""


def plain(value: Any) -> Any:
    """`value` with every array in place of what stood for it."""
    if isinstance(value, _Array):
        return plain(value.value)
    if isinstance(value, dict):
        return type(value)((plain(k), plain(v)) for k, v in value.items())
    if isinstance(value, list | tuple):
        return type(value)(plain(v) for v in value)
    return value
