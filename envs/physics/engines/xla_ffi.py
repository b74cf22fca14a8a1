"""XLA's foreign function interface, as far as a NumPy function on a CPU needs it.

A mirror of `xla/ffi/api/c_api.h` in ctypes: a stable binary interface, so that programs which call out stay cacheable.
"""

import ctypes as c
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

FLOAT32 = 11
"""`XLA_FFI_DataType_F32`, the only type that may cross."""
VERSION = (0, 1)
"""The oldest version of the interface that has all that is mirrored here."""
METADATA, EXECUTE, INTERNAL = 1, 3, 13
"""`XLA_FFI_Extension_Metadata`, `XLA_FFI_ExecutionStage_EXECUTE`, `XLA_FFI_Error_Code_INTERNAL`."""


class _Sized(c.Structure):
    """What most structures of the interface begin with."""

    _fields_ = [("struct_size", c.c_size_t), ("extension", c.c_void_p)]


class _Version(_Sized):
    _fields_ = [("major", c.c_int), ("minor", c.c_int)]


class _Metadata(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("version", _Version), ("traits", c.c_uint32)]


class _MetadataExtension(c.Structure):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("type", c.c_int),
        ("next", c.c_void_p),
        ("metadata", c.POINTER(_Metadata)),
    ]


class _Buffer(_Sized):
    _fields_ = [("dtype", c.c_int), ("data", c.c_void_p), ("rank", c.c_int64), ("dims", c.POINTER(c.c_int64))]


class _Buffers(_Sized):
    """Arguments or results."""

    _fields_ = [("size", c.c_int64), ("types", c.c_void_p), ("items", c.POINTER(c.POINTER(_Buffer)))]


class _Scalar(c.Structure):
    _fields_ = [("dtype", c.c_int), ("value", c.POINTER(c.c_int64))]


class _Attributes(_Sized):
    _fields_ = [
        ("size", c.c_int64),
        ("types", c.c_void_p),
        ("names", c.c_void_p),
        ("items", c.POINTER(c.POINTER(_Scalar))),
    ]


class _ErrorArguments(_Sized):
    _fields_ = [("message", c.c_char_p), ("code", c.c_int)]


class _Api(_Sized):
    _fields_ = [
        ("version", _Version),
        ("internal", c.c_void_p),
        ("create_error", c.CFUNCTYPE(c.c_void_p, c.POINTER(_ErrorArguments))),
    ]


class _Call(c.Structure):
    """`XLA_FFI_CallFrame`."""

    _fields_ = [
        ("struct_size", c.c_size_t),
        ("extension", c.POINTER(_MetadataExtension)),
        ("api", c.POINTER(_Api)),
        ("context", c.c_void_p),
        ("stage", c.c_int),
        ("arguments", _Buffers),
        ("results", _Buffers),
        ("attributes", _Attributes),
    ]


Handler = c.CFUNCTYPE(c.c_void_p, c.POINTER(_Call))
Chosen = Callable[[int], Callable[..., Sequence[np.ndarray]]]
"""The function that a call's only attribute, an int64, stands for."""


def handler(chosen: Chosen) -> Any:
    """A function that XLA can call, and that must outlive all programs which do.

    Arguments are views of XLA's memory, gone when the function returns; an exception becomes XLA's error.
    """

    def handle(call: Any) -> int | None:
        frame = call.contents
        if frame.extension and frame.extension.contents.type == METADATA:
            version = frame.extension.contents.metadata.contents.version
            version.major, version.minor = VERSION
            return None
        if frame.stage != EXECUTE:
            return None
        try:
            results = chosen(frame.attributes.items[0].contents.value[0])(*_arrays(frame.arguments))
            for view, result in zip(_arrays(frame.results), results, strict=True):
                if view.shape != result.shape:
                    raise ValueError(f"a result has the shape {result.shape}, not {view.shape}")
                view[...] = result
            return None
        except BaseException:  # whatever it is, it must not leave through C
            told = _ErrorArguments(c.sizeof(_ErrorArguments), None, traceback.format_exc().encode(), INTERNAL)
            return frame.api.contents.create_error(c.byref(told))

    return Handler(handle)


def _arrays(buffers: _Buffers) -> list[np.ndarray]:
    return [_array(buffers.items[i].contents) for i in range(buffers.size)]


def _array(buffer: _Buffer) -> np.ndarray:
    if buffer.dtype != FLOAT32:
        raise TypeError(f"XLA's data type {buffer.dtype} where only float32 may cross")
    shape = tuple(buffer.dims[: buffer.rank])
    if 0 in shape:
        return np.zeros(shape, np.float32)
    return np.ctypeslib.as_array(c.cast(buffer.data, c.POINTER(c.c_float)), shape)
