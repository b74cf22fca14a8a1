"""`python -m devi_jax.bench learning`: train the cells that lack a row, one after another, and write their page."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from devi_jax.bench.learning.jobs import FULL, Cell, Variant, chosen, schedule
from devi_jax.bench.learning.page import results
from devi_jax.bench.learning.plot import plot
from devi_jax.bench.learning.row import collect, train
from devi_jax.bench.methods.page import summary
from devi_jax.bench.result_files import read_rows, row_file, write_row
from devi_jax.core.errors import ConfigError, RunError, exit_on_error
from devi_jax.core.files import replacing
from devi_jax.datasets.load import bundled
from envs.physics import Root


@dataclass(frozen=True)
class Options:
    """Fill the table of results, cell by cell; what has a row is skipped, what was interrupted goes on.

    Without --clips, --grades, --roots, --seeds or --ablations: all cells, in order of what matters most.
    """

    clips: tuple[str, ...] = ()
    """Bundled clips without their grade (the suite and others), or clip files."""
    grades: tuple[Literal["clean", "mild", "rough"], ...] = ()
    """Grades of bundled clips."""
    roots: tuple[Root, ...] = ()
    """Free or pinned pelvis."""
    seeds: int | None = None
    """How many seeds."""
    ablations: tuple[Variant, ...] = ()
    """Variants of the recipe, in place of the recipe itself (`full`)."""
    minutes: float | None = None
    """Minutes of each training, in place of each cell's own."""
    limit: int | None = None
    """Train so many cells at most."""
    list_: Annotated[bool, tyro.conf.arg(name="list")] = False
    """Only show the cells and which have a row."""
    runs: Path = Path("runs/learning")
    """Where run folders go."""
    out: Path = Path("docs/results")
    """Where rows are kept; the page and its picture lie beside that folder."""


def main(arguments: list[str]) -> None:
    """Entry point."""
    with exit_on_error():
        options = tyro.cli(Options, args=arguments, prog="python -m devi_jax.bench learning")
        if (options.minutes or 1) <= 0 or (options.seeds or 1) < 1 or (options.limit or 1) < 1:
            raise ConfigError("--minutes, --seeds and --limit must be positive", valid="for example --seeds=3")
        cells = wanted(options)
        if options.list_:
            print("\n".join(f"{state(options, cell):9} {cell.name}" for cell in cells))
            return
        missing = [cell for cell in cells if state(options, cell) in ("missing", "begun")]
        for i, cell in enumerate(missing[: options.limit], 1):
            print(f"{i} of {len(missing)}: {cell.name}, {cell.minutes:g} minutes", flush=True)
            measure(options, cell)
            write_page(options.out)
        print(f"page: {write_page(options.out)}")


def wanted(options: Options) -> list[Cell]:
    """The cells asked for, in the order they are run."""
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


def state(options: Options, cell: Cell) -> str:
    """`done` has a row, good or bad; `begun` has a run folder; `no clip` is not there to be run; else `missing`."""
    if row_file(options.out, cell.name).exists():
        return "done"
    if cell.source not in bundled() and not Path(cell.source).is_file():
        return "no clip"
    return "begun" if (options.runs / cell.name).exists() else "missing"


def measure(options: Options, cell: Cell) -> None:
    """Train a cell and keep its row; a cell that could not even begin is told, and leaves none."""
    folder = options.runs / cell.name
    code = 0 if (folder / "evaluation.json").exists() else train(cell, folder)
    if code < 0 or code == 130:
        print("  interrupted; it goes on the next time", flush=True)
        return
    try:
        path = write_row(options.out, cell.name, collect(cell, folder))
    except RunError as error:
        print(f"  no row: {error}", flush=True)
        return
    print(f"  {'row' if code == 0 else 'FAILED, row'}: {path}", flush=True)


def write_page(results_folder: Path) -> Path:
    """Write the page of all rows, their curves, and what a comparison of methods beside it says."""
    rows, methods = read_rows(results_folder), results_folder.with_name("compare")
    picture, page = (results_folder.with_suffix(suffix) for suffix in (".png", ".md"))
    compared = summary(read_rows(methods), f"{methods.name}.md") if methods.is_dir() else None
    text = results(rows, picture.name if plot(picture, rows) else None, compared)
    with replacing(page) as temporary:
        temporary.write_text(text)
    return page
