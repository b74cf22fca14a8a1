"""What is measured of films: each becomes a scene and a clip, and each clip policies; a row each."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

from devi_jax.bench.film.films import Film
from devi_jax.bench.grid import last_error, log_file, run_logged
from devi_jax.bench.result_files import Result, made, read_json
from devi_jax.bench.training_result import outcome, run_training
from devi_jax.core.clip_io import load_clip
from devi_jax.core.errors import ConfigError, RunError
from devi_jax.runs.devices import machine
from devi_jax.runs.json_io import write_json
from devi_jax.runs.provenance import git_state
from devi_jax.runs.run_dir import RunDir
from devi_jax.training.run_config import clip_file as trained_on
from envs.physics import HumanRoot

MINUTES = 6.0
"""How long a policy learns, as in `make from-film`."""


@dataclass(frozen=True)
class FilmJob:
    """A film's way to its clip, or with a `root` a policy out of that clip."""

    film: Film
    root: HumanRoot | None = None
    seed: int = 0
    minutes: float = MINUTES

    @property
    def name(self) -> str:
        """What its result, its folder and its log are called."""
        length = "" if self.minutes == MINUTES else f"-{self.minutes:g}min"
        return self.film.name if self.root is None else f"{self.film.name}-{self.root}{length}-{self.seed}"


def schedule(films: Sequence[Film], roots: Sequence[HumanRoot], seeds: int, minutes: float) -> list[FilmJob]:
    """All jobs: films first, then a seed of each, then more seeds."""
    learned = product(range(seeds), films, roots)
    return [*map(FilmJob, films), *(FilmJob(film, root, seed, minutes) for seed, film, root in learned)]


def named(films: Sequence[Film], names: Sequence[str]) -> list[Film]:
    """The films with these names, all where none is said. Raises `ConfigError` for a name that none has."""
    known = {film.name: film for film in films}
    for name in names:
        if name not in known:
            raise ConfigError(f"no film '{name}'", where="--only", valid=", ".join(known))
    return [known[name] for name in names] if names else [*films]


def scene_folder(film_folder: Path) -> Path:
    """Where `scene` writes, called as the film is, as its clip will be."""
    return film_folder / film_folder.name


def clip_file(film_folder: Path) -> Path:
    """The clip of a film with this folder."""
    return film_folder / "clip.npz"


def run(job: FilmJob, folder: Path, films: Path) -> int:
    """Measure a job; the exit code. `films`: where the files are. Raises `RunError` for a policy without a clip."""
    if job.root is None:
        return make_clip(job.film, folder, films)
    clip = clip_file(folder.parent / job.film.name)
    if not clip.is_file():
        raise RunError("this film did not become a clip", where=str(clip), fix=f"see the row of {job.film.name}")
    flags = [f"--clip={clip}", f"--root={job.root}", f"--seed={job.seed}", f"--minutes={job.minutes:g}"]
    code = run_training(folder, flags, film=True)
    video = scene_folder(clip.parent) / "video.mp4"
    return code or run_logged(
        [sys.executable, "-m", "devi_jax.play", str(folder), f"--video={video}", f"--out={folder / 'beside.mp4'}"],
        log_file(folder),
    )


def make_clip(film: Film, folder: Path, films: Path) -> int:
    """Scene, clip and its check, as far as they go; the exit code of the last step. How long each took is kept.

    Of an attempt before nothing is kept: a row is of one code, and its times are of the whole work.
    """
    scene, clip = scene_folder(folder), clip_file(folder)
    overlay = folder / f"{clip.stem}-overlay.mp4"
    for before in (log_file(folder), clip, overlay, folder / "check.json", folder / "steps.json"):
        before.unlink(missing_ok=True)
    for before in (scene, folder / f"{clip.stem}-stages"):
        shutil.rmtree(before, ignore_errors=True)
    steps = {
        "scene": [str(films / film.file), *film.scene, f"--out={scene}"],
        "extract": [str(scene), *film.extract, f"--out={clip}"],
    }
    taken: dict[str, float] = {}
    for name, flags in steps.items():
        began = time.monotonic()
        code = run_logged([sys.executable, "-m", f"devi_jax.{name}", *flags], log_file(folder))
        taken[name] = time.monotonic() - began
        if code < 0 or code == 130:
            return code
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "steps.json", {"seconds": taken, "failed": name if code else None})
        if code:
            return code
    command = [sys.executable, "-m", "devi_jax.clips", "check", str(clip), "--json"]
    with log_file(folder).open("a") as log:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=log, text=True)
    (folder / "check.json").write_text(done.stdout)
    return done.returncode


def collect(job: FilmJob, folder: Path, code: int) -> Result:
    """The row of a film, or of a policy out of its clip; one that failed says where. Raises `RunError` as `outcome`."""
    row: Result = {"cell": job.name, "film": job.film.name, "root": job.root, "error": None}
    if code:
        row["error"] = last_error(log_file(folder))
    if job.root is not None:
        learned = load_clip(trained_on(RunDir(folder))).provenance.get("git") or {}
        row |= {"seed": job.seed, "minutes": job.minutes, "clip_commit": learned.get("commit"), **outcome(folder)}
        return row | {"status": "failed" if code else row["status"]}
    steps, found = read_json(folder / "steps.json"), scene_folder(folder) / "video.json"
    clip = clip_file(folder)
    told = read_json(found) if found.is_file() else {}
    return {
        **row,
        "shown": {**asdict(job.film), "sha256": (told.get("film") or {}).get("sha256")},
        "status": "failed" if code else "done",
        "failed": steps["failed"] or ("check" if code else None),
        "seconds": {name: round(s, 1) for name, s in steps["seconds"].items()},
        "frames": told.get("frames"),
        "found": {k: v for k, v in told.get("found", {}).items() if isinstance(v, str)},
        "quality": load_clip(clip).provenance["quality"] if clip.is_file() else [],
        "warned": warned(folder / "check.json"),
        **made(git_state(), asdict(machine())),
    }


def warned(path: Path) -> list[Result]:
    """What `clips check` warns of, of what it wrote."""
    if not path.is_file() or not path.read_text().strip():
        return []
    findings = json.loads(path.read_text())["findings"]
    return [{k: f[k] for k in ("name", "value", "unit")} for f in findings if f["verdict"] != "ok"]


def strip(folder: Path) -> Path:
    """The picture of a job's run: reference above simulation, without a pixel of the film."""
    return RunDir(folder).strip_png
