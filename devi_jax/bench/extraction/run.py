"""`python -m devi_jax.bench extract`: film, extract and measure the cells that lack a row, and write their page."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from devi_jax.bench.extraction.jobs import NONE, Cell, Knob, Places, collect, extract, film, schedule
from devi_jax.bench.extraction.page import page
from devi_jax.bench.result_files import read_rows, row_file, write_row
from devi_jax.core.errors import ConfigError, RunError, exit_on_error
from devi_jax.core.files import replacing
from devi_jax.datasets.scenes import load_scene_file


@dataclass(frozen=True)
class Options:
    """Measure extraction where the truth is known: scripted videos. What has a row is skipped.

    Without --scenes and --knobs: every bundled scene as it is, then two of them with each knob of imperfection.
    """

    scenes: tuple[str, ...] = ()
    """Bundled scenes, or scene files."""
    knobs: tuple[Knob, ...] = ()
    """Ways to make a video worse, or to take it from elsewhere; `none` leaves it as it is."""
    again: bool = False
    """Measure cells anew that have a row; their videos are kept."""
    limit: int | None = None
    """Measure so many cells at most."""
    list_: Annotated[bool, tyro.conf.arg(name="list")] = False
    """Only show the cells and which have a row."""
    runs: Path = Path("runs/extraction")
    """Where videos and clips go."""
    out: Path = Path("docs/extraction")
    """Where rows are kept; the page lies beside that folder."""


def main(arguments: list[str]) -> None:
    """Entry point."""
    with exit_on_error():
        options = tyro.cli(Options, args=arguments, prog="python -m devi_jax.bench extract")
        if (options.limit or 1) < 1:
            raise ConfigError("--limit must be positive", valid="for example --limit=3")
        cells = wanted(options)
        if options.list_:
            print("\n".join(f"{'done' if done(options, cell) else 'missing':9} {cell.name}" for cell in cells))
            return
        due = [cell for cell in cells if options.again or not done(options, cell)]
        for i, cell in enumerate(due[: options.limit], 1):
            print(f"{i} of {len(due)}: {cell.name}", flush=True)
            measure(options, cell)
            write_page(options.out)
        print(f"page: {write_page(options.out)}")


def wanted(options: Options) -> list[Cell]:
    """The cells asked for, in the order they are run. Raises `DeviError` for a scene that is not there."""
    if not (options.scenes or options.knobs):
        return schedule()
    for scene in options.scenes:
        load_scene_file(scene)
    knobs = options.knobs or (NONE,)
    return list(dict.fromkeys(Cell(scene, knob) for knob in knobs for scene in options.scenes or ("lift_can",)))


def done(options: Options, cell: Cell) -> bool:
    """Whether it has a row, good or bad."""
    return row_file(options.out, cell.name).exists()


def measure(options: Options, cell: Cell) -> None:
    """Film and extract a cell and keep its row; one that could not be filmed is told, and leaves none."""
    places = Places(options.runs, cell)
    if film(places) != 0:
        print(f"  no row: it could not be filmed, read {places.log}", flush=True)
        return
    code = extract(places)
    if code < 0 or code == 130:
        print("  interrupted; it is measured the next time", flush=True)
        return
    try:
        path = write_row(options.out, cell.name, collect(places, code))
    except RunError as error:
        print(f"  no row: {error}", flush=True)
        return
    print(f"  {'row' if code == 0 else 'FAILED, row'}: {path}", flush=True)


def write_page(rows_folder: Path) -> Path:
    """Write the page of all rows beside the folder of rows."""
    out = rows_folder.with_suffix(".md")
    with replacing(out) as temporary:
        temporary.write_text(page(read_rows(rows_folder)))
    return out
