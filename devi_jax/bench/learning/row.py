"""How a cell is trained, and its row."""

from pathlib import Path

from devi_jax.bench.learning.jobs import Cell
from devi_jax.bench.result_files import Row
from devi_jax.bench.training_row import outcome, run_training
from devi_jax.runs.run_dir import RunDir

UNTIL = 0.95
"""Share of perturbed starts at which a cell has nothing left to show, and stops before its minutes are over."""


def train(cell: Cell, folder: Path) -> int:
    """Train a cell in a process of its own, or go on where it was interrupted; its exit code. Output goes to a log."""
    told = {"clip": cell.source, "root": cell.root, "seed": cell.seed, "minutes": f"{cell.minutes:g}"}
    told |= {"until": UNTIL, "checkpoint-every": 10}
    return run_training(folder, [f"--{name}={value}" for name, value in told.items()] + list(cell.flags))


def collect(cell: Cell, folder: Path) -> Row:
    """The row of a trained cell. A training that ended in an error has a row too, with no evaluation.

    Raises:
        RunError: when the run never took a step, or one of its files is not readable.
    """
    told = RunDir.open(folder).description()
    return {
        "cell": cell.name,
        "clip": Path(cell.clip).stem,
        "grade": cell.grade,
        "root": cell.root,
        "seed": cell.seed,
        "variant": cell.variant,
        "recipe": told["config"].get("recipe", told["system"]),
        "flags": list(cell.flags),
        "minutes": cell.minutes,
        **outcome(folder),
    }
