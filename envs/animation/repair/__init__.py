"""Mending of recorded clips, before anyone trains on them: small functions from clip to clip."""

from envs.animation.repair.balance import balanced, stance
from envs.animation.repair.foot_penetration import feet_out
from envs.animation.repair.grasp_projection import projected
from envs.animation.repair.object_rest import Rest, levelled, rest
from envs.animation.repair.posed_clip import Posed, noted, pose_clip
from envs.animation.repair.regrasp import regrasped
from envs.animation.repair.smooth import smoothed

__all__ = [
    "Posed",
    "Rest",
    "balanced",
    "feet_out",
    "levelled",
    "noted",
    "pose_clip",
    "projected",
    "regrasped",
    "rest",
    "smoothed",
    "stance",
]
