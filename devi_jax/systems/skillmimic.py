"""SkillMimic (arXiv:2408.15270): its unified reward for all skills, as in its code.

PhysHOI's, with other weights, rotations as vectors throughout, and a factor against jitter of what stands still.
"""

from dataclasses import replace

from devi_jax.systems.devi import Preset, Recipe
from devi_jax.systems.physhoi import physhoi
from devi_jax.systems.system import System
from envs import rewards
from envs.rewards import Reward


def skillmimic(preset: Preset = "cpu", recipe: Recipe = "fast") -> System:
    """SkillMimic's reward, with the goal and the termination that it shares with PhysHOI."""
    return replace(
        physhoi(preset, recipe),
        rewards={
            "key_position": Reward(rewards.key_position, sharpness=20 / 3),
            "pose_vector": Reward(rewards.pose_vector, sharpness=20.0),
            "still_jitter": Reward(rewards.still_jitter, sharpness=0.1),
            "object_position": Reward(rewards.object_position, sharpness=1 / 3),
            "key_to_object": Reward(rewards.key_to_object, sharpness=20 / 3),
            "object_contact": Reward(rewards.object_contact, shape="exponential", sharpness=5.0),
        },
    )
