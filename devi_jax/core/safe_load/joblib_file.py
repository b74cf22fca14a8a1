"""Pickles with joblib's arrays between their opcodes, or without, read without running what the file says.

joblib writes a wrapper with type and shape where an array belongs, and after it the array's bytes; see `unpickle`.
"""

import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from devi_jax.core.errors import ClipError
from devi_jax.core.safe_load.pickles import from_buffer, look_up, object_globals, plain

_WRAPPER = ("joblib.numpy_pickle", "NumpyArrayWrapper")
_VALID = "a pickle, or what joblib.dump writes since joblib 0.10 without compress"
_MEND = "joblib.dump(joblib.load(FILE), NEW) where you trust its author"


def read_joblib(path: str | Path) -> Any:
    """Numbers, words, lists, tuples, dicts and NumPy arrays from a file of pickle.dump or joblib.dump.

    Raises `ClipError` for a file that is damaged or compressed or names anything else.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            return plain(_Unpickler(stream, str(path)).load())
    except ClipError:
        raise
    except Exception as error:  # damaged or hostile bytes can raise anything in the pickle machine
        raise ClipError(
            f"not a readable pickle ({type(error).__name__}: {error})", where=str(path), valid=_VALID, fix=_MEND
        ) from error


class _Wrapper:
    """What joblib writes in an array's place: `shape`, `dtype`, `order`, and whether padding follows."""

    def __init__(self, *_: Any):
        self.state: dict[str, Any] = {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.state = state


_PythonUnpickler: Any = pickle._Unpickler  # type: ignore[attr-defined]
"""Only the one written in Python can be stopped between two opcodes."""


class _Unpickler(_PythonUnpickler):
    def __init__(self, stream: Any, where: str):
        super().__init__(stream)
        self._where, self._stream = where, stream
        self._known = object_globals() | {_WRAPPER: _Wrapper}

    def find_class(self, module: str, name: str) -> Any:
        return look_up(self._known, module, name, self._where)

    def load_build(self) -> None:
        super().load_build()
        if isinstance(self.stack[-1], _Wrapper):
            self.stack[-1] = self._array(self.stack[-1].state)

    dispatch = {**_PythonUnpickler.dispatch, pickle.BUILD[0]: load_build}

    def _array(self, state: dict[str, Any]) -> Any:
        """The array whose bytes follow; one of objects is a pickle of its own."""
        if state["dtype"].kind == "O":
            return _Unpickler(self._stream, self._where).load()
        if "numpy_array_alignment_bytes" in state:
            self.read(self.read(1)[0])
        dtype = state["dtype"].dtype("fiubU")
        raw = self.read(math.prod(state["shape"]) * dtype.itemsize)
        # joblib writes Fortran order as the transpose in C order
        if state["order"] == "F":
            return np.ascontiguousarray(from_buffer(raw, dtype, state["shape"][::-1], "C").T)
        return from_buffer(raw, dtype, state["shape"], "C")
