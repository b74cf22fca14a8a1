"""What is searched for: jobs of clip, seed and the reward for the object; success in space is no part of the search."""

from dataclasses import dataclass
from itertools import product
from pathlib import Path

from devi_jax.bench.grid import last_error, log_file
from devi_jax.bench.result_files import Result, made, read_json
from devi_jax.bench.training_result import run_training, scores_of
from devi_jax.core.errors import ConfigError, RunError
from devi_jax.datasets.bundled_sets import graded
from devi_jax.datasets.load import bundled
from devi_jax.runs.run_dir import RunDir

ARMS: dict[str, tuple[str, ...]] = {
    "2D": ("--system=devi",),
    "6-DoF": ("--system=devi_6d",),
    "contact": ("--system=devi_no_object",),
    "human": ("--system=devi_no_object", "--rewards.contact-force.weight=0", "--rewards.contact-distance.weight=0"),
}
"""What the reward sees of the object: its points in the picture, its pose in space, only contacts, nothing at all. All
but the last reward contact too, and all the human."""
COMMON = ("--plan=only", "--planner.rank=reward", "--terminations.object-pixels.bound=inf", "--root=pinned")
"""The best plan is the one of the highest reward, and no bound on pixels ends an episode."""

CLIPS = ("push_box", "pour_bottle", "hammer", "lift_ball", "floor_push", "pick_place")
"""Clips in which hands do not say where the object is: it slides, turns in the hand, rolls, or is let go."""
GRADE = "rough"
SEEDS = 3


@dataclass(frozen=True)
class AblationJob:
    """One plan. `clip`: a bundled clip's name without its grade."""

    arm: str
    clip: str
    seed: int

    @property
    def name(self) -> str:
        """What its result, its run folder and its log are called."""
        return f"{self.clip}-{self.arm}-{self.seed}"

    @property
    def flags(self) -> list[str]:
        """Flags of `devi_jax.train`."""
        return [f"--clip={graded(self.clip, GRADE)}", f"--seed={self.seed}", *COMMON, *ARMS[self.arm]]


def schedule(clips: tuple[str, ...] = (), seeds: int | None = None) -> list[AblationJob]:
    """All jobs, or those of some clips: a seed of everything before another one, all arms of a clip one after another.

    Raises `ConfigError` for a clip that is not bundled in this grade.
    """
    for clip in clips:
        if graded(clip, GRADE) not in bundled():
            known = ", ".join(name.removesuffix(f"-{GRADE}") for name in bundled() if name.endswith(f"-{GRADE}"))
            raise ConfigError(f"no clip '{clip}' of grade {GRADE}", where="--clips", valid=known)
    cells = product(range(seeds or SEEDS), dict.fromkeys(clips or CLIPS), ARMS)
    return [AblationJob(arm, clip, seed) for seed, clip, arm in cells]


def search(job: AblationJob, folder: Path) -> int:
    """Search in a process of its own, anew where it was interrupted; its exit code."""
    return run_training(folder, job.flags)


def collect(job: AblationJob, folder: Path, code: int = 0) -> Result:
    """A job's result: every attempt, and the evaluation of the one of the highest reward, which may be the clip's own.

    Raises:
        RunError: the search did not end, or one of its files is not readable.
    """
    run, attempts = RunDir(folder), folder / "planning.json"
    if not run.evaluation_json.exists() or not attempts.exists():
        log = log_file(folder)
        raise RunError(f"nothing was searched: {last_error(log)}", where=str(folder), fix=f"read {log.name} beside it")
    evaluation = read_json(run.evaluation_json)
    best = "plan" if "plan" in evaluation else "follow"
    sides = {name: scores_of(evaluation[name]) for name in (best, "reference", "nothing")}
    told = RunDir.open(folder).description()
    return {
        "cell": job.name,
        "clip": job.clip,
        "arm": job.arm,
        "seed": job.seed,
        "flags": job.flags,
        "status": "done",
        "attempts": read_json(attempts),
        "best": best,
        **sides,
        "grades": evaluation["grades"],
        **made(told.get("git"), told.get("machine")),
    }
