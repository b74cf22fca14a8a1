"""PhysHOI's 331-column BallPlay clips (Wang et al. 2023) as clips.

Columns: root position 0:3 and rotation vector 3:6, velocity residue 6:9, 51 exponential maps 9:162, body positions
162:318 (one frame late), ball position 318:321 and rotation vector 321:324, ball contact 330.
"""

from pathlib import Path

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.clip import Clip, ObjectPoses, validate
from devi_jax.core.scene import ObjectSpec, SceneSpec
from devi_jax.core.skeleton import HAND_BODIES
from devi_jax.datasets.formats import isaacgym_humanoid
from devi_jax.datasets.formats.provenance import provenance
from devi_jax.datasets.grounding import move_to_origin

COLUMNS = 331
FPS = 25.0
FK_LIMIT_MM = 20.0
"""Released files reach 12 mm (their actor is not quite the recorded skeleton); hinge angles give up to 30 mm."""
BALL_RADIUS_M = 0.12
BALL_MASS_KG = 0.6
REACH_M = 0.10
"""A hand touches when one of its joints is this near to the ball's surface: half a palm, a phalanx, and the recording's
own error (joints are measured, not skin)."""


def from_physhoi(data: np.ndarray, path: Path, mass_kg: float | None = None) -> Clip:
    """A clip of the columns (T, 331) in `path`; 25 frames a second, resample as needed.

    The file's one contact column belongs to the ball; a hand's label psi (A.9) is 1 where the ball is touched and one
    of its joints lies within `REACH_M` of the ball's surface. Raises `ClipError` naming what is wrong in the file.
    """
    where = str(path)
    isaacgym_humanoid.check_columns(data, where)
    recording = isaacgym_humanoid.Recording(
        root=data[:, 0:3],
        rotations=isaacgym_humanoid.local_rotations(rot.quat_exp(data[:, 3:6]), data[:, 9:162]),
        positions=isaacgym_humanoid.in_our_order(data[:, 162:318], 3),
    )
    motion = isaacgym_humanoid.to_motion(recording, where, FK_LIMIT_MM, lags=(0, 1))
    poses = ObjectPoses(data[:, 318:321], rot.quat_exp(data[:, 321:324]))
    return ball_clip(motion, poses, np.rint(data[:, 330]) == 1, path, "PhysHOI, 331 columns", FPS, mass_kg)


def ball_clip(
    motion: isaacgym_humanoid.Motion,
    poses: ObjectPoses,
    touched: np.ndarray,
    path: Path,
    layout: str,
    fps: float,
    mass_kg: float | None,
) -> Clip:
    """The clip of somebody with a ball: `touched` (T,) says when; hands within `REACH_M` are those that touch it."""
    contact = touched[:, None] & hands_near(motion.positions, poses.positions)
    mass_kg = BALL_MASS_KG if mass_kg is None else mass_kg
    notes = [
        f"object: sphere of radius {BALL_RADIUS_M} m, mass {mass_kg} kg",
        f"hand labels: hands within {REACH_M} m of the ball in the file's contact frames; "
        f"{int((touched & ~contact.any(axis=1)).sum())} contact frames have none",
    ]
    clip = Clip(
        name=path.stem,
        fps=fps,
        joint_rotations=motion.rotations,
        joint_positions=motion.positions,
        contact=contact.astype(np.float64),
        scene=SceneSpec(object=ObjectSpec("sphere", (BALL_RADIUS_M,), mass_kg)),
        object_start=np.concatenate([poses.positions[0], poses.rotations[0]]),
        object_poses=poses,
        provenance=provenance(path, layout, motion, notes, dropped=[]),
    )
    validate(clip, str(path))
    return move_to_origin(clip)


def hands_near(joints: np.ndarray, ball: np.ndarray) -> np.ndarray:
    """Which hands (T, 2) of joints (T, 52, 3) have a joint within `REACH_M` of the surface of the ball at (T, 3)."""
    gap = np.linalg.norm(joints - ball[:, None], axis=-1) - BALL_RADIUS_M
    return np.stack([gap[:, hand].min(axis=1) <= REACH_M for hand in HAND_BODIES], axis=1)
