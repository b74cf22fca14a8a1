"""How the right or left hand lies on an upright thing: the few numbers of a grasp, and the wrist's place they mean."""

from dataclasses import dataclass

import numpy as np

from devi_jax.core.rotations import quat_to_matrix
from envs.animation.grasping.close_fingers import handshake, in_palm
from envs.animation.kinematics.ik import FrameTask
from envs.animation.kinematics.posed_scene import PosedScene


@dataclass(frozen=True)
class UprightGrasp:
    """A hand around a thing, in the thing's own frame, where it stands upright before the human.

    Args:
        yaw_deg: how far the fingers point inwards.
        pitch_deg: how far they point up.
        along_m: where along the hand the thing lies in the palm, from the wrist.
        across_m: where across the palm, from the middle finger towards the thumb.
        palm_gap_m: distance of the palm from the thing.
        above_m: how far above its origin the hand holds it.
    """

    yaw_deg: float = 25.0
    pitch_deg: float = -15.0
    along_m: float = 0.090
    across_m: float = 0.008
    palm_gap_m: float = 0.003
    above_m: float = 0.015


def wrist_task(stage: PosedScene, standing: np.ndarray, side: str, hold: UprightGrasp, radius_m: float) -> FrameTask:
    """Where the wrist is when the hand holds a thing of `radius_m` as `standing` (nq,) has it."""
    thing = standing[stage.object]
    turn = quat_to_matrix(thing[3:])
    return FrameTask(
        f"{side}_wrist",
        position=thing[:3] + turn @ [0.0, 0.0, hold.above_m],
        rotation=turn @ handshake(side, hold.yaw_deg, hold.pitch_deg),
        point=in_palm(stage, side, hold.along_m, hold.across_m, radius_m + hold.palm_gap_m),
    )
