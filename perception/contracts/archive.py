"""Contracts as files: one versioned `.npz` each (see `devi_jax.core.npz_container`).

The header holds schema, kind, units, tool, licence, provenance, and under `values` every other field that is no array;
the arrays keep their names.
"""

import dataclasses
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from devi_jax.core.npz_container import NpzFormat
from perception.contracts.checks import EstimateError
from perception.contracts.estimate import Estimate, Origin

SCHEMA = 1
"""Version of the file format; readers refuse any other."""

AGAIN = "run the stage again that wrote it, or fetch the file again; if another tool wrote it, name that: TOOL:FILE"

E = TypeVar("E", bound=Estimate)


def save(estimate: Estimate, path: str | Path) -> Path:
    """Validate and write; the file appears only when it is complete.

    Raises:
        EstimateError: the estimate is not sound.
    """
    path = Path(path)
    estimate.validate(str(path))
    fields = {f.name: getattr(estimate, f.name) for f in dataclasses.fields(estimate) if f.name != "origin"}
    arrays = {name: value for name, value in fields.items() if isinstance(value, np.ndarray)}
    header = {
        "units": {name: estimate.UNITS[name] for name in arrays},
        "values": {name: value for name, value in fields.items() if name not in arrays and value is not None},
        **dataclasses.asdict(estimate.origin),
    }
    return _format(type(estimate)).write(path, arrays, header)


def load(path: str | Path, kind: type[E]) -> E:
    """Read and validate an estimate of type `kind`.

    Raises:
        EstimateError: no such file, damaged, of another schema or kind, with pickled objects, or not sound.
    """
    path = Path(path)
    header, arrays = _format(kind).read(path)
    fields = {f.name: f for f in dataclasses.fields(kind) if f.name != "origin"}
    values = {name: tuple(v) if isinstance(v, list) else v for name, v in header["values"].items()}
    needed, found = {n for n, f in fields.items() if f.default is dataclasses.MISSING}, {*values, *arrays}
    if needed - found or found - {*fields}:
        said = [f"lacks {', '.join(sorted(needed - found))}"] if needed - found else []
        said += [f"has {', '.join(sorted(found - {*fields}))}, unknown to {kind.__name__}"] if found - {*fields} else []
        raise EstimateError(f"the file {' and '.join(said)}", where=str(path), valid=", ".join(fields), fix=AGAIN)
    try:
        origin = Origin(str(header["tool"]), str(header["licence"]), dict(header["provenance"]))
        given: dict[str, Any] = {**values, **arrays, "origin": origin}
        estimate = kind(**given)
        estimate.validate(str(path))
    except (KeyError, TypeError, AttributeError, ValueError) as error:  # a header with values of other types
        raise EstimateError(
            f"the file's header is not sound ({type(error).__name__}: {error})", where=f"{path}: header", fix=AGAIN
        ) from error
    return estimate


def _format(kind: type[Estimate]) -> NpzFormat:
    name = kind.__name__
    return NpzFormat(name, SCHEMA, EstimateError, AGAIN, kind=name, fields=("values",))
