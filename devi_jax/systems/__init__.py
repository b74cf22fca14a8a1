"""Recipes: what to imitate, how to reward it, how to learn it. One file a system."""

from devi_jax.systems.assemble import Assembly, assemble
from devi_jax.systems.devi import TERMS, Preset, Recipe, choose_preset, devi
from devi_jax.systems.system import System

__all__ = ["TERMS", "Assembly", "Preset", "Recipe", "System", "assemble", "choose_preset", "devi"]
