"""What a comparison trains: jobs of clip, system, root and seed, all for the same time and in the same way."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

from devi_jax.bench.grid import last_error, log_file
from devi_jax.bench.result_files import Result, made
from devi_jax.bench.training_result import KEPT, outcome, run_training
from devi_jax.core.errors import ConfigError, RunError, did_you_mean
from devi_jax.datasets.bundled_sets import SETS, graded
from devi_jax.datasets.load import bundled
from devi_jax.runs.devices import machine
from devi_jax.runs.provenance import git_state
from devi_jax.systems import Recipe
from envs.physics import HumanRoot

SCORES = (*KEPT, "mpjpe_body_mm", "mpjpe_hand_mm", "t_root_mm")
"""Scores of an evaluation that a comparison keeps."""


@dataclass(frozen=True)
class ComparisonJob:
    """One training. `clip`: a bundled name or a clip file. Where `iterations` are given, minutes are no limit."""

    clip: str
    system: str
    root: HumanRoot
    seed: int
    minutes: float
    recipe: Recipe
    iterations: int | None = None

    @property
    def budget(self) -> str:
        """How long it is trained, in words."""
        return f"{self.minutes:g} minutes" if self.iterations is None else f"{self.iterations} iterations"

    @property
    def name(self) -> str:
        """What its result, its run folder and its log are called."""
        length = f"{self.minutes:g}min" if self.iterations is None else f"{self.iterations}it"
        return f"{Path(self.clip).stem}-{self.system}-{self.root}-{self.recipe}-{length}-{self.seed}"

    @property
    def flags(self) -> list[str]:
        """Flags of `devi_jax.train`."""
        told = {"clip": self.clip, "system": self.system, "recipe": self.recipe, "root": self.root, "seed": self.seed}
        told |= {"iterations": self.iterations} if self.iterations else {"minutes": f"{self.minutes:g}"}
        return [f"--{name}={value}" for name, value in told.items()]


def comparison(
    clips: Sequence[str],
    systems: Sequence[str],
    roots: Sequence[HumanRoot],
    seeds: int,
    minutes: float,
    recipe: Recipe,
    iterations: int | None = None,
) -> list[ComparisonJob]:
    """Every combination: a seed of everything before another seed, all systems of a clip one after another."""
    combined = product(range(seeds), roots, dict.fromkeys(clips), dict.fromkeys(systems))
    return [
        ComparisonJob(clip, system, root, seed, minutes, recipe, iterations) for seed, root, clip, system in combined
    ]


def named_clips(names: Sequence[str], grade: str) -> list[str]:
    """Bundled names and files of sets, of clean bundled names (both in a grade), of other bundled names, and of files.

    Raises `ConfigError` for a name that is nothing of that, or a clip that is not there in this grade.
    """
    known, out = bundled(), []
    for name in names:
        members = SETS.get(name, (name,))
        if Path(name).suffix == ".npz" and Path(name).is_file():
            out.append(name)
            continue
        for member in members:
            wanted = graded(member, grade) if "-" not in member else member
            if wanted not in known:
                raise ConfigError(
                    f"no clip '{wanted}'{did_you_mean(wanted, [*known, *SETS])}",
                    where=f"--clips {name}",
                    valid=f"a set ({', '.join(SETS)}), a bundled name, or a clip .npz",
                    fix="python -m devi_jax.clips list",
                )
            out.append(wanted)
    return out


def train(job: ComparisonJob, folder: Path) -> int:
    """Train a job in a process of its own, or go on where it was interrupted; its exit code."""
    return run_training(folder, job.flags)


def collect(job: ComparisonJob, folder: Path, code: int = 0) -> Result:
    """A job's result. One that failed has one too: what its training said last, and no evaluation."""
    told = {
        "cell": job.name,
        "clip": Path(job.clip).stem,
        "system": job.system,
        "root": job.root,
        "seed": job.seed,
        "budget": job.budget,
        "recipe": job.recipe,
    }
    try:
        came = outcome(folder, SCORES)
    except RunError:
        came = {"status": "failed", "evaluation": None, "trained_minutes": 0.0, "environment_steps": 0}
        came |= made(git_state(), asdict(machine()))
    return {**told, **came, "error": None if came["evaluation"] else last_error(log_file(folder))}
