"""Which function makes the system of a name. A new system is a file beside this one, and an entry here."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from devi_jax.core.errors import ConfigError, did_you_mean
from devi_jax.systems.ablations import devi_6d, devi_no_object, devi_sharp
from devi_jax.systems.capsule_arm import capsule_arm
from devi_jax.systems.devi import Preset, Recipe, devi
from devi_jax.systems.intermimic import intermimic_reward
from devi_jax.systems.physhoi import physhoi
from devi_jax.systems.skillmimic import skillmimic
from devi_jax.systems.system import System

SYSTEMS: dict[str, Callable[[Preset, Recipe], System]] = {
    "devi": devi,
    "physhoi": physhoi,
    "skillmimic": skillmimic,
    "intermimic_reward": intermimic_reward,
    "devi_sharp": devi_sharp,
    "devi_6d": devi_6d,
    "devi_no_object": devi_no_object,
    "capsule_arm": capsule_arm,
}
"""What is rewarded, what ends an episode, and what the policy sees; how it is learned is the `Recipe`'s."""

NAMES = tuple(SYSTEMS)

# the command line offers the names; to a type checker one is a word, so that nothing but the entries lists them
if TYPE_CHECKING:
    SystemName = str
else:
    SystemName = Literal[NAMES]


def check_name(name: str, where: str = "--system") -> str:
    """The name of a system. Raises `ConfigError`, with `where` it was given, if there is none of this name."""
    if name not in SYSTEMS:
        raise ConfigError(f"no system '{name}'{did_you_mean(name, SYSTEMS)}", where=where, valid=", ".join(SYSTEMS))
    return name


def make_system(name: str, preset: Preset = "cpu", recipe: Recipe = "fast") -> System:
    """A system at one of two sizes, learned in one of two ways; its name is its entry's, by which files know it."""
    return replace(SYSTEMS[check_name(name)](preset, recipe), name=name)
