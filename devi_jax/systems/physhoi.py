"""PhysHOI (arXiv:2312.04393): body, object, interaction graph and contact graph, multiplied, as in its code.

docs/fidelity.md says where code and paper differ, and what this body and its sensors change.
"""

from dataclasses import replace

from devi_jax.systems.devi import Preset, Recipe, devi
from devi_jax.systems.system import System
from envs.rewards import Weighting
from envs.tracking.config import TerminationConfig

REWARDS: dict[str, Weighting] = {
    # the code takes means over coordinates, the terms over squared lengths: a third of its lambda
    "key_position": Weighting(sharpness=50 / 3),
    "pose_vector_quaternion": Weighting(sharpness=50.0),
    "object_position": Weighting(sharpness=1 / 3),
    "key_to_object": Weighting(sharpness=20 / 3),
    "object_contact": Weighting(sharpness=5.0),
}

FALL = TerminationConfig(*4 * (float("inf"),), pelvis_m=0.3)
"""Nothing but a fall ends an episode."""


def physhoi(preset: Preset = "cpu", recipe: Recipe = "fast") -> System:
    """PhysHOI's reward, goal and termination in DeVI's environment, with its learner."""
    base = devi(preset, recipe)
    environment = replace(base.environment, termination=FALL, goal_offsets=(1,), goal_object=True)
    return replace(base, name="physhoi", environment=environment, rewards=dict(REWARDS))
