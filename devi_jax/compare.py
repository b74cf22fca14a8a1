"""`python -m devi_jax.compare`: train every method on every clip, judge all the same way, write the paper's tables."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, cast

import tyro

from devi_jax.bench.methods.jobs import Cell, collect, comparison, named_clips, train
from devi_jax.bench.methods.page import page
from devi_jax.bench.result_files import read_rows, row_file, write_row
from devi_jax.core.errors import ConfigError, exit_on_error
from devi_jax.core.files import replacing
from devi_jax.systems import NAMES, Recipe, SystemName
from envs.physics import Root


@dataclass(frozen=True)
class Options:
    """Fill the tables cell by cell; what has a row is skipped, what was interrupted goes on where it was.

    A cell that failed is shown as failed; remove its row to try it again.
    """

    clips: tuple[str, ...] = ("tabletop-8",)
    """Sets of clips, bundled clips, or clip files."""
    grade: Literal["clean", "mild", "rough"] = "mild"
    """Grade of sets and of bundled clips named without one: as made, or as wrong as from video."""
    systems: Annotated[tuple[str, ...], tyro.conf.arg(metavar="SYSTEM,SYSTEM|SYSTEM SYSTEM")] = NAMES
    """Methods, by commas or blanks: devi, physhoi, skillmimic, intermimic_reward, devi_6d, devi_no_object."""
    seeds: int = 3
    """How many seeds."""
    minutes: float = 10.0
    """Minutes of each training, beside planning, compilation and evaluation."""
    iterations: int | None = None
    """Iterations of each training, in place of minutes: as many steps for each, however busy the machine is."""
    roots: tuple[Root, ...] = ("pinned",)
    """Free or pinned pelvis."""
    recipe: Recipe = "fast"
    """fast: plan first, residual actions, starts in the plan's states; paper: A.10 as printed, from scratch."""
    limit: int | None = None
    """Train so many cells at most."""
    list_: Annotated[bool, tyro.conf.arg(name="list")] = False
    """Only show the cells and which have a row."""
    runs: Path = Path("runs/compare")
    """Where run folders go."""
    out: Path = Path("docs/compare")
    """Where rows are kept; the page lies beside that folder."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point."""
    with exit_on_error():
        options = tyro.cli(Options, args=sys.argv[1:] if arguments is None else arguments)
        counts = (
            options.minutes,
            options.seeds,
            options.limit or 1,
            1 if options.iterations is None else options.iterations,
        )
        if min(counts) <= 0:
            raise ConfigError(
                "--minutes, --iterations, --seeds, --limit must be positive", valid="for example --seeds=3"
            )
        cells = wanted(options)
        if options.list_:
            print("\n".join(f"{state(options, cell):9} {cell.name}" for cell in cells))
            return
        missing = [cell for cell in cells if state(options, cell) != "done"]
        for i, cell in enumerate(missing[: options.limit], 1):
            print(f"{i} of {len(missing)}: {cell.name}", flush=True)
            measure(options, cell)
            write_page(options.out)
        path = write_page(options.out)
        print(path.read_text())
        print(f"page: {path}")


def wanted(options: Options) -> list[Cell]:
    """The cells asked for, in the order they are run. Raises `ConfigError` for a clip or a system that is not there."""
    clips = named_clips(options.clips, options.grade)
    systems: list[SystemName] = [_system(name) for words in options.systems for name in words.split(",") if name]
    return comparison(clips, systems, options.roots, options.seeds, options.minutes, options.recipe, options.iterations)


def _system(name: str) -> SystemName:
    if name not in NAMES:
        raise ConfigError(f"no system '{name}'", where="--systems", valid=", ".join(NAMES))
    return cast(SystemName, name)


def state(options: Options, cell: Cell) -> str:
    """`done` has a row, good or bad; `begun` has a run folder; else `missing`."""
    if row_file(options.out, cell.name).exists():
        return "done"
    return "begun" if (options.runs / cell.name).exists() else "missing"


def measure(options: Options, cell: Cell) -> None:
    """Train a cell and keep its row, good or bad; one that was interrupted goes on the next time."""
    folder = options.runs / cell.name
    code = 0 if (folder / "evaluation.json").exists() else train(cell, folder)
    if code < 0 or code == 130:
        print("  interrupted; it goes on the next time", flush=True)
        return
    row = collect(cell, folder)
    path = write_row(options.out, cell.name, row)
    print(f"  {'row' if row['evaluation'] else 'FAILED: ' + row['error'] + '; row'}: {path}", flush=True)


def write_page(rows_folder: Path) -> Path:
    """Write the page of all rows beside the folder of rows."""
    out = rows_folder.with_suffix(".md")
    with replacing(out) as temporary:
        temporary.write_text(page(read_rows(rows_folder)))
    return out


if __name__ == "__main__":
    main()
