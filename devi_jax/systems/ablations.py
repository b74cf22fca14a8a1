"""DeVI with another object reward, or with none: what its 2D reward is worth (the last row of Tables 1 and 3)."""

from dataclasses import replace

from devi_jax.systems.devi import REWARDS, Preset, Recipe, devi
from devi_jax.systems.system import System
from envs.rewards import Weighting

_OTHERS = {name: weighting for name, weighting in REWARDS.items() if name != "object_2d"}

POSE = {
    # a metre across the view, 1.55 m away, is 0.28 of the diagonal: as sharp there as the 2D reward's 300
    "object_position": Weighting(sharpness=25.0),
    # an object of 6 cm about its centre, turned by a radian, moves its points as far
    "object_rotation": Weighting(sharpness=0.1),
}


def devi_6d(preset: Preset = "cpu", recipe: Recipe = "fast") -> System:
    """DeVI rewarded by the object's 6-DoF pose instead of its 2D tracks; all else as it is."""
    return replace(devi(preset, recipe), name="devi_6d", rewards=_OTHERS | POSE)


def devi_no_object(preset: Preset = "cpu", recipe: Recipe = "fast") -> System:
    """DeVI without a reward for where the object is; contact rewards and termination stay."""
    rewards = _OTHERS | {"object_2d": replace(REWARDS["object_2d"], weight=0.0)}
    return replace(devi(preset, recipe), name="devi_no_object", rewards=rewards)
