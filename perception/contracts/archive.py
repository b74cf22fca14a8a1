"""Contracts as files: one versioned `.npz` each, read without pickle, written whole or not at all.

A JSON string `header` holds schema, kind, units, tool, licence, provenance, and under `values` every other field that
is no array; the arrays keep their names.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from devi_jax.core.files import replacing
from perception.contracts.checks import EstimateError
from perception.contracts.estimate import Estimate, Origin

SCHEMA = 1
"""Version of the file format; readers refuse any other."""

AGAIN = "run the stage again that wrote it, or fetch the file again"

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
        "schema": SCHEMA,
        "kind": type(estimate).__name__,
        "units": {name: estimate.UNITS[name] for name in arrays},
        "values": {name: value for name, value in fields.items() if name not in arrays and value is not None},
        **dataclasses.asdict(estimate.origin),
    }
    with replacing(path) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, header=np.array(json.dumps(header)), **arrays)  # type: ignore[arg-type]
    return path


def load(path: str | Path, kind: type[E]) -> E:
    """Read and validate an estimate of type `kind`.

    Raises:
        EstimateError: no such file, damaged, of another schema or kind, with pickled objects, or not sound.
    """
    path = Path(path)
    arrays = _arrays(path, kind)
    header = _header(arrays, path, kind)
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


def _arrays(path: Path, kind: type[Estimate]) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise EstimateError(f"no such file: {path}", where=str(path), valid=f"a {kind.__name__} .npz", fix=AGAIN)
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except Exception as error:  # zip, zlib and NumPy raise many kinds for a damaged file
        pickled = isinstance(error, ValueError) and "object arrays" in str(error).lower()
        raise EstimateError(
            "the file holds pickled objects, which are never read: they can run code"
            if pickled
            else f"not a readable file ({type(error).__name__}: {error})",
            where=str(path),
            valid=f"an .npz of schema {SCHEMA}: numeric arrays and one JSON string",
            fix=AGAIN,
        ) from error


def _header(arrays: dict[str, np.ndarray], path: Path, kind: type[Estimate]) -> dict[str, Any]:
    try:
        header = json.loads(str(arrays.pop("header")[()]))
        schema, name, _ = header["schema"], header["kind"], header["values"].items()
    except (KeyError, IndexError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise EstimateError(
            "the file has no readable header",
            where=f"{path}: header",
            valid=f"a JSON string with schema {SCHEMA}, kind and values",
            fix="if another tool wrote the file, name it: TOOL:FILE",
        ) from error
    if schema != SCHEMA:
        raise EstimateError(f"the file has schema {schema}", where=f"{path}: header", valid=f"{SCHEMA}", fix=AGAIN)
    if name != kind.__name__:
        raise EstimateError(f"the file holds {name}", where=f"{path}: header", valid=kind.__name__)
    return header
