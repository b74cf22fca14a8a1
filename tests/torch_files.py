"""Torch checkpoints written byte for byte, without torch: what a test says, and nothing that torch would not allow."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np


class Torch:
    """Writes what torch.save writes: a zip of protocol-2 opcodes (`bytes` stand for themselves) and raw storages."""

    @staticmethod
    def name(module: str, name: str) -> bytes:
        """A global by its name, whatever that is."""
        return f"c{module}\n{name}\n".encode()

    @classmethod
    def value(cls, x: Any) -> bytes:
        """A value of plain types."""
        match x:
            case bytes():
                return x
            case bool():
                return b"\x88" if x else b"\x89"
            case int():
                return b"I%d\n" % x
            case str():
                return b"X" + len(x.encode()).to_bytes(4, "little") + x.encode()
            case tuple():
                return b"(" + b"".join(map(cls.value, x)) + b"t"
            case dict():
                return b"}(" + b"".join(cls.value(k) + cls.value(v) for k, v in x.items()) + b"u"
        raise TypeError(type(x))

    @classmethod
    def call(cls, function: bytes, *args: Any) -> bytes:
        """`function(*args)`."""
        return function + cls.value(args) + b"R"

    @classmethod
    def tensor(cls, kind: str, count: int, size: Any, stride: Any, offset: int = 0, grad: bool = False) -> bytes:
        """A tensor in storage "0" of `count` numbers."""
        storage = cls.value(("storage", cls.name("torch", kind), "0", "cpu", count)) + b"Q"
        hooks = cls.call(cls.name("collections", "OrderedDict"))
        rebuild = cls.name("torch._utils", "_rebuild_tensor_v2")
        return cls.call(rebuild, storage, offset, size, stride, grad, hooks)

    @classmethod
    def save(cls, path: Path, content: bytes, storage: bytes = b"", byteorder: str = "little") -> Path:
        """The zip archive of one pickled value and storage "0"."""
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", b"\x80\x02" + content + b".")
            archive.writestr("archive/byteorder", byteorder)
            archive.writestr("archive/data/0", storage)
            archive.writestr("archive/version", "3\n")
        return path

    @classmethod
    def save_matrix(cls, path: Path, data: np.ndarray, grad: bool = False) -> Path:
        """A two-dimensional float64 array."""
        content = cls.tensor("DoubleStorage", data.size, data.shape, (data.shape[1], 1), grad=grad)
        return cls.save(path, content, data.astype("<f8").tobytes())
