"""`python -m devi_jax.compare`: train every method on every clip, judge all the same way, write the paper's tables."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, cast

import tyro

from devi_jax.bench.grid import Grid, check_positive, write_markdown
from devi_jax.bench.methods.jobs import ComparisonJob, collect, comparison, named_clips, train
from devi_jax.bench.methods.page import page
from devi_jax.core.errors import ConfigError, exit_on_error
from devi_jax.systems import NAMES, Recipe, SystemName
from envs.physics import Root


@dataclass(frozen=True)
class CompareOptions:
    """Fill the tables job by job; what has a result is skipped, what was interrupted goes on where it was.

    A job that failed is shown as failed; remove its result to try it again.
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
    """Train so many jobs at most."""
    list_: Annotated[bool, tyro.conf.arg(name="list")] = False
    """Only show the jobs and which have a result."""
    runs: Path = Path("runs/compare")
    """Where run folders go."""
    out: Path = Path("docs/compare")
    """Where results are kept; the page lies beside that folder."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point."""
    with exit_on_error():
        options = tyro.cli(CompareOptions, args=sys.argv[1:] if arguments is None else arguments)
        given = {"minutes": options.minutes, "iterations": options.iterations}
        check_positive(**given, seeds=options.seeds, limit=options.limit)
        jobs = wanted(options)
        grid = Grid(jobs, options.runs, options.out, train, collect, lambda out: write_markdown(out, page))
        if options.list_:
            print(grid.listing())
            return
        path = grid.fill(options.limit)
        print(f"{path.read_text()}\npage: {path}")


def wanted(options: CompareOptions) -> list[ComparisonJob]:
    """The jobs asked for, in the order they are run. Raises `ConfigError` for a clip or a system that is not there."""
    clips = named_clips(options.clips, options.grade)
    systems: list[SystemName] = [_system(name) for words in options.systems for name in words.split(",") if name]
    return comparison(clips, systems, options.roots, options.seeds, options.minutes, options.recipe, options.iterations)


def _system(name: str) -> SystemName:
    if name not in NAMES:
        raise ConfigError(f"no system '{name}'", where="--systems", valid=", ".join(NAMES))
    return cast(SystemName, name)


if __name__ == "__main__":
    main()
