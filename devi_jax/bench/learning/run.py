"""`python -m devi_jax.bench learning`: train the jobs that lack a result, one after another, and write their page."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from devi_jax.bench.grid import Grid, check_positive
from devi_jax.bench.learning.jobs import FULL, LearningJob, Variant, chosen, collect, schedule, train
from devi_jax.bench.learning.page import results
from devi_jax.bench.learning.plot import plot
from devi_jax.bench.methods.page import summary
from devi_jax.bench.result_files import read_results
from devi_jax.core.errors import exit_on_error
from devi_jax.core.files import write_text
from devi_jax.datasets.load import bundled
from envs.physics import HumanRoot


@dataclass(frozen=True)
class BenchLearningOptions:
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
    limit: int | None = None
    """Train so many jobs at most."""
    list_: Annotated[bool, tyro.conf.arg(name="list")] = False
    """Only show the jobs and which have a result."""
    runs: Path = Path("runs/learning")
    """Where run folders go."""
    out: Path = Path("docs/results")
    """Where results are kept; the page and its picture lie beside that folder."""


def main(arguments: list[str]) -> None:
    """Entry point."""
    with exit_on_error():
        options = tyro.cli(BenchLearningOptions, args=arguments, prog="python -m devi_jax.bench learning")
        check_positive(minutes=options.minutes, seeds=options.seeds, limit=options.limit)
        grid = Grid(
            *(wanted(options), options.runs, options.out, train, collect, write_page),
            obstacle=lambda job: "" if job.source in bundled() or Path(job.source).is_file() else "no clip",
            label=lambda job: f"{job.name}, {job.minutes:g} minutes",
        )
        print(grid.listing() if options.list_ else f"page: {grid.fill(options.limit)}")


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


def write_page(results_folder: Path) -> Path:
    """Write the page of all results, their curves, and what a comparison of methods beside it says."""
    rows, methods = read_results(results_folder), results_folder.with_name("compare")
    picture, page = (results_folder.with_suffix(suffix) for suffix in (".png", ".md"))
    compared = summary(read_results(methods), f"{methods.name}.md") if methods.is_dir() else None
    return write_text(page, results(rows, picture.name if plot(picture, rows) else None, compared))
