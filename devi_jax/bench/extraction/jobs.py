"""What extraction is measured on: scripted videos of scenes, each as it is and some with one knob of imperfection."""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from devi_jax.bench.result_files import Row, logged, made, read_json
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
"""A row is of the code as it is, so nothing of an earlier extraction is kept."""

Knob = Literal["none", "blur", "noise", "compressed", "generated", "rough", "drift", "depth", "hmr", "front"]


@dataclass(frozen=True)
class Cell:
    """One video and its extraction."""

    scene: str
    knob: str = NONE

    @property
    def name(self) -> str:
        """What its row, its folders and its log are called."""
        return Path(self.scene).stem + ("" if self.knob == NONE else f"-{self.knob}")


@dataclass(frozen=True)
class Places:
    """Where a cell's video, clip, figures and log lie, under a folder `runs`."""

    runs: Path
    cell: Cell

    @property
    def film(self) -> Path:
        """The folder that imagine fills."""
        return self.runs / "films" / self.cell.name

    @property
    def clip(self) -> Path:
        """The extracted clip."""
        return self.runs / self.cell.name / "clip.npz"

    @property
    def measured(self) -> Path:
        """The figures of the extraction."""
        return self.clip.with_name("clip-measured.json")

    @property
    def log(self) -> Path:
        """What both commands printed."""
        return self.runs / f"{self.cell.name}.log"


def schedule() -> list[Cell]:
    """All cells: every scene as it is, then the knobs."""
    turned = [Cell(scene, knob) for scene in TURNED for knob in KNOBS if knob != NONE]
    return [*(Cell(scene) for scene in SCENES), *turned]


def film(places: Places) -> int:
    """Make the cell's video unless it is there; the exit code."""
    if (places.film / "clip.npz").is_file():
        return 0
    flags = [f"--scene={places.cell.scene}", f"--out={places.film}", "--overwrite", *KNOBS[places.cell.knob]]
    return logged([sys.executable, "-m", "devi_jax.imagine", *flags], places.log)


def extract(places: Places) -> int:
    """Extract the cell's clip and measure it; the exit code."""
    places.measured.unlink(missing_ok=True)
    places.log.unlink(missing_ok=True)
    flags = [f"--out={places.clip}", f"--truth={places.film / 'clip.npz'}", "--overwrite", "--again", *AGAIN]
    return logged([sys.executable, "-m", "devi_jax.extract", str(places.film), *flags], places.log)


def collect(places: Places, code: int) -> Row:
    """The row of an extraction that ended with an exit code; one that failed says how.

    Raises:
        RunError: it ended well and left no figures.
    """
    row = {
        "cell": places.cell.name,
        "scene": Path(places.cell.scene).stem,
        "knob": places.cell.knob,
        "flags": list(KNOBS[places.cell.knob]),
        "status": "done" if code == 0 else "failed",
        "error": None if code == 0 else last_error(places.log),
        "measured": None,
        **made(git_state(), asdict(machine())),
    }
    if code == 0:
        if not places.measured.is_file():
            raise RunError("the extraction left no figures", where=str(places.measured), fix=f"read {places.log}")
        row["measured"] = rounded(read_json(places.measured))
    return row


def last_error(log: Path) -> str:
    """What the last command in a log said was wrong, in one line."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    begun = [i for i, line in enumerate(lines) if line.startswith("error:")]
    return lines[begun[-1]].removeprefix("error:").strip() if begun else (lines or ["nothing was said"])[-1]


def rounded(value):
    """The same figures to four digits: what is measured has no more."""
    if isinstance(value, dict):
        return {key: rounded(v) for key, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value
