"""Which recipe a name means."""

from collections.abc import Callable
from typing import Literal, get_args

from devi_jax.systems.ablations import devi_6d, devi_no_object
from devi_jax.systems.devi import Preset, Recipe, devi
from devi_jax.systems.intermimic import intermimic_reward
from devi_jax.systems.physhoi import physhoi
from devi_jax.systems.skillmimic import skillmimic
from devi_jax.systems.system import System

SystemName = Literal["devi", "physhoi", "skillmimic", "intermimic_reward", "devi_6d", "devi_no_object"]
"""What is rewarded, what ends an episode, and what the goal holds; how it is learned is the `Recipe`'s."""

NAMES: tuple[SystemName, ...] = get_args(SystemName)

_RECIPES: dict[SystemName, Callable[[Preset, Recipe], System]] = {
    "devi": devi,
    "physhoi": physhoi,
    "skillmimic": skillmimic,
    "intermimic_reward": intermimic_reward,
    "devi_6d": devi_6d,
    "devi_no_object": devi_no_object,
}


def make_system(name: SystemName, preset: Preset = "cpu", recipe: Recipe = "fast") -> System:
    """A system at one of two sizes, learned in one of two ways."""
    return _RECIPES[name](preset, recipe)
