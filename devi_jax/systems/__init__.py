"""Recipes: what to imitate, how to reward it, how to learn it. One file a system."""

from devi_jax.systems.assemble import Assembly, assemble
from devi_jax.systems.choose import NAMES, SystemName, make_system
from devi_jax.systems.devi import Preset, Recipe, choose_preset, devi
from devi_jax.systems.system import System
from devi_jax.systems.terms import TERMS

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
