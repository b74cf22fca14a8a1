"""What `--clip=` takes: a bundled name, a clip file, or a foreign recording, known by what is in it."""

import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from devi_jax.core.clip import Clip
from devi_jax.core.clip_io import load_clip
from devi_jax.core.errors import ClipError, did_you_mean
from devi_jax.core.safe_load.joblib_file import read_joblib
from devi_jax.core.safe_load.npz import Npz
from devi_jax.core.safe_load.torch_file import read_matrix
from devi_jax.datasets.bundled_sets import GRADES, SETS, SUITE
from devi_jax.datasets.formats import amass, grab, intermimic, omomo, parahome, physhoi, skillmimic
from devi_jax.datasets.formats.tcdm import is_object_motion

LIST = "python -m devi_jax.clips list"
READABLE = (
    f"a .pt of InterMimic ({intermimic.COLUMNS} columns), ParaHome ({parahome.COLUMNS}), PhysHOI ({physhoi.COLUMNS}) "
    f"or SkillMimic ({skillmimic.COLUMNS}), an .npz of GRAB or AMASS, OMOMO's .p"
)
_KNOWN_UNREADABLE = {415: "ParaHome with two objects"}
_PICKLES = (b"\x80", b"}", b"(")  # how a pickle begins


@dataclass(frozen=True)
class SourceOptions:
    """What the user says of a foreign recording: the object's mesh and mass, a body model, which sequence of many."""

    mesh: Path | None = None
    mass_kg: float | None = None
    model: Path | None = None
    sequence: str | None = None

    def refuse(self, *names: str, why: str) -> None:
        """Raise `ClipError` where one of these was said although it has no meaning."""
        flags = {"mass_kg": "mass"}
        said = [f"--{flags.get(name, name)}" for name in names if getattr(self, name) is not None]
        if said:
            raise ClipError(why, where=", ".join(said), valid=f"no {said[0]}", fix=f"leave {' and '.join(said)} out")


def bundled() -> dict[str, Path]:
    """Names and files of the clips that come with the project."""
    folder = Path(str(resources.files("devi_jax"))) / "data" / "clips"
    return {path.stem: path for path in sorted(folder.glob("*.npz"))}


def resolve_all(names: str, mesh: str | Path | None = None) -> tuple[Clip, ...]:
    """The clips that `names` means: one of what `resolve` takes, several with commas between, a set of bundled clips,
    or a folder of clip files. Of several no two have the same name.

    Raises `ClipError` as `resolve` does, and for a folder without clips.
    """
    clips = tuple(resolve(name, mesh) for part in names.split(",") for name in _named(part.strip()))
    twice = sorted({clip.name for clip in clips if [c.name for c in clips].count(clip.name) > 1})
    if twice:
        raise ClipError(f"two clips are called {twice[0]}", where="--clip", valid="clips of different names")
    return clips


def _named(part: str) -> tuple[str, ...]:
    if not part:
        raise ClipError("a clip has no name", where="--clip", valid="names with one comma between them", fix=LIST)
    if part in SETS:
        return SETS[part]
    if Path(part).is_dir():
        files = tuple(str(path) for path in sorted(Path(part).glob("*.npz")))
        if not files:
            raise ClipError("the folder holds no clips", where=str(part), valid="a folder of clip .npz files")
        return files
    return (part,)


def resolve(
    name_or_path: str,
    mesh: str | Path | None = None,
    mass_kg: float | None = None,
    model: str | Path | None = None,
    sequence: str | None = None,
) -> Clip:
    """The clip that a bundled name, a clip `.npz` or a foreign recording means.

    `mesh` and `mass_kg` describe the object of a foreign recording, `model` is the licensed body model that some need,
    `sequence` one of many in a file; all are refused where they have no meaning.
    Raises `ClipError` naming close matches, the file, or the field.
    """
    mesh, model = (None if file is None else Path(file) for file in (mesh, model))
    given = SourceOptions(mesh, mass_kg, model, sequence)
    path, known = Path(name_or_path), bundled()
    if name_or_path in known:
        given.refuse("mesh", "mass_kg", "model", "sequence", why="a clip brings its own object")
        return load_clip(known[name_or_path])
    if path.is_file():
        return _from_file(path, given)
    raise _absent(name_or_path, known)


def _absent(name: str, known: Iterable[str]) -> ClipError:
    """Names close to it, not all of them; those without a grade stand for their grades."""
    path, clean = Path(name), [clip for clip in known if not clip.endswith(tuple(f"-{grade}" for grade in GRADES))]
    return ClipError(
        (f"no such file: {path}" if path.suffix else f"no clip '{name}'") + did_you_mean(name, known),
        where="--clip",
        valid=f"one of {len(clean)} bundled clips such as {', '.join(SUITE[:3])}, each also as NAME-mild and "
        f"NAME-rough; a clip's .npz; or {READABLE}",
        fix=f"{LIST} shows all clips, {LIST} --set={next(iter(SETS))} those of a set",
    )


def _from_file(path: Path, given: SourceOptions) -> Clip:
    """What a file holds says what it is; its name does not."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        try:
            return (_columns if any(name.endswith("data.pkl") for name in names) else _archive)(path, given)
        except KeyError as error:
            raise ClipError(f"the file has no {error}", where=str(path), valid=f"{READABLE}, whole") from error
    with path.open("rb") as stream:
        first = stream.read(1)
    if first in _PICKLES:
        return _pickle(path, given)
    if path.suffix == ".pt":
        return _columns(path, given)
    return load_clip(path)


def _columns(path: Path, given: SourceOptions) -> Clip:
    given.refuse("model", "sequence", why="the file brings its own bone lengths and holds one sequence")
    data = read_matrix(path)
    columns = data.shape[1]
    if columns == intermimic.COLUMNS:
        return intermimic.from_intermimic(data, path, given.mesh, given.mass_kg)
    if columns == parahome.COLUMNS:
        return parahome.from_parahome(data, path, given.mesh, given.mass_kg)
    if columns in (physhoi.COLUMNS, skillmimic.COLUMNS):
        given.refuse("mesh", why="the object of BallPlay is a ball")
        convert = physhoi.from_physhoi if columns == physhoi.COLUMNS else skillmimic.from_skillmimic
        return convert(data, path, given.mass_kg)
    guess = f": {_KNOWN_UNREADABLE[columns]}, which are not read" if columns in _KNOWN_UNREADABLE else ""
    raise ClipError(
        f"the file has {columns} columns{guess}",
        where=str(path),
        valid=READABLE,
        fix="write a clip of your own with devi_jax.core.clip_io.save_clip",
    )


def _archive(path: Path, given: SourceOptions) -> Clip:
    data = Npz(path)
    if set(data) >= grab.KEYS:
        given.refuse("sequence", why="the file holds one sequence")
        return grab.from_grab(data, path, given.model, given.mesh, given.mass_kg)
    if set(data) >= amass.KEYS:
        given.refuse("mesh", "mass_kg", "sequence", why="AMASS has no object")
        return amass.from_amass(data, path, given.model)
    if is_object_motion(data):
        raise ClipError(
            "the file holds the motion of an object, and no human",
            where=str(path),
            valid="a clip of a human",
            fix=f"python -m devi_jax.choreograph follow {path} --mesh=OBJECT.stl --out=CLIP.npz",
        )
    given.refuse("mesh", "mass_kg", "model", "sequence", why="a clip brings its own object")
    return load_clip(path)


def _pickle(path: Path, given: SourceOptions) -> Clip:
    content = read_joblib(path)
    if not omomo.is_omomo(content):
        raise ClipError("the pickle holds no sequences of OMOMO", where=str(path), valid=READABLE)
    given.refuse("model", why="OMOMO brings its own bone lengths")
    return omomo.from_omomo(content, path, given.sequence, given.mesh, given.mass_kg)
