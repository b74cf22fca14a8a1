"""Constant offsets of 2D joints: a network's idea of a joint is not the skeleton's, and the first frames show it."""

from dataclasses import replace

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.camera import project
from devi_jax.core.clip import forward_kinematics, global_rotations
from devi_jax.core.skeleton import TIPS
from perception.human.evidence import Evidence, FirstPose, Landmarks2D
from perception.human.skeleton_points import fingertips


def calibrate(evidence: Evidence, frames: int) -> Evidence:
    """Evidence whose 2D joints lie, on the average of the first `frames`, where the scene's human has them.

    A joint that is not seen in these frames stays as it is. Without a first pose nothing changes.
    """
    if evidence.first is None or frames == 0:
        return evidence
    truth = first_points(evidence.first)
    px, _ = project(truth, evidence.camera.K, evidence.camera.T_camera_world)
    return replace(evidence, body=_shift(evidence.body, px, frames), hands=_shift(evidence.hands, px, frames))


def first_points(first: FirstPose) -> np.ndarray:
    """The 62 points of the scene's human, world metres."""
    local = first.rotations[None]
    joints = forward_kinematics(local, first.root[None], first.offsets)[0]
    turned = global_rotations(local)[0, list(TIPS)]
    return np.concatenate([joints, joints[list(TIPS)] + rot.rotate(turned, fingertips(first.offsets))])


def _shift(seen: Landmarks2D, px: np.ndarray, frames: int) -> Landmarks2D:
    weight = seen.confidence[:frames, :, None]
    total = weight.sum(0)
    gap = (weight * (seen.px[:frames] - px[list(seen.points)])).sum(0) / np.where(total > 0, total, 1)
    return replace(seen, px=seen.px - gap)
