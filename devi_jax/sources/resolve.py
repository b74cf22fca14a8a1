"""What `--clip=` takes: a bundled name, a clip file, or a foreign recording."""

import difflib
from importlib import resources
from pathlib import Path

from devi_jax.core.clip import Clip
from devi_jax.core.clipfile import load_clip
from devi_jax.core.errors import ClipError
from devi_jax.core.torch_zip import read_matrix
from devi_jax.sources.intermimic import COLUMNS as INTERMIMIC
from devi_jax.sources.intermimic import from_intermimic
from devi_jax.sources.parahome import COLUMNS as PARAHOME
from devi_jax.sources.parahome import from_parahome
from devi_jax.sources.physhoi import COLUMNS as PHYSHOI
from devi_jax.sources.physhoi import from_physhoi

LIST = "python -m devi_jax.clips list"
_READABLE = f"InterMimic ({INTERMIMIC} columns), ParaHome ({PARAHOME}) or PhysHOI ({PHYSHOI})"
_KNOWN_UNREADABLE = {337: "SkillMimic's 53 bodies", 415: "ParaHome with two objects"}


def bundled() -> dict[str, Path]:
    """Names and files of the clips that come with the project."""
    folder = Path(str(resources.files("devi_jax"))) / "data" / "clips"
    return {path.stem: path for path in sorted(folder.glob("*.npz"))}


def resolve(name_or_path: str, mesh: str | Path | None = None, mass_kg: float | None = None) -> Clip:
    """The clip that a bundled name, a clip `.npz` or a foreign `.pt` means.

    `mesh` and `mass_kg` describe the object of a foreign recording; both are refused for clips, which bring their own.
    Raises `ClipError` naming close matches, the file, or the field.
    """
    path = Path(name_or_path)
    if path.suffix == ".pt":
        return _foreign(path, Path(mesh) if mesh is not None else None, mass_kg)
    if mesh is not None or mass_kg is not None:
        raise ClipError(
            "a clip brings its own object",
            where=f"{name_or_path}: --mesh, --mass",
            valid="--mesh and --mass with a foreign recording (.pt)",
            mend="leave them out",
        )
    known = bundled()
    if name_or_path in known:
        return load_clip(known[name_or_path])
    if path.suffix == ".npz":
        return load_clip(path)
    close = difflib.get_close_matches(name_or_path, known, n=3, cutoff=0.5)
    raise ClipError(
        f"no clip '{name_or_path}'" + (f"; did you mean {' or '.join(close)}?" if close else ""),
        where="--clip",
        valid=f"a bundled name ({', '.join(known) or 'none here'}), a clip .npz, or a .pt of {_READABLE}",
        mend=LIST,
    )


def _foreign(path: Path, mesh: Path | None, mass_kg: float | None) -> Clip:
    if not path.is_file():
        raise ClipError(f"no such file: {path}", where="--clip", valid=f"a .pt of {_READABLE}", mend=LIST)
    data = read_matrix(path)
    columns = data.shape[1]
    if columns == INTERMIMIC:
        return from_intermimic(data, path, mesh, mass_kg)
    if columns == PARAHOME:
        return from_parahome(data, path, mesh, mass_kg)
    if columns == PHYSHOI:
        if mesh is not None:
            raise ClipError("PhysHOI's object is a ball", where="--mesh", valid="no mesh", mend="leave --mesh out")
        return from_physhoi(data, path, mass_kg)
    guess = f": {_KNOWN_UNREADABLE[columns]}, which are not read" if columns in _KNOWN_UNREADABLE else ""
    raise ClipError(
        f"the file has {columns} columns{guess}",
        where=str(path),
        valid=_READABLE,
        mend="write a clip of your own with devi_jax.core.clipfile.save_clip",
    )
