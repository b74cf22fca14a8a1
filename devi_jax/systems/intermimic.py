"""InterMimic (arXiv:2502.20390): the reward and the termination of its teachers, as in its code.

Positions count near the object and rotations far from it; interaction vectors are weighted by distance. The way of
learning (teachers, distillation) is not part of this recipe.
"""

from dataclasses import replace

from devi_jax.systems.devi import Preset, Recipe, devi
from devi_jax.systems.system import System
from envs.rewards import Weighting
from envs.tracking.config import TerminationConfig

REWARDS: dict[str, Weighting] = {
    "near_position": Weighting(sharpness=30.0),
    "far_rotation": Weighting(sharpness=2.5),
    # the code takes means over coordinates, the terms over squared lengths: a third of its lambda
    "joint_acceleration": Weighting(sharpness=2e-5 / 3),
    "seen_position": Weighting(sharpness=5 / 3),
    "seen_rotation": Weighting(sharpness=0.1),
    "object_velocity": Weighting(sharpness=0.1 / 3),
    "object_acceleration": Weighting(sharpness=2e-5 / 3),
    "object_spin": Weighting(sharpness=2e-5 / 3),
    "interaction_vectors": Weighting(sharpness=5.0),
    "hand_touch": Weighting(sharpness=5.0),
    "stray_touch": Weighting(sharpness=3.0),
    "contact_load": Weighting(sharpness=1e-9),
}

OFF = float("inf")
TERMINATION = TerminationConfig(
    mean_m=0.5, any_m=OFF, tips_m=OFF, pixels=OFF, pelvis_m=0.3, object_m=0.5, interaction=2.0, silent_steps=10.0
)


def intermimic_reward(preset: Preset = "cpu", recipe: Recipe = "fast") -> System:
    """InterMimic's reward, goal and termination in DeVI's environment, with its learner."""
    base = devi(preset, recipe)
    environment = replace(base.environment, termination=TERMINATION, goal_offsets=(1, 16), goal_object=True)
    return replace(base, name="intermimic_reward", environment=environment, rewards=dict(REWARDS))
