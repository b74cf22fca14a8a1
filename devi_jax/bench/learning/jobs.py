"""What is measured: jobs of clip, grade, root, seed and variant, each one training, in order of what matters most."""

from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Literal

from devi_jax.bench.result_files import Result
from devi_jax.bench.training_result import outcome, run_training
from devi_jax.core.errors import ConfigError
from devi_jax.datasets.bundled_sets import SUITE, graded
from devi_jax.datasets.load import bundled
from devi_jax.runs.run_dir import RunDir
from envs.physics import HumanRoot

ABLATIONS: dict[str, tuple[str, ...]] = {
    "no-plan": ("--plan=none",),
    "no-plan-resets": ("--resets.plan-states=0", "--resets.onset=0"),
    "no-squeeze": ("--controllers.grasp-closure.angle-rad=0",),
}
"""Variants of the recipe, and the flags of `devi_jax.train` that make them."""

FULL = "full"
"""The recipe itself."""
CAPTURE = "capture"
"""The grade of a clip that comes as a file: it is as its source left it."""

DEMO = ("lift_can", "rough")
"""Clip and grade of `make demo`."""
SEEDS = 3
"""Seeds of each clip, grade and root."""

Variant = Literal["full", "no-plan", "no-plan-resets", "no-squeeze"]


@dataclass(frozen=True)
class LearningJob:
    """One training. `clip`: a bundled clip's name without its grade, or a clip file. `minutes`: its usual budget, or
    another."""

    clip: str
    grade: str
    root: HumanRoot
    seed: int
    minutes: float
    variant: str = FULL

    @property
    def name(self) -> str:
        """What its result, its run folder and its log are called."""
        variant = "" if self.variant == FULL else f"-{self.variant}"
        length = "" if self.minutes == budget_minutes(self.clip, self.grade, self.root) else f"-{self.minutes:g}min"
        return f"{Path(self.clip).stem}-{self.grade}-{self.root}{variant}{length}-{self.seed}"

    @property
    def source(self) -> str:
        """What `devi_jax.train --clip=` takes."""
        return self.clip if self.grade == CAPTURE else graded(self.clip, self.grade)

    @property
    def flags(self) -> tuple[str, ...]:
        """Flags of `devi_jax.train` that the variant adds."""
        return () if self.variant == FULL else ABLATIONS[self.variant]


def budget_minutes(clip: str, grade: str, root: HumanRoot) -> float:
    """How long a job is trained: until its first target is due."""
    if root == "pinned":
        return 10.0
    return 6.0 if (clip, grade) == DEMO else 20.0


def schedule(minutes: float | None = None) -> list[LearningJob]:
    """All jobs: the demo, then a seed of each clip as a video estimate has it, on which replay mostly fails, then the
    suite's clean clips, ablations on a rough lift, and more seeds."""
    roots: tuple[HumanRoot, ...] = ("pinned", "free")
    out = [make(*DEMO, "free", seed, minutes) for seed in range(SEEDS)]
    graded = product(("rough", "mild", "clean"), roots, SUITE)
    one = [make(clip, grade, root, 0, minutes) for grade, root, clip in graded]
    ablated = [make("lift_can", "rough", "pinned", 0, minutes, variant) for variant in ABLATIONS]
    # a seed of everything before another seed of anything
    more = [replace(job, seed=seed) for seed in range(1, SEEDS) for job in one]
    return list(dict.fromkeys([*out, *one, *ablated, *more]))


def chosen(
    clips: tuple[str, ...],
    grades: tuple[str, ...],
    roots: tuple[HumanRoot, ...],
    seeds: int,
    variants: tuple[str, ...],
    minutes: float | None,
) -> list[LearningJob]:
    """Every combination of what was asked for. Raises `ConfigError` for a clip neither bundled nor a file."""
    known = [name for name in bundled() if not name.endswith(("-mild", "-rough"))]
    for clip in clips:
        if clip not in known and not Path(clip).is_file():
            raise ConfigError(f"no clip '{clip}'", where="--clips", valid=f"{', '.join(known)}, or a clip file")
    combined = product(variants, roots, clips, grades, range(seeds))
    jobs = [
        make(clip, grade if clip in known else CAPTURE, root, seed, minutes, variant)
        for variant, root, clip, grade, seed in combined
    ]
    return list(dict.fromkeys(jobs))


def make(clip: str, grade: str, root: HumanRoot, seed: int, minutes: float | None, variant: str = FULL) -> LearningJob:
    """A job with its usual budget, or another."""
    return LearningJob(clip, grade, root, seed, minutes or budget_minutes(clip, grade, root), variant)


def train(job: LearningJob, folder: Path) -> int:
    """Train a job in a process of its own, or go on where it was interrupted; its exit code. Output goes to a log."""
    told = {"clip": job.source, "root": job.root, "seed": job.seed, "minutes": f"{job.minutes:g}"}
    told |= {"checkpoint-every": 10}
    return run_training(folder, [f"--{name}={value}" for name, value in told.items()] + list(job.flags))


def collect(job: LearningJob, folder: Path, code: int = 0) -> Result:
    """The row of a trained job. A training that ended in an error has a row too, with no evaluation.

    Raises:
        RunError: when the run never took a step, or one of its files is not readable.
    """
    told = RunDir.open(folder).description()
    return {
        "cell": job.name,
        "clip": Path(job.clip).stem,
        "grade": job.grade,
        "root": job.root,
        "seed": job.seed,
        "variant": job.variant,
        "recipe": told["config"].get("recipe", told["system"]),
        "flags": list(job.flags),
        "minutes": job.minutes,
        **outcome(folder),
    }
