"""The container of our files: an `.npz` of arrays with a JSON header, read without pickle, written whole or not at all.

The header is a string array (named `header` unless the format says otherwise) with the version of the format and, where
several kinds of file share a suffix, the kind. A header may hold a digest of the arrays, which readers then check.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from devi_jax.core.errors import DeviError
from devi_jax.core.files import replacing

DIGEST = "sha256"
"""The header's field for the digest of the arrays."""

PICKLED = "the file holds pickled objects, which are never read: they can run code"


class UnreadableNpz(Exception):
    """Why an `.npz` cannot be read, in one sentence; `pickled`: because it would run code."""

    def __init__(self, why: str, pickled: bool = False):
        super().__init__(why)
        self.pickled = pickled


@dataclass(frozen=True)
class NpzFormat:
    """One kind of file, and how files that are not of it are refused.

    Attributes:
        name: what a file of it is called in messages.
        schema: version that is written, and the only one that is read.
        error: class of the errors.
        fix: the command or step that makes such a file anew.
        kind: value of the header's `kind`; empty where there is none.
        fields: JSON objects that a header must hold beside those two.
        header: name of the string array with the header.
        schema_field: name of the version in the header.
        bare: also read files without a header, as they were written before the format had one.
    """

    name: str
    schema: int
    error: type[DeviError]
    fix: str = ""
    kind: str = ""
    fields: tuple[str, ...] = ()
    header: str = "header"
    schema_field: str = "schema"
    bare: bool = False

    def write(
        self,
        path: Path,
        arrays: Mapping[str, Any],
        header: Mapping[str, Any] | None = None,
        *,
        digest: bool = False,
        indent: int | None = None,
    ) -> Path:
        """Write `arrays` with the version, the kind and the fields of `header`; the file appears only when complete.

        Args:
            path: the file; its folder is made where it is missing.
            arrays: numeric arrays by name.
            header: more fields, of JSON types.
            digest: keep a digest of the arrays in the header. For files that nobody edits.
            indent: of the header's JSON.
        """
        fields: dict[str, Any] = {self.schema_field: self.schema}
        fields |= {"kind": self.kind} if self.kind else {}
        fields |= header or {}
        fields |= {DIGEST: digest_of(arrays)} if digest else {}
        packed = {self.header: np.array(json.dumps(fields, indent=indent)), **arrays}
        with replacing(path) as temporary, temporary.open("wb") as stream:
            np.savez_compressed(stream, **packed)  # type: ignore[arg-type]
        return path

    def read(self, path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Header and arrays of a file of this format.

        Raises:
            DeviError: of class `error`: no such file, damaged, with pickled objects or arrays of anything but numbers,
                without a header, of another kind or version, or changed since its digest was taken.
        """
        if not path.exists():
            raise self._refused(f"no such file: {path}", str(path), f"a {self.name} (.npz)")
        try:
            arrays = read_arrays(path)
        except UnreadableNpz as error:
            why = str(error) if error.pickled else f"not a readable {self.name} ({error})"
            raise self._refused(
                why, str(path), f"an .npz of schema {self.schema}: numeric arrays and one JSON string"
            ) from error
        header = self._header(arrays, path)
        for key, value in arrays.items():
            if value.dtype.kind not in "fiub":
                raise self._refused(f"array is of type {value.dtype}", f"{path}: {key}", "numbers")
        if DIGEST in header and header[DIGEST] != digest_of(arrays):
            raise self._refused("the arrays are not those that were written", f"{path}: {self.header}.{DIGEST}", "")
        return header, arrays

    def _header(self, arrays: dict[str, np.ndarray], path: Path) -> dict[str, Any]:
        """Take the header out of `arrays` and check kind and version."""
        if self.bare and self.header not in arrays:
            return {}
        try:
            header = json.loads(str(arrays.pop(self.header)[()]))
            schema, found = header[self.schema_field], header.get("kind")
            _ = [header[name].items() for name in self.fields]
        except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
            parts = [f"{self.schema_field} {self.schema}", *([f"kind {self.kind}"] if self.kind else []), *self.fields]
            raise self._refused(
                f"the file has no readable header: it is not a {self.name}",
                f"{path}: {self.header}",
                f"a JSON string with {', '.join(parts)}",
            ) from error
        if self.kind and found != self.kind:
            raise self._refused(f"the file holds {found}", f"{path}: {self.header}.kind", self.kind)
        if schema != self.schema:
            where = f"{path}: {self.header}.{self.schema_field}"
            raise self._refused(f"{self.name} has schema {schema}", where, f"{self.schema}")
        return header

    def _refused(self, what: str, where: str, valid: str) -> DeviError:
        return self.error(what, where=where, valid=valid, fix=self.fix)


def read_arrays(path: Path, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
    """All arrays of an `.npz`, or those of `names`, without ever unpickling one. Raises `UnreadableNpz`."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return {key: file[key] for key in (file.files if names is None else names)}
    except Exception as error:  # zip, zlib and NumPy raise many kinds for a damaged file
        raise _unreadable(error) from error


def read_array(path: Path) -> np.ndarray:
    """The array of a `.npy`, without ever unpickling it. Raises `UnreadableNpz`."""
    try:
        with path.open("rb") as stream:
            return np.lib.format.read_array(stream, allow_pickle=False)
    except Exception as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> UnreadableNpz:
    pickled = isinstance(error, ValueError) and "object arrays" in str(error).lower()
    return UnreadableNpz(PICKLED if pickled else f"{type(error).__name__}: {error}", pickled)


def array_names(path: Path) -> list[str]:
    """Names of an `.npz`'s arrays; none of a file that is no such."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return list(file.files)
    except Exception:  # as in `read_arrays`
        return []


def digest_of(arrays: Mapping[str, Any]) -> str:
    """A SHA-256 of names, types, shapes and content, in whichever order the arrays come."""
    out = hashlib.sha256()
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        out.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        out.update(array.tobytes())
    return out.hexdigest()
