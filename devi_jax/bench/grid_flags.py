"""The flags that every benchmark with a row a job has, and what they make of its grid."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from devi_jax.bench.clean_tree import require_clean, uncommitted
from devi_jax.bench.grid import Grid, Job
from devi_jax.bench.result_files import Result
from devi_jax.bench.row_age import is_old


@dataclass(frozen=True, kw_only=True)
class GridFlags:
    """Options of a benchmark, which says what its folders are: `runs`, of run folders, and `out`, of results, with its
    page beside it."""

    runs: Path
    out: Path
    limit: int | None = None
    """Measure so many jobs at most."""
    list_: Annotated[bool, tyro.conf.arg(name="list")] = False
    """Only show the jobs and which have a result."""
    page: bool = False
    """Only write the page."""
    keep_old: bool = False
    """Show rows of old code too, below a heading that says so, and do not measure them again."""
    allow_dirty: bool = False
    """Measure with uncommitted changes; results stay beside the run folders, where no page of docs reads."""


def make_grid(
    flags: GridFlags,
    watched: tuple[str, ...],
    jobs: Sequence[Job],
    run: Callable[[Any, Path], int],
    collect: Callable[[Any, Path, int], Result],
    write_page: Callable[[Path, bool], Path],
    **more: Any,
) -> Grid:
    """The grid of a benchmark. `watched`: paths of the code that its rows measure; `write_page` also takes whether old
    rows are kept; `more`: as in `Grid`."""
    runs, out = uncommitted(flags.runs) if flags.allow_dirty else (flags.runs, flags.out)
    return Grid(
        *(jobs, runs, out, run, collect, lambda folder: write_page(folder, flags.keep_old)),
        old=lambda row: not flags.keep_old and is_old(row, watched),
        clean=None if flags.allow_dirty else require_clean,
        **more,
    )


def told(flags: GridFlags, grid: Grid, again: bool = False) -> str:
    """List the jobs, or write the page, or measure what is missing, as the flags say; what is printed at the end."""
    if flags.list_:
        return grid.listing()
    return f"page: {grid.write_page(grid.results) if flags.page else grid.fill(flags.limit, again)}"
