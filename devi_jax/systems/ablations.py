"""DeVI with another object reward, or with none: what its 2D reward is worth (the last row of Tables 1 and 3)."""

from dataclasses import replace

from devi_jax.systems.devi import Preset, Recipe, devi
from devi_jax.systems.system import System
from envs import rewards
from envs.rewards import Reward


def devi_6d(preset: Preset = "cpu", recipe: Recipe = "fast") -> System:
    """DeVI rewarded by the object's 6-DoF pose instead of its 2D tracks; all else as it is."""
    base = devi(preset, recipe)
    pose = {
        # a metre across the view, 1.55 m away, is 0.28 of the diagonal: as sharp there as the 2D reward's 300
        "object_position": Reward(rewards.object_position, sharpness=25.0),
        # an object of 6 cm about its centre, turned by a radian, moves its points as far
        "object_rotation": Reward(rewards.object_rotation, sharpness=0.1),
    }
    return replace(base, rewards=_others(base) | pose)


def devi_no_object(preset: Preset = "cpu", recipe: Recipe = "fast") -> System:
    """DeVI without a reward for where the object is; contact rewards and termination stay."""
    base = devi(preset, recipe)
    rows = _others(base) | {"object_2d": replace(base.rewards["object_2d"], weight=0.0)}
    return replace(base, rewards=rows)


def _others(base: System) -> dict[str, Reward]:
    return {name: row for name, row in base.rewards.items() if name != "object_2d"}
