"""What extraction is measured on: scripted videos of scenes, each as it is and some with one knob of imperfection."""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from devi_jax.bench.grid import last_error, log_file, run_logged
from devi_jax.bench.result_files import Result, made, read_json
from devi_jax.bench.row_age import EXTRACTION, is_old
from devi_jax.core.errors import RunError
from devi_jax.runs.devices import machine
from devi_jax.runs.provenance import git_state

KNOBS: dict[str, tuple[str, ...]] = {
    "none": (),
    "blur": ("--imperfect.shutter-frames=8",),
    "noise": ("--imperfect.noise=8", "--imperfect.flicker=0.02"),
    "compressed": ("--imperfect.crf=32",),
    "generated": (
        "--imperfect.shutter-frames=4",
        "--imperfect.noise=4",
        "--imperfect.flicker=0.02",
        "--imperfect.crf=28",
    ),
    "rough": ("--spoil=rough",),
    "drift": ("--wrong.drift-m=0.05",),
    "depth": ("--wrong.depth-scale=1.05",),
    "hmr": ("--preset=hmr",),
    "front": ("--camera", "0", "15", "1.8"),
}
"""Knobs, and the flags of `devi_jax.imagine` that turn them."""

NONE = "none"

SCENES = (
    "lift_can",
    "lift_box",
    "pick_place",
    "pour_bottle",
    "drink_mug",
    "push_box",
    "hammer",
    "hat",
    "floor_box",
    "hand_over",
    "serve_apple",
    "spray_bottle",
)
"""Bundled scenes, each filmed as it is."""

TURNED = ("lift_can",)
"""Scenes that are filmed with every knob as well."""

AGAIN = ("landmarks", "body", "hands", "points", "object", "motion", "aligned")
"""A result is of the code as it is, so nothing of an earlier extraction is kept."""

Knob = Literal["none", "blur", "noise", "compressed", "generated", "rough", "drift", "depth", "hmr", "front"]


@dataclass(frozen=True)
class ExtractionJob:
    """One video and its extraction."""

    scene: str
    knob: str = NONE

    @property
    def name(self) -> str:
        """What its result, its folders and its log are called."""
        return Path(self.scene).stem + ("" if self.knob == NONE else f"-{self.knob}")


def film_folder(folder: Path) -> Path:
    """Where imagine leaves the video of a job with this folder."""
    return folder.parent / "films" / folder.name


def measured_file(folder: Path) -> Path:
    """The figures of an extraction."""
    return folder / "clip-measured.json"


def schedule() -> list[ExtractionJob]:
    """All jobs: every scene as it is, then the knobs."""
    turned = [ExtractionJob(scene, knob) for scene in TURNED for knob in KNOBS if knob != NONE]
    return [*(ExtractionJob(scene) for scene in SCENES), *turned]


def film(job: ExtractionJob, folder: Path) -> int:
    """Make a job's video unless it is there, by code that a commit holds and that is not old; the exit code."""
    out = film_folder(folder)
    if (out / "clip.npz").is_file() and by_this_code(out / "video.json"):
        return 0
    flags = [f"--scene={job.scene}", f"--out={out}", "--overwrite", *KNOBS[job.knob]]
    return run_logged([sys.executable, "-m", "devi_jax.imagine", *flags], log_file(folder))


def by_this_code(told: Path) -> bool:
    """Whether a video, by what was told of its making, is of a commit from which no row would be refused."""
    made_by = (read_json(told) if told.is_file() else {}).get("git") or {}
    return not made_by.get("dirty") and not is_old(made_by, EXTRACTION)


def extract(folder: Path) -> int:
    """Extract a job's clip and measure it; the exit code."""
    for old in (measured_file(folder), log_file(folder)):
        old.unlink(missing_ok=True)
    video = film_folder(folder)
    flags = [f"--out={folder / 'clip.npz'}", f"--truth={video / 'clip.npz'}", "--overwrite", "--accept-poor"]
    flags += ["--again", *AGAIN]
    return run_logged([sys.executable, "-m", "devi_jax.extract", str(video), *flags], log_file(folder))


def collect(job: ExtractionJob, folder: Path, code: int) -> Result:
    """The result of an extraction that ended with an exit code; one that failed says how.

    Raises:
        RunError: it ended well and left no figures.
    """
    figures, log = measured_file(folder), log_file(folder)
    if code == 0 and not figures.is_file():
        raise RunError("the extraction left no figures", where=str(figures), fix=f"read {log}")
    return {
        "cell": job.name,
        "scene": Path(job.scene).stem,
        "knob": job.knob,
        "flags": list(KNOBS[job.knob]),
        "status": "done" if code == 0 else "failed",
        "error": None if code == 0 else last_error(log),
        "measured": rounded(read_json(figures)) if code == 0 else None,
        **made(git_state(), asdict(machine())),
    }


def rounded(value):
    """The same figures to four digits: what is measured has no more."""
    if isinstance(value, dict):
        return {key: rounded(v) for key, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value
