"""Mending of recorded clips, before anyone trains on them: small functions from clip to clip."""

from envs.mend.balance import balanced, stance
from envs.mend.feet import feet_out
from envs.mend.grasp import projected
from envs.mend.posed import Posed, noted, pose_clip
from envs.mend.regrasp import regrasped
from envs.mend.rest import Rest, levelled, rest
from envs.mend.smooth import smoothed

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
