"""Recipes: what to imitate, how to reward it, how to learn it. One file a system."""

from devi_jax.systems.build import Assembly, assemble
from devi_jax.systems.devi import Preset, Recipe, choose_preset, devi
from devi_jax.systems.registry import NAMES, SystemName, make_system
from devi_jax.systems.reward_terms import TERMS
from devi_jax.systems.system import System

__all__ = [
    "NAMES",
    "TERMS",
    "Assembly",
    "Preset",
    "Recipe",
    "System",
    "SystemName",
    "assemble",
    "choose_preset",
    "devi",
    "make_system",
]
