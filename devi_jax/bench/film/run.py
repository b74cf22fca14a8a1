"""`python -m devi_jax.bench film`: films through scene, clip and policies, and the page of what became of them."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import tyro

from devi_jax.bench.clean_tree import uncommitted
from devi_jax.bench.film.films import Film, read_films
from devi_jax.bench.film.jobs import MINUTES, FilmJob, collect, named, run, schedule, strip
from devi_jax.bench.film.page import page
from devi_jax.bench.grid import check_positive, write_markdown
from devi_jax.bench.grid_flags import GridFlags, make_grid, told
from devi_jax.bench.result_files import read_results
from devi_jax.bench.row_age import EXTRACTION, LEARNING, ages
from devi_jax.core.errors import ConfigError, exit_on_error
from envs.physics import HumanRoot

WATCHED = tuple(dict.fromkeys((*EXTRACTION, *LEARNING)))
"""What decides what becomes of a film."""


@dataclass(frozen=True, kw_only=True)
class BenchFilmOptions(GridFlags):
    """Take real films through scene, extract, check and train, and write what became of each, with the step that
    failed.

    The films themselves are other people's and stay in --folder; what shows their pixels stays in --runs: overlay.png
    of each scene, and beside.mp4 of each policy, the film beside the simulation.
    """

    films: Path = Path("docs/films.toml")
    """The list of films: names, files, sources, licences, and flags that had to be given."""
    folder: Path = Path("films")
    """Where the files are."""
    only: tuple[str, ...] = ()
    """Names of films; all unless said."""
    roots: tuple[HumanRoot, ...] = ("pinned", "free")
    """Free or pinned pelvis."""
    seeds: int = 1
    """How many seeds of each policy; 0 makes clips alone."""
    minutes: float = MINUTES
    """Minutes of each training."""
    runs: Path = Path("runs/films")
    """Where scenes, clips and run folders go."""
    out: Path = Path("docs/films")
    """Where results are kept; the page lies beside that folder."""


def main(arguments: list[str]) -> None:
    """Entry point."""
    with exit_on_error():
        options = tyro.cli(BenchFilmOptions, args=arguments, prog="python -m devi_jax.bench film")
        check_positive(limit=options.limit, minutes=options.minutes)
        films = named(read_films(options.films), options.only)
        jobs = schedule(films, options.roots, options.seeds, options.minutes)
        if not (options.page or options.list_):
            check_there(films, options.folder)
        runs = uncommitted(options.runs)[0] if options.allow_dirty else options.runs
        grid = make_grid(
            *(options, WATCHED, jobs, partial(run, films=options.folder), collect),
            lambda folder, keep_old: write_page(folder, keep_old, runs),
            obstacle=lambda job: obstacle(job, options.folder),
        )
        print(told(options, grid))


def check_there(films: Sequence[Film], folder: Path) -> None:
    """Say which films are not in the folder. Raises `ConfigError` where none is."""
    missing = [film for film in films if not (folder / film.file).is_file()]
    if len(missing) == len(films):
        valid = f"a folder with {', '.join(dict.fromkeys(film.file for film in films))}"
        fix = "the list of films says where each is from; --films takes a list of your own"
        raise ConfigError("none of the films is there", where=f"--folder={folder}", valid=valid, fix=fix)
    for film in missing:
        print(f"left out: {film.name}, {film.file} of {film.source} is not in {folder}")


def obstacle(job: FilmJob, folder: Path) -> str:
    """Why a job cannot be run: its film is not in the folder."""
    return "" if (folder / job.film.file).is_file() else "no file"


def write_page(folder: Path, keep_old: bool = False, runs: Path = Path("runs/films")) -> Path:
    """Write the page of all results in a folder beside it, and a picture of the first policy of each kind into it."""
    for row in read_results(folder):
        picture = strip(runs / row["cell"])
        if row["root"] and row["seed"] == 0 and picture.is_file():
            shutil.copyfile(picture, folder / f"{row['cell']}.png")
    pictures = {path.stem: f"{folder.name}/{path.name}" for path in sorted(folder.glob("*.png"))}
    return write_markdown(folder, lambda rows: page(rows, ages(rows, WATCHED), keep_old, pictures))
