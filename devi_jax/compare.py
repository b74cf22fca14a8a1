"""`python -m devi_jax.compare`: train every method on every clip, evaluate all alike, write the paper's tables."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, cast

import tyro

from devi_jax.bench.methods.jobs import Cell, collect, comparison, named_clips, train
from devi_jax.bench.methods.page import page
from devi_jax.bench.result_files import read_rows, row_file, write_row
from devi_jax.cli import parse
from devi_jax.core.errors import ConfigError, did_you_mean, exit_on_error
from devi_jax.core.files import replacing
from devi_jax.systems import NAMES, Recipe, SystemName
from envs.physics import Root


@dataclass(frozen=True)
class CompareOptions:
    """Compare methods: train and evaluate each method on each clip, one training a cell of the table.

    Cells that have a result are skipped, interrupted ones are resumed. A failed cell is shown as failed; delete its
    result file to try again.
    """

    clips: tuple[str, ...] = ("tabletop-8",)
    """Names of clip sets or bundled clips, or clip files."""
    grade: Literal["clean", "mild", "rough"] = "mild"
    """Quality of the clips: clean, or degraded as if estimated from a good (mild) or a bad (rough) video."""
    systems: Annotated[tuple[str, ...], tyro.conf.arg(metavar="SYSTEM,SYSTEM|SYSTEM SYSTEM")] = NAMES
    """Methods, separated by commas or spaces: devi, physhoi, skillmimic, intermimic_reward, devi_6d, devi_no_object."""
    seeds: int = 3
    """Number of random seeds for each method and clip."""
    minutes: float = 10.0
    """Minutes of each training, not counting planning, compilation and evaluation."""
    iterations: int | None = None
    """Iterations of each training, instead of minutes: equally many steps for all, however busy the machine is."""
    roots: tuple[Root, ...] = ("pinned",)
    """free: the human balances on its own feet; pinned: stiff springs pull its pelvis along the clip."""
    recipe: Recipe = "fast"
    """fast: plan first, then learn residual actions around the plan; paper: as printed in appendix A.10, no plan."""
    limit: int | None = None
    """Largest number of cells to train in this call."""
    list_: Annotated[bool, tyro.conf.arg(name="list")] = False
    """Only list the cells and whether each is done."""
    runs: Path = Path("runs/compare")
    """Folder for run folders."""
    out: Path = Path("docs/compare")
    """Folder for result files; the page with the tables is written beside it."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point."""
    with exit_on_error():
        arguments = sys.argv[1:] if arguments is None else arguments
        options = parse(CompareOptions, arguments, prog="python -m devi_jax.compare")
        counts = (
            options.minutes,
            options.seeds,
            options.limit or 1,
            1 if options.iterations is None else options.iterations,
        )
        if min(counts) <= 0:
            raise ConfigError(
                "--minutes, --iterations, --seeds and --limit must be above 0", valid="for example --seeds=3"
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


def wanted(options: CompareOptions) -> list[Cell]:
    """The cells asked for, in the order they are run. Raises `ConfigError` for an unknown clip or system."""
    clips = named_clips(options.clips, options.grade)
    systems: list[SystemName] = [_system(name) for words in options.systems for name in words.split(",") if name]
    return comparison(clips, systems, options.roots, options.seeds, options.minutes, options.recipe, options.iterations)


def _system(name: str) -> SystemName:
    if name not in NAMES:
        raise ConfigError(f"no system '{name}'{did_you_mean(name, NAMES)}", where="--systems", valid=", ".join(NAMES))
    return cast(SystemName, name)


def state(options: CompareOptions, cell: Cell) -> str:
    """`done` has a row, good or bad; `begun` has a run folder; else `missing`."""
    if row_file(options.out, cell.name).exists():
        return "done"
    return "begun" if (options.runs / cell.name).exists() else "missing"


def measure(options: CompareOptions, cell: Cell) -> None:
    """Train a cell and keep its result, good or bad; an interrupted one is resumed by the next call."""
    folder = options.runs / cell.name
    code = 0 if (folder / "evaluation.json").exists() else train(cell, folder)
    if code < 0 or code == 130:
        print("  interrupted; the next call resumes it", flush=True)
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
