"""PhysHOI (arXiv:2312.04393): body, object, interaction graph and contact graph, multiplied, as in its code.

docs/fidelity.md says where code and paper differ, and what this body and its sensors change.
"""

from dataclasses import replace

from devi_jax.systems.devi import Preset, Recipe, devi
from devi_jax.systems.system import System
from envs import rewards
from envs.rewards import Reward
from envs.tracking import terminations
from envs.tracking.terminations import Termination


def physhoi(preset: Preset = "cpu", recipe: Recipe = "fast") -> System:
    """PhysHOI's reward, goal and termination in DeVI's environment, with its learner."""
    base = devi(preset, recipe)
    return replace(
        base,
        goal={**base.goal, "object": replace(base.goal["object"], on=True)},
        goal_frames=(1,),
        rewards={
            # the code takes means over coordinates, the errors over squared lengths: a third of its lambda
            "key_position": Reward(rewards.key_position, sharpness=50 / 3),
            "pose_vector_quaternion": Reward(rewards.pose_vector_quaternion, sharpness=50.0),
            "object_position": Reward(rewards.object_position, sharpness=1 / 3),
            "key_to_object": Reward(rewards.key_to_object, sharpness=20 / 3),
            "object_contact": Reward(rewards.object_contact, shape="exponential", sharpness=5.0),
        },
        # nothing but a fall ends an episode
        terminations={**terminations.OFF, "pelvis_height": Termination(terminations.pelvis_height, 0.3, "below")},
    )
