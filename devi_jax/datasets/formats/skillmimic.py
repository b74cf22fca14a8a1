"""SkillMimic's 337-column BallPlay-M clips (Wang et al. 2024) as clips.

Columns: root position 0:3 and rotation vector 3:6, 52 exponential maps 9:165, 53 body positions 165:324, ball position
324:327 and rotation vector 327:330, ball contact 336. The bodies are PhysHOI's and one more in the spine.
"""

from pathlib import Path

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.clip import Clip, ObjectPoses
from devi_jax.datasets.formats import isaacgym_humanoid
from devi_jax.datasets.formats.physhoi import ball_clip

COLUMNS = 337
FPS = 60.0
FK_LIMIT_MM = 20.0
"""A released file reaches 13 mm, as its actor is not quite the recorded skeleton; hinge angles give 44 and more."""
_EXTRA = isaacgym_humanoid.BODIES.index("spine3")  # Torso, Spine, Spine2, Chest: the third has no joint of SMPL-X
_ORDER = [i + (i >= _EXTRA) for i in isaacgym_humanoid.ORDER]


def from_skillmimic(data: np.ndarray, path: Path, mass_kg: float | None = None) -> Clip:
    """A clip of the columns (T, 337) in `path`; 60 frames a second, resample as needed.

    Spine2, which SMPL-X lacks, turns with the joint above it. Hand labels as for PhysHOI (`ball_clip`). Raises
    `ClipError` naming what is wrong in the file.
    """
    where = str(path)
    isaacgym_humanoid.check_columns(data, where)
    motion = isaacgym_humanoid.to_motion(_recording(data), where, FK_LIMIT_MM, lags=(0, 1))
    poses = ObjectPoses(data[:, 324:327], rot.quat_exp(data[:, 327:330]))
    return ball_clip(motion, poses, np.rint(data[:, 336]) == 1, path, "SkillMimic, 337 columns", FPS, mass_kg)


def _recording(data: np.ndarray) -> isaacgym_humanoid.Recording:
    """The 52 joints of our skeleton; the rotation of Spine2 goes into that of the joint above it."""
    local = rot.quat_exp(data[:, [3, 4, 5, *range(9, 165)]].reshape(len(data), 53, 3))
    local[:, _EXTRA + 1] = rot.quat_mul(local[:, _EXTRA], local[:, _EXTRA + 1])
    positions = data[:, 165:324].reshape(len(data), 53, 3)[:, _ORDER]
    return isaacgym_humanoid.Recording(data[:, 0:3], local[:, _ORDER], positions)
