"""SkillMimic (arXiv:2408.15270): its unified reward for all skills, as in its code.

PhysHOI's, with other weights, rotations as vectors throughout, and a factor against jitter of what stands still.
"""

from dataclasses import replace

from devi_jax.systems import physhoi as base
from devi_jax.systems.devi import Preset, Recipe
from devi_jax.systems.system import System
from envs.rewards import Weighting

REWARDS: dict[str, Weighting] = {
    "key_position": Weighting(sharpness=20 / 3),
    "pose_vector": Weighting(sharpness=20.0),
    "still_jitter": Weighting(sharpness=0.1),
    "object_position": Weighting(sharpness=1 / 3),
    "key_to_object": Weighting(sharpness=20 / 3),
    "object_contact": Weighting(sharpness=5.0),
}


def skillmimic(preset: Preset = "cpu", recipe: Recipe = "fast") -> System:
    """SkillMimic's reward, with the goal and the termination that it shares with PhysHOI."""
    return replace(base.physhoi(preset, recipe), name="skillmimic", rewards=dict(REWARDS))
