"""One hand over time: MANO's pose in the camera's frame, and 21 points in 3D and in the picture."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from perception.contracts import checks
from perception.contracts.estimate import Estimate

Side = Literal["left", "right"]

HAND21: tuple[str, ...] = (
    "wrist",
    *(f"{finger}{k}" for finger in ("thumb", "index", "middle", "ring", "pinky") for k in (1, 2, 3, "_tip")),
)
"""The 21 points of a hand, wrist first, then thumb to pinky, each from the palm to the tip (OpenPose's order)."""


@dataclass(frozen=True, kw_only=True)
class HandMotion(Estimate):
    """The person's left or right hand over T frames, not mirrored.

    `global_orient` (T, 3): the wrist's rotation vector in the camera's frame. `hand_pose` (T, 15, 3): rotation vectors
    relative to the parent, with a flat hand as zero, in SMPL-X's order: index, middle, pinky, ring, thumb.
    `joints3d` (T, 21, 3) metres in the camera's frame and `joints2d` (T, 21, 3) pixels and confidence, both in the
    order of `HAND21`. `valid` (T,) marks frames in which the hand was seen; elsewhere numbers mean nothing.
    `betas` (10,): MANO's shape.
    `K_used` (3, 3): the camera that `joints3d` and `joints2d` agree with. `crop`: the wrist is turned as the middle of
    the picture would show it, since the tool saw a crop and not where it was.
    """

    side: Side
    valid: np.ndarray
    global_orient: np.ndarray
    hand_pose: np.ndarray
    joints2d: np.ndarray
    betas: np.ndarray
    K_used: np.ndarray
    joints3d: np.ndarray | None = None
    crop: bool = False

    UNITS: ClassVar[dict[str, str]] = {
        **{"valid": "bool", "global_orient": "rad", "hand_pose": "rad", "joints2d": "px, px, confidence"},
        **{"betas": "1", "K_used": "px", "joints3d": "m"},
    }

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return len(self.valid)

    def validate(self, where: str = "hand") -> None:
        """See `Estimate.validate`. Projected 3D points have to meet the 2D ones, see `checks.REPROJECTION_PART`."""
        super().validate(where)
        if self.side not in ("left", "right"):
            raise checks.EstimateError(f"side is {self.side!r}", where=f"{where}: side", valid="'left' or 'right'")
        where = f"{where}: {self.side} hand"
        sizes: dict[str, int] = {}
        checks.shaped(self.valid, ("T",), "b", f"{where}: valid", sizes)
        checks.shaped(self.global_orient, ("T", 3), "f", f"{where}: global_orient", sizes)
        checks.shaped(self.hand_pose, ("T", 15, 3), "f", f"{where}: hand_pose", sizes)
        checks.shaped(self.joints2d, ("T", 21, 3), "f", f"{where}: joints2d", sizes)
        checks.shaped(self.betas, (10,), "f", f"{where}: betas")
        checks.rotation_vectors(self.global_orient, f"{where}: global_orient", self.valid)
        checks.rotation_vectors(self.hand_pose, f"{where}: hand_pose", self.valid)
        checks.finite(self.joints2d, f"{where}: joints2d", self.valid)
        checks.finite(self.betas[None], f"{where}: betas")
        checks.pinhole(self.K_used, self.size_px, f"{where}: K_used")
        if self.joints3d is not None:
            checks.shaped(self.joints3d, ("T", 21, 3), "f", f"{where}: joints3d", sizes)
            checks.finite(self.joints3d, f"{where}: joints3d", self.valid)
            pixels = self.joints2d[..., :2]
            checks.reprojected(self.joints3d, pixels, self.K_used, self.valid, f"{where}: joints3d", self._size(pixels))

    def _size(self, pixels: np.ndarray) -> float:
        """The median diagonal of the hand's box in the picture, pixels."""
        if not self.valid.any():
            return 0.0
        seen = pixels[self.valid]
        return float(np.median(np.linalg.norm(seen.max(axis=1) - seen.min(axis=1), axis=-1)))
