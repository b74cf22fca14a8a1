"""`python -m devi_jax.bench learning`: train the jobs that lack a result, one after another, and write their page."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from devi_jax.bench.grid import check_positive
from devi_jax.bench.grid_flags import GridFlags, make_grid, told
from devi_jax.bench.learning.jobs import FULL, LearningJob, Variant, chosen, collect, schedule, train
from devi_jax.bench.learning.page import results
from devi_jax.bench.learning.plot import plot
from devi_jax.bench.methods.page import summary
from devi_jax.bench.result_files import read_results
from devi_jax.bench.row_age import LEARNING, ages, split
from devi_jax.core.errors import exit_on_error
from devi_jax.core.files import write_text
from devi_jax.datasets.load import bundled
from envs.physics import HumanRoot


@dataclass(frozen=True, kw_only=True)
class BenchLearningOptions(GridFlags):
    """Fill the table of results, job by job; what has a result is skipped, what was interrupted goes on.

    Without --clips, --grades, --roots, --seeds or --ablations: all jobs, in order of what matters most.
    """

    clips: tuple[str, ...] = ()
    """Bundled clips without their grade (the suite and others), or clip files."""
    grades: tuple[Literal["clean", "mild", "rough"], ...] = ()
    """Grades of bundled clips."""
    roots: tuple[HumanRoot, ...] = ()
    """Free or pinned pelvis."""
    seeds: int | None = None
    """How many seeds."""
    ablations: tuple[Variant, ...] = ()
    """Variants of the recipe, in place of the recipe itself (`full`)."""
    minutes: float | None = None
    """Minutes of each training, in place of each job's own."""
    runs: Path = Path("runs/learning")
    """Where run folders go."""
    out: Path = Path("docs/results")
    """Where results are kept; the page and its picture lie beside that folder."""


def main(arguments: list[str]) -> None:
    """Entry point."""
    with exit_on_error():
        options = tyro.cli(BenchLearningOptions, args=arguments, prog="python -m devi_jax.bench learning")
        check_positive(minutes=options.minutes, seeds=options.seeds, limit=options.limit)
        grid = make_grid(
            *(options, LEARNING, wanted(options), train, collect, write_page),
            obstacle=lambda job: "" if job.source in bundled() or Path(job.source).is_file() else "no clip",
            label=lambda job: f"{job.name}, {job.minutes:g} minutes",
        )
        print(told(options, grid))


def wanted(options: BenchLearningOptions) -> list[LearningJob]:
    """The jobs asked for, in the order they are run."""
    if not (options.clips or options.grades or options.roots or options.seeds or options.ablations):
        return schedule(options.minutes)
    return chosen(
        options.clips or ("lift_can", "pick_place"),
        options.grades or ("clean", "mild"),
        options.roots or ("pinned", "free"),
        options.seeds or 1,
        options.ablations or (FULL,),
        options.minutes,
    )


def write_page(results_folder: Path, keep_old: bool = False) -> Path:
    """Write the page of all results, their curves, and what a comparison of methods beside it says."""
    rows, methods = read_results(results_folder), results_folder.with_name("compare")
    compared = read_results(methods) if methods.is_dir() else []
    known = ages([*rows, *compared], LEARNING)
    fresh, old = split(rows, known)
    picture, page = (results_folder.with_suffix(suffix) for suffix in (".png", ".md"))
    drawn = plot(picture, fresh or (old if keep_old else []))
    if not drawn:
        picture.unlink(missing_ok=True)
    told_there = summary(compared, known, f"{methods.name}.md", keep_old) if compared else None
    return write_text(page, results(rows, known, keep_old, picture.name if drawn else None, told_there))
