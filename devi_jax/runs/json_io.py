"""Python values as JSON."""

import json
import math
import os
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from devi_jax.core.files import write_text

LARGEST_ARRAY = 64
"""Arrays with more elements than this are written as their shape and dtype."""


def jsonable(value: Any) -> Any:
    """`value` in JSON types: dataclasses by field, functions and classes by name, paths as text.

    Numbers that are not finite become null, which is what JSON has for them.
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: jsonable(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(k): jsonable(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [jsonable(v) for v in value]
    if isinstance(value, Enum):
        return jsonable(value.value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "__array__"):
        return _array(np.asarray(value))
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, partial):
        return {"function": jsonable(value.func), "args": jsonable(value.args), "keywords": jsonable(value.keywords)}
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _array(array: np.ndarray) -> Any:
    if array.size > LARGEST_ARRAY:
        return {"shape": list(array.shape), "dtype": str(array.dtype)}
    return jsonable(array.tolist())


def write_json(path: Path, value: Any) -> None:
    """Write `value` (see `jsonable`) to `path`, whole or not at all."""
    write_text(path, json.dumps(jsonable(value), indent=2, allow_nan=False) + "\n")
