"""InterMimic (arXiv:2502.20390): the reward and the termination of its teachers, as in its code.

Positions count near the object and rotations far from it; interaction vectors are weighted by distance. The way of
learning (teachers, distillation) is not part of this system.
"""

from dataclasses import replace

from devi_jax.systems.devi import Preset, Recipe, devi
from devi_jax.systems.system import System
from envs import rewards
from envs.rewards import Reward
from envs.tracking import terminations
from envs.tracking.terminations import Termination


def intermimic_reward(preset: Preset = "cpu", recipe: Recipe = "fast") -> System:
    """InterMimic's reward, goal and termination in DeVI's environment, with its learner."""
    base = devi(preset, recipe)
    return replace(
        base,
        goal={**base.goal, "object": replace(base.goal["object"], on=True)},
        goal_frames=(1, 16),
        rewards={
            "near_position": Reward(rewards.near_position, sharpness=30.0),
            "far_rotation": Reward(rewards.far_rotation, shape="exponential", sharpness=2.5),
            # the code takes means over coordinates, the errors over squared lengths: a third of its lambda
            "joint_acceleration": Reward(rewards.joint_acceleration, sharpness=2e-5 / 3),
            "seen_position": Reward(rewards.seen_position, sharpness=5 / 3),
            "seen_rotation": Reward(rewards.seen_rotation, shape="exponential", sharpness=0.1),
            "object_velocity": Reward(rewards.object_velocity, sharpness=0.1 / 3),
            "object_acceleration": Reward(rewards.object_acceleration, sharpness=2e-5 / 3),
            "object_spin": Reward(rewards.object_spin, sharpness=2e-5 / 3),
            "interaction_vectors": Reward(rewards.interaction_vectors, sharpness=5.0),
            "hand_touch": Reward(rewards.hand_touch, shape="half_exponential", sharpness=5.0),
            "stray_touch": Reward(rewards.stray_touch, shape="exponential", sharpness=3.0),
            "contact_load": Reward(rewards.contact_load, sharpness=1e-9),
        },
        terminations={
            **terminations.OFF,
            "body_mean": Termination(terminations.body_mean, 0.5),
            "pelvis_height": Termination(terminations.pelvis_height, 0.3, "below"),
            "object_distance": Termination(terminations.object_distance, 0.5),
            "interaction": Termination(terminations.interaction, 2.0),
            "steps_without_contact": Termination(terminations.steps_without_contact, 10.0),
        },
    )
