"""`python -m devi_jax.bench ablation`: search for the plans that lack a result, one after another; write their page."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from devi_jax.bench.ablation.jobs import collect, schedule, search
from devi_jax.bench.ablation.page import page
from devi_jax.bench.grid import check_positive, write_markdown
from devi_jax.bench.grid_flags import GridFlags, make_grid, told
from devi_jax.bench.row_age import LEARNING, ages
from devi_jax.core.errors import exit_on_error


@dataclass(frozen=True, kw_only=True)
class BenchAblationOptions(GridFlags):
    """Is the object in 2D enough? Search for plans by rewards that see the object in 2D, in space, or not at all.

    Without --clips: six clips in which the hands do not say where the object is. What has a result is skipped.
    """

    clips: tuple[str, ...] = ()
    """Bundled clips without their grade."""
    tracks: tuple[str, ...] = ()
    """Which tracks of the object: exact, noise, hidden, one-sided; all unless said."""
    seeds: int | None = None
    """How many seeds; 3 unless said."""
    runs: Path = Path("runs/ablation")
    """Where run folders go."""
    out: Path = Path("docs/ablation")
    """Where results are kept; the page lies beside that folder."""


def main(arguments: list[str]) -> None:
    """Entry point."""
    with exit_on_error():
        options = tyro.cli(BenchAblationOptions, args=arguments, prog="python -m devi_jax.bench ablation")
        check_positive(seeds=options.seeds, limit=options.limit)
        jobs = schedule(options.clips, options.seeds, options.tracks)
        print(told(options, make_grid(options, LEARNING, jobs, search, collect, write_page)))


def write_page(folder: Path, keep_old: bool = False) -> Path:
    """Write the page of all results in a folder beside it."""
    return write_markdown(folder, lambda rows: page(rows, ages(rows, LEARNING), keep_old))
