"""Files as joblib.dump writes them, byte for byte, without joblib: an array's bytes follow the wrapper in its place."""

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

ALIGNMENT = 16


class NumpyArrayWrapper:
    """What stands for an array; its name and module are those of joblib's."""


def dump_joblib(content: Any, path: Path, aligned: bool = True) -> Path:
    """Write `content` to `path`; `aligned` as since joblib 1.2."""
    stream = io.BytesIO()
    pickler = _Pickler(stream, aligned)
    pickler.framer.start_framing = lambda: None  # joblib writes no frames: raw bytes go between opcodes
    pickler.dump(content)
    path.write_bytes(stream.getvalue())
    return path


_PythonPickler: Any = pickle._Pickler  # type: ignore[attr-defined]


class _Pickler(_PythonPickler):
    def __init__(self, stream: io.BytesIO, aligned: bool):
        super().__init__(stream, protocol=4)
        self.stream, self.aligned = stream, aligned

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if obj is NumpyArrayWrapper:
            self.write(pickle.GLOBAL + b"joblib.numpy_pickle\nNumpyArrayWrapper\n")
            return
        if type(obj) is not np.ndarray:
            super().save(obj, save_persistent_id)
            return
        wrapper = NumpyArrayWrapper()
        order = "F" if obj.flags.f_contiguous and not obj.flags.c_contiguous else "C"
        state = {"subclass": np.ndarray, "shape": obj.shape, "order": order, "dtype": obj.dtype, "allow_mmap": True}
        wrapper.__dict__.update(state | ({"numpy_array_alignment_bytes": ALIGNMENT} if self.aligned else {}))
        super().save(wrapper)
        if self.aligned:
            padding = ALIGNMENT - (self.stream.tell() + 1) % ALIGNMENT
            self.stream.write(bytes([padding]) + b"\xff" * padding)
        self.stream.write(obj.tobytes("F" if order == "F" else "C"))
