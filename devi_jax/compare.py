"""`python -m devi_jax.compare`: train every method on every clip, evaluate all alike, beside what is no policy."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from devi_jax.bench.grid import check_positive, write_markdown
from devi_jax.bench.grid_flags import GridFlags, make_grid, told
from devi_jax.bench.methods.jobs import ComparisonJob, collect, comparison, named_clips, train
from devi_jax.bench.methods.page import page
from devi_jax.bench.row_age import LEARNING, ages
from devi_jax.cli import parse
from devi_jax.core.errors import ConfigError, exit_on_error
from devi_jax.systems import NAMES, Recipe
from devi_jax.systems.registry import check_name, make_system
from envs.physics import HumanRoot

HUMAN = tuple(name for name in NAMES if make_system(name).embodiment == "human")
"""Methods that can be compared: those of a human."""


@dataclass(frozen=True, kw_only=True)
class CompareOptions(GridFlags):
    """Compare methods: train and evaluate each method on each clip, one training a job of the table.

    Jobs that have a result are skipped, interrupted ones are resumed. A failed job is shown as failed; delete its
    result file to try again.
    """

    clips: tuple[str, ...] = ("tabletop-8",)
    """Names of clip sets or bundled clips, or clip files."""
    grade: Literal["clean", "mild", "rough"] = "mild"
    """Quality of the clips: clean, or degraded as if estimated from a good (mild) or a bad (rough) video."""
    systems: Annotated[tuple[str, ...], tyro.conf.arg(metavar="SYSTEM,SYSTEM|SYSTEM SYSTEM")] = HUMAN
    """Methods, separated by commas or spaces; by default all of a human."""
    seeds: int = 3
    """Number of random seeds for each method and clip."""
    minutes: float = 10.0
    """Minutes of each training, not counting planning, compilation and evaluation."""
    iterations: int | None = None
    """Iterations of each training, instead of minutes: equally many steps for all, however busy the machine is."""
    roots: tuple[HumanRoot, ...] = ("pinned",)
    """free: the human balances on its own feet; pinned: stiff springs pull its pelvis along the clip."""
    recipe: Recipe = "fast"
    """fast: plan first, then learn residual actions around the plan; paper: as printed in appendix A.10, no plan."""
    runs: Path = Path("runs/compare")
    """Folder for run folders."""
    out: Path = Path("docs/compare")
    """Folder for result files; the page with the tables is written beside it."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point."""
    with exit_on_error():
        arguments = sys.argv[1:] if arguments is None else arguments
        options = parse(CompareOptions, arguments, prog="python -m devi_jax.compare")
        given = {"minutes": options.minutes, "iterations": options.iterations}
        check_positive(**given, seeds=options.seeds, limit=options.limit)
        grid = make_grid(options, LEARNING, wanted(options), train, collect, write_page)
        said = told(options, grid)
        print(said if options.list_ else f"{grid.results.with_suffix('.md').read_text()}\n{said}")


def write_page(folder: Path, keep_old: bool = False) -> Path:
    """Write the page of all results in a folder beside it."""
    return write_markdown(folder, lambda rows: page(rows, ages(rows, LEARNING), keep_old))


def wanted(options: CompareOptions) -> list[ComparisonJob]:
    """The jobs asked for, in the order they are run. Raises `ConfigError` for an unknown clip or system."""
    clips = named_clips(options.clips, options.grade)
    words = [name for word in options.systems for name in word.split(",") if name]
    systems = [check_name(name, "--systems") for name in words]
    if others := [name for name in systems if name not in HUMAN]:
        raise ConfigError(f"{', '.join(others)} is no method for a human", where="--systems", valid=", ".join(HUMAN))
    return comparison(clips, systems, options.roots, options.seeds, options.minutes, options.recipe, options.iterations)


if __name__ == "__main__":
    main()
