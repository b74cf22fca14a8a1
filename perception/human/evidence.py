"""What a motion is aligned to: 2D joints seen in the video, the scene's first frame, the object before it moves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from devi_jax.core.camera import Camera
from devi_jax.core.errors import ClipError
from perception.human.skeleton_points import N_POINTS

LEAST_HOLD = 3
"""A hold lasts at least so many frames."""


@dataclass(frozen=True)
class Landmarks2D:
    """L points of the skeleton seen in T images.

    `px` (T, L, 2): pixels, corner origin. `confidence` (T, L): weight in [0, 1]; a point that was not seen has zero
    and any finite place. `points` (L,): indices into the 52 joints and ten fingertips of `perception.human.kinematics`.
    """

    px: np.ndarray
    confidence: np.ndarray
    points: tuple[int, ...]

    def validate(self, frames: int, where: str) -> None:
        """Raise `ClipError` unless there are `frames` frames and every array has its shape."""
        want = (frames, len(self.points))
        if self.px.shape != (*want, 2) or self.confidence.shape != want:
            raise ClipError(
                f"2D joints have shapes {self.px.shape} and {self.confidence.shape}",
                where=where,
                valid=f"px {(*want, 2)} and confidence {want}: as many frames as the motion",
            )
        if not np.isfinite(self.px).all() or self.confidence.min(initial=0) < 0 or self.confidence.max(initial=0) > 1:
            raise ClipError("a 2D joint or its confidence is no number in range", where=where, valid="finite, [0, 1]")
        if not all(0 <= p < N_POINTS for p in self.points):
            raise ClipError("2D joints name a point that is not there", where=where, valid=f"0 to {N_POINTS - 1}")


@dataclass(frozen=True)
class FirstPose:
    """The human of the scene, from which the video began: `rotations` (52, 4), `root` (3,), `offsets` (52, 3)."""

    rotations: np.ndarray
    root: np.ndarray
    offsets: np.ndarray


@dataclass(frozen=True)
class ReachTarget:
    """What hands reach for.

    `points` (P, 3): the object's surface in the world before it moves, metres (v* of Eq. 14). `hands`: sides (0 left,
    1 right) that hold it, as the prompt says (J*). `onset`, `moves`: frames of first contact and first motion; without
    an onset the term may choose any frame before `moves`.
    """

    points: np.ndarray
    hands: Sequence[int]
    moves: int
    onset: int | None = None

    def validate(self, frames: int, where: str) -> None:
        """Raise `ClipError` unless the object has points and the frames are in order."""
        if self.points.ndim != 2 or self.points.shape[1:] != (3,) or not np.isfinite(self.points).all():
            raise ClipError(f"object points have shape {self.points.shape}", where=where, valid="finite, (P, 3)")
        if len(self.points) == 0 or not set(self.hands) <= {0, 1}:
            raise ClipError("no object point, or a hand other than 0 and 1", where=where)
        if not 0 <= (self.onset or 0) <= self.moves <= frames:
            raise ClipError(
                f"contact at frame {self.onset}, motion at {self.moves} of {frames}",
                where=where,
                valid="0 <= onset <= moves <= frames",
            )


@dataclass(frozen=True)
class HeldObject:
    """Where the object is while hands hold it.

    `positions` (T, 3) metres, `rotations` (T, 4): its poses in the world. `held` (T, 2) bool: frames in which the left
    and the right hand hold it and its pose is known. `surface` (P, 3): points all over it, in its own frame. Before
    frame `moves` it rests.
    """

    positions: np.ndarray
    rotations: np.ndarray
    held: np.ndarray
    surface: np.ndarray
    moves: int

    @property
    def holds(self) -> list[tuple[int, np.ndarray]]:
        """Side and frames of each unbroken hold; what is shorter than `LEAST_HOLD` frames is none."""
        runs = []
        for side in (0, 1):
            frames = np.flatnonzero(self.held[:, side])
            runs += [(side, run) for run in np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1)]
        return [(side, run) for side, run in runs if len(run) >= LEAST_HOLD]

    def validate(self, frames: int, where: str) -> None:
        """Raise `ClipError` unless there are `frames` finite poses and labels, and a surface."""
        wanted = {"positions": (frames, 3), "rotations": (frames, 4), "held": (frames, 2)}
        for name, shape in wanted.items():
            value = getattr(self, name)
            if value.shape != shape or not np.isfinite(value).all():
                raise ClipError(f"{name} has shape {value.shape}", where=where, valid=f"finite, {shape}")
        if self.surface.ndim != 2 or self.surface.shape[1:] != (3,) or len(self.surface) == 0:
            raise ClipError(f"the surface has shape {self.surface.shape}", where=where, valid="(P, 3), P > 0")


@dataclass(frozen=True)
class Evidence:
    """All that alignment may look at. `body` and `hands` are the points of Eq. 11 and of Eq. 12."""

    camera: Camera
    body: Landmarks2D
    hands: Landmarks2D
    first: FirstPose | None = None
    touch: ReachTarget | None = None
    carried: HeldObject | None = None

    def validate(self, frames: int, where: str = "evidence") -> None:
        """Raise unless every part is sound and as long as the motion."""
        self.camera.validate(f"{where}: camera")
        self.body.validate(frames, f"{where}: body")
        self.hands.validate(frames, f"{where}: hands")
        if self.touch is not None:
            self.touch.validate(frames, f"{where}: touch")
        if self.carried is not None:
            self.carried.validate(frames, f"{where}: carried")
