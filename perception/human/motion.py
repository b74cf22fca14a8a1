"""The recovered motion between perception's stages: 52 joint rotations, where the root is, bone lengths.

NumPy; what a `Clip` says of the human, before there is a clip.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.camera import Camera
from devi_jax.core.clip import forward_kinematics
from devi_jax.core.errors import ClipError
from devi_jax.core.skeleton import JOINTS
from perception.contracts.body import Frame


@dataclass(frozen=True)
class SkeletonMotion:
    """T frames of one human.

    `rotations` (T, 52, 4): unit quaternions wxyz relative to the parent, the pelvis' relative to `frame`; all identity
    is the T-pose facing +y with z up. `root` (T, 3): the pelvis in `frame`, metres. `offsets` (52, 3): joints in their
    parents' frames. `frame`: the scene's world (z up), or the camera (OpenCV axes).
    """

    fps: float
    rotations: np.ndarray
    root: np.ndarray
    offsets: np.ndarray
    frame: Frame = "world_zup"
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return len(self.rotations)

    def validate(self, where: str = "motion") -> None:
        """Raise `ClipError` unless shapes agree and numbers are usable."""
        t, j = self.frames, len(JOINTS)
        wanted = {"rotations": (t, j, 4), "root": (t, 3), "offsets": (j, 3)}
        for name, shape in wanted.items():
            value = getattr(self, name)
            if value.shape != shape or not np.isfinite(value).all():
                raise ClipError(f"shape {value.shape}", where=f"{where}: {name}", valid=f"finite numbers {shape}")
        if t < 1 or not self.fps > 0:
            raise ClipError(f"{t} frames at {self.fps} a second", where=where, valid="one frame and more, fps > 0")
        if np.abs(np.linalg.norm(self.rotations, axis=-1) - 1).max() > 1e-2:
            raise ClipError("quaternions are not of unit length", where=f"{where}: rotations", valid="norm 1, w first")


def joint_positions(motion: SkeletonMotion) -> np.ndarray:
    """Joint centres (T, 52, 3) in the motion's frame, metres."""
    return forward_kinematics(motion.rotations, motion.root, motion.offsets)


def to_world(motion: SkeletonMotion, camera: Camera) -> SkeletonMotion:
    """The motion in the scene's world, through the scene's own camera; one that is there already is returned."""
    if motion.frame == "world_zup":
        return motion
    T_world_camera = np.linalg.inv(camera.T_camera_world)
    turn = rot.matrix_to_quat(T_world_camera[:3, :3])
    rotations = motion.rotations.copy()
    rotations[:, 0] = rot.quat_mul(np.broadcast_to(turn, (motion.frames, 4)), rotations[:, 0])
    root = rot.rotate(turn, motion.root) + T_world_camera[:3, 3]
    return replace(motion, rotations=rotations, root=root, frame="world_zup")
