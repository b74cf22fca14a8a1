"""Where a clip stands: at the origin facing +y, and with its feet on the floor."""

from dataclasses import replace

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.clip import Clip, ObjectPoses
from devi_jax.core.errors import ClipError
from devi_jax.core.skeleton import INDEX

BALL_HEIGHT_M = 0.02
"""Height of SMPL-X's foot joints (the balls of the feet) above the sole."""
_FEET = [INDEX["left_foot"], INDEX["right_foot"]]


def move_to_origin(clip: Clip) -> Clip:
    """The clip moved over the floor so that its first frame stands at the origin facing +y (DeVI A.1).

    For clips whose place is free: a table or a camera would fix it, and raises `ClipError`.
    """
    if clip.scene.table is not None or clip.camera is not None:
        raise ClipError(
            "a clip with a table or a camera cannot be moved", where=clip.name, valid="a clip on a bare floor"
        )
    yaw = rot.quat_conj(rot.heading(clip.joint_rotations[0, 0]))
    origin = clip.joint_positions[0, 0] * [1, 1, 0]
    joints = np.array(clip.joint_rotations)
    joints[:, 0] = rot.quat_mul(yaw, joints[:, 0])
    poses, start = clip.object_poses, clip.object_start
    if poses is not None:
        poses = ObjectPoses(rot.rotate(yaw, poses.positions - origin), rot.quat_mul(yaw, poses.rotations))
    if start is not None:
        start = np.concatenate([rot.rotate(yaw, start[:3] - origin), rot.quat_mul(yaw, start[3:])])
    return replace(
        clip,
        joint_rotations=joints,
        joint_positions=rot.rotate(yaw, clip.joint_positions - origin),
        object_poses=poses,
        object_start=start,
    )


def foot_float_m(clip: Clip) -> float:
    """Height of the standing human's soles above the floor in metres: 5th percentile over frames of the lower foot."""
    lower = clip.joint_positions[:, _FEET, 2].min(axis=1)
    return float(np.percentile(lower, 5)) - BALL_HEIGHT_M


def lower_to_floor(clip: Clip) -> Clip:
    """The clip with the human lowered (or raised) by its foot float; the object has its own support and stays."""
    drop = foot_float_m(clip)
    note = f"human lowered by {drop * 1e3:.0f} mm onto the floor, object unchanged"
    provenance = clip.provenance | {"assumptions": [*clip.provenance.get("assumptions", []), note]}
    return replace(clip, joint_positions=clip.joint_positions - [0, 0, drop], provenance=provenance)
