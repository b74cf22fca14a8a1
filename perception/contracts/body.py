"""A human's body over time, as SMPL-X parameters in the camera's frame or in a world with z up."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from devi_jax.core.errors import did_you_mean
from devi_jax.core.skeleton import FINGERS, SIDES, SMPLX_JOINTS
from perception.contracts import checks
from perception.contracts.estimate import Estimate

_EXTRA = ("eye", "ear", "big_toe", "small_toe", "heel", *(f"{finger}_tip" for finger in FINGERS))

LANDMARKS: tuple[str, ...] = (*SMPLX_JOINTS, "nose", *(f"{side}_{name}" for side in SIDES for name in _EXTRA))
"""Names that 2D points of the body may have: SMPL-X's joints, and what detectors see of face, feet and fingertips."""

Frame = Literal["camera", "world_zup"]


@dataclass(frozen=True, kw_only=True)
class BodyMotion(Estimate):
    """SMPL-X body parameters of one person over T frames.

    `global_orient` (T, 3) and `body_pose` (T, 21, 3) are rotation vectors, of the pelvis in `frame` and of joints 1..21
    relative to their parents; `transl` (T, 3) metres. The pelvis lies at `rest_pelvis` (3,) + `transl`, since SMPL-X
    turns about the pelvis of its rest pose. `betas` (10,). `valid` (T,) marks frames in which the person was seen.
    `joints2d` (T, J, 3): pixels and confidence of what `joint_names` (in `LANDMARKS`) names. `K_used` (3, 3): the
    camera the tool assumed, for the whole picture.
    """

    frame: Frame
    global_orient: np.ndarray
    body_pose: np.ndarray
    transl: np.ndarray
    betas: np.ndarray
    rest_pelvis: np.ndarray
    valid: np.ndarray
    K_used: np.ndarray
    joints2d: np.ndarray | None = None
    joint_names: tuple[str, ...] = ()

    UNITS: ClassVar[dict[str, str]] = {
        **{"global_orient": "rad", "body_pose": "rad", "transl": "m", "betas": "1", "rest_pelvis": "m"},
        **{"valid": "bool", "K_used": "px", "joints2d": "px, px, confidence"},
    }

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return len(self.global_orient)

    @property
    def pelvis(self) -> np.ndarray:
        """Where the pelvis is in `frame`, (T, 3) metres."""
        return self.rest_pelvis + self.transl

    def validate(self, where: str = "body") -> None:
        """See `Estimate.validate`."""
        super().validate(where)
        sizes: dict[str, int] = {}
        for name, spec in {"global_orient": ("T", 3), "body_pose": ("T", 21, 3), "transl": ("T", 3)}.items():
            checks.shaped(getattr(self, name), spec, "f", f"{where}: {name}", sizes)
        checks.shaped(self.valid, ("T",), "b", f"{where}: valid", sizes)
        checks.shaped(self.betas, (10,), "f", f"{where}: betas")
        checks.shaped(self.rest_pelvis, (3,), "f", f"{where}: rest_pelvis")
        checks.rotation_vectors(self.global_orient, f"{where}: global_orient", self.valid)
        checks.rotation_vectors(self.body_pose, f"{where}: body_pose", self.valid)
        checks.finite(self.transl, f"{where}: transl", self.valid)
        checks.finite(self.betas[None], f"{where}: betas")
        checks.finite(self.rest_pelvis[None], f"{where}: rest_pelvis")
        checks.pinhole(self.K_used, self.size_px, f"{where}: K_used")
        if self.frame not in ("camera", "world_zup"):
            raise checks.EstimateError(
                f"frame is {self.frame!r}", where=f"{where}: frame", valid="'camera' or 'world_zup'"
            )
        if self.frame == "camera" and (self.pelvis[self.valid][:, 2] <= 0).any():
            raise checks.EstimateError(
                "the person stands behind the camera",
                where=f"{where}: transl",
                valid="z > 0: x right, y down, z forward",
            )
        self._check_points(where, sizes)

    def _check_points(self, where: str, sizes: dict[str, int]) -> None:
        if self.joints2d is None:
            return
        checks.shaped(self.joints2d, ("T", len(self.joint_names), 3), "f", f"{where}: joints2d", sizes)
        checks.finite(self.joints2d, f"{where}: joints2d", self.valid)
        for name in self.joint_names:
            if name not in LANDMARKS or self.joint_names.count(name) > 1:
                why = "stands twice" if name in LANDMARKS else f"is not known{did_you_mean(name, LANDMARKS)}"
                raise checks.EstimateError(
                    f"point '{name}' {why}", where=f"{where}: joint_names", valid=f"each once: {', '.join(LANDMARKS)}"
                )
