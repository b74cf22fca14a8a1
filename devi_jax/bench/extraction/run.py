"""`python -m devi_jax.bench extract`: film, extract and measure the jobs that lack a result, and write their page."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from devi_jax.bench.extraction.jobs import NONE, ExtractionJob, Knob, collect, extract, film, log_file, schedule
from devi_jax.bench.extraction.page import page
from devi_jax.bench.grid import check_positive, write_markdown
from devi_jax.bench.grid_flags import GridFlags, make_grid, told
from devi_jax.bench.row_age import EXTRACTION, ages
from devi_jax.core.errors import RunError, exit_on_error
from devi_jax.datasets.scenes import load_scene_file


@dataclass(frozen=True, kw_only=True)
class BenchExtractOptions(GridFlags):
    """Measure extraction where the truth is known: scripted videos. What has a result is skipped.

    Without --scenes and --knobs: every bundled scene as it is, then two of them with each knob of imperfection.
    """

    scenes: tuple[str, ...] = ()
    """Bundled scenes, or scene files."""
    knobs: tuple[Knob, ...] = ()
    """Ways to make a video worse, or to take it from elsewhere; `none` leaves it as it is."""
    again: bool = False
    """Measure jobs anew that have a result; their videos are kept."""
    runs: Path = Path("runs/extraction")
    """Where videos and clips go."""
    out: Path = Path("docs/extraction")
    """Where results are kept; the page lies beside that folder."""


def main(arguments: list[str]) -> None:
    """Entry point."""
    with exit_on_error():
        options = tyro.cli(BenchExtractOptions, args=arguments, prog="python -m devi_jax.bench extract")
        check_positive(limit=options.limit)
        grid = make_grid(options, EXTRACTION, wanted(options), run, collect, write_page)
        print(told(options, grid, options.again))


def write_page(folder: Path, keep_old: bool = False) -> Path:
    """Write the page of all results in a folder beside it."""
    return write_markdown(folder, lambda rows: page(rows, ages(rows, EXTRACTION), keep_old))


def run(job: ExtractionJob, folder: Path) -> int:
    """Film a job's video and extract it; the exit code. Raises `RunError` for one that could not be filmed."""
    if film(job, folder) != 0:
        raise RunError("the video could not be filmed", where=job.name, fix=f"read {log_file(folder)}")
    return extract(folder)


def wanted(options: BenchExtractOptions) -> list[ExtractionJob]:
    """The jobs asked for, in the order they are run. Raises `DeviError` for a scene that is not there."""
    if not (options.scenes or options.knobs):
        return schedule()
    for scene in options.scenes:
        load_scene_file(scene)
    knobs = options.knobs or (NONE,)
    return list(
        dict.fromkeys(ExtractionJob(scene, knob) for knob in knobs for scene in options.scenes or ("lift_can",))
    )
