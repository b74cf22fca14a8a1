"""Repair of recorded clips before training: small functions from clip to clip."""

from envs.animation.repair.balance import balance_clip, stance
from envs.animation.repair.foot_penetration import lift_feet
from envs.animation.repair.grasp_projection import project_grasp
from envs.animation.repair.object_rest import RestingDrift, level_support, resting_drift
from envs.animation.repair.posed_clip import PosedClip, pose_clip, with_note
from envs.animation.repair.regrasp import replace_grasps
from envs.animation.repair.smooth import smooth_clip

__all__ = [
    "PosedClip",
    "RestingDrift",
    "balance_clip",
    "lift_feet",
    "level_support",
    "with_note",
    "pose_clip",
    "project_grasp",
    "replace_grasps",
    "resting_drift",
    "smooth_clip",
    "stance",
]
