"""The recovered motion moved to where the scene's human stands in the first frame (DeVI Eq. 9)."""

from dataclasses import replace
from typing import Literal

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.errors import ConfigError
from perception.human.evidence import FirstPose
from perception.human.motion import SkeletonMotion

Mode = Literal["rigid", "yaw"]


def align_first_frame(motion: SkeletonMotion, first: FirstPose, mode: Mode = "rigid") -> SkeletonMotion:
    """The motion, with the scene's bone lengths, after the transform that puts its first pelvis onto the scene's.

    `A = R_0 R_1^T` turns every root, `p'_t = A (p_t - p_1) + p_0` moves it. `yaw` keeps only A's turn about the
    vertical, so the estimator's gravity holds: an error of the first frame's pitch would tilt the whole clip. `p` is
    the pelvis, which moves as a point; SMPL-X turns about its rest pelvis J_0: `A transl + b` misses by (I - A) J_0.

    Raises:
        ConfigError: `yaw` of a motion that is not in a world with z up.
    """
    if mode == "yaw" and motion.frame != "world_zup":
        raise ConfigError(
            "a motion in the camera's frame has no vertical", where="mode", valid="rigid, or in the world"
        )
    turn = rot.quat_mul(first.rotations[0], rot.quat_conj(motion.rotations[0, 0]))
    turn = rot.heading(turn) if mode == "yaw" else turn
    rotations = motion.rotations.copy()
    rotations[:, 0] = rot.quat_mul(np.broadcast_to(turn, (motion.frames, 4)), rotations[:, 0])
    root = rot.rotate(turn, motion.root - motion.root[0]) + first.root
    note = {"first_frame": {"mode": mode, "turn_deg": float(np.degrees(rot.angle_between(turn, np.eye(4)[0])))}}
    return replace(
        motion,
        rotations=rotations,
        root=root,
        offsets=first.offsets,
        frame="world_zup",
        provenance={**motion.provenance, **note},
    )


def carry_first_pose(motion: SkeletonMotion, first: FirstPose) -> SkeletonMotion:
    """Every joint turned by the constant that makes the first frame the scene's pose: `R_t R_1^T R_0`.

    What an estimator gets wrong in a pose it knows, it gets wrong in the frames after as well.
    """
    fix = rot.quat_mul(rot.quat_conj(motion.rotations[0]), first.rotations)
    rotations = rot.quat_mul(motion.rotations, np.broadcast_to(fix, motion.rotations.shape))
    root = motion.root + (first.root - motion.root[0])
    note = {"first_pose": "carried to all frames, joint by joint"}
    return replace(motion, rotations=rotations, root=root, provenance={**motion.provenance, **note})
