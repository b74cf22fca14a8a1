"""What is searched for: jobs of clip, seed, tracks and the reward for the object; success in space is no part of it."""

import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from devi_jax.bench.grid import last_error, log_file, run_logged
from devi_jax.bench.result_files import Result, made, read_json
from devi_jax.bench.training_result import run_training, scores_of
from devi_jax.clip_tools.degrade_tracks import TrackDegradation, degrade_tracks
from devi_jax.core.clip_io import load_clip, save_clip
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
TRACKS: dict[str, TrackDegradation] = {
    "exact": TrackDegradation(),
    "noise": TrackDegradation(noise_px=2.0),
    "hidden": TrackDegradation(hidden=0.3),
    "one-sided": TrackDegradation(one_sided=True),
}
"""The object's tracks that a reward gets: exact, with 2 pixels of noise, 30 % hidden at a time, of the visible side."""
OF_DEGRADED = ("2D", "6-DoF")
"""Arms whose reward knows these tracks, or the poses that they tell."""
COMMON = ("--plan=only", "--planner.rank=reward", "--terminations.object-pixels.bound=inf", "--root=pinned")
"""The best plan is the one of the highest reward, and no bound on pixels ends an episode."""

CLIPS = ("push_box", "pour_bottle", "hammer", "lift_ball", "floor_push", "pick_place")
"""Clips in which hands do not say where the object is: it slides, turns in the hand, rolls, or is let go."""
GRADE = "rough"
SEEDS = 3


@dataclass(frozen=True)
class AblationJob:
    """One plan. `clip`: a bundled clip's name without its grade; `tracks`: which of `TRACKS` its reward gets."""

    arm: str
    clip: str
    seed: int
    tracks: str = "exact"

    @property
    def name(self) -> str:
        """What its result, its run folder and its log are called."""
        return "-".join([self.clip, self.arm, *([] if self.exact else [self.tracks]), str(self.seed)])

    @property
    def exact(self) -> bool:
        """Whether the tracks are the clip's poses, projected."""
        return self.tracks == "exact"

    @property
    def flags(self) -> list[str]:
        """Flags of `devi_jax.train`, but for the clip."""
        return [f"--seed={self.seed}", *COMMON, *ARMS[self.arm]]


def schedule(clips: tuple[str, ...] = (), seeds: int | None = None, tracks: tuple[str, ...] = ()) -> list[AblationJob]:
    """All jobs, or those of some clips or tracks: a seed of everything before another one, exact tracks before others,
    all arms of a clip one after another.

    Raises `ConfigError` for a clip that is not bundled in this grade, and for unknown tracks.
    """
    for name in tracks:
        if name not in TRACKS:
            raise ConfigError(f"no tracks are '{name}'", where="--tracks", valid=", ".join(TRACKS))
    for clip in clips:
        if graded(clip, GRADE) not in bundled():
            known = ", ".join(name.removesuffix(f"-{GRADE}") for name in bundled() if name.endswith(f"-{GRADE}"))
            raise ConfigError(f"no clip '{clip}' of grade {GRADE}", where="--clips", valid=known)
    cells = product(range(seeds or SEEDS), dict.fromkeys(tracks or TRACKS), dict.fromkeys(clips or CLIPS), ARMS)
    jobs = [AblationJob(arm, clip, seed, kind) for seed, kind, clip, arm in cells]
    return [job for job in jobs if job.exact or job.arm in OF_DEGRADED]


def search(job: AblationJob, folder: Path) -> int:
    """Search in a process of its own, anew where it was interrupted; its exit code.

    What was found by degraded tracks is judged in another process, by the clip before it was degraded.
    """
    name = graded(job.clip, GRADE)
    if job.exact:
        return run_training(folder, [f"--clip={name}", *job.flags])
    source, truth = _degraded(job, folder), bundled()[name]
    if not source.exists():
        source.parent.mkdir(parents=True, exist_ok=True)
        save_clip(degrade_tracks(load_clip(truth), TRACKS[job.tracks], seed=job.seed), source)
    code = run_training(folder, [f"--clip={source}", *job.flags])
    if code or "truth" in read_json(RunDir(folder).evaluation_json):
        return code
    return run_logged([sys.executable, "-m", "devi_jax.evaluate", str(folder), f"--truth={truth}"], log_file(folder))


def _degraded(job: AblationJob, folder: Path) -> Path:
    """The clip file of a job's tracks, the same for both arms."""
    return folder.parent / "clips" / f"{graded(job.clip, GRADE)}-{job.tracks}-{job.seed}.npz"


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
    if not job.exact and "truth" not in evaluation:
        raise RunError("the plan was not judged by the truth", where=str(folder), fix=f"read {log_file(folder).name}")
    best = "plan" if "plan" in evaluation else "follow"
    if job.exact:
        sides = {name: scores_of(evaluation[name]) for name in (best, "reference", "nothing")}
    else:
        sides = {best: scores_of(evaluation["truth"])}
    told = RunDir.open(folder).description()
    return {
        "cell": job.name,
        "clip": job.clip,
        "arm": job.arm,
        "seed": job.seed,
        "tracks": job.tracks,
        "flags": job.flags,
        "status": "done",
        "attempts": read_json(attempts),
        "best": best,
        **sides,
        "grades": (evaluation if job.exact else evaluation["truth"])["grades"],
        "poses_off": None if job.exact else load_clip(_degraded(job, folder)).provenance["degraded"]["poses_off"],
        **made(told.get("git"), told.get("machine")),
    }
