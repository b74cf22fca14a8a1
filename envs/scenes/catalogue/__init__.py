"""Things of the project's own making, from numbers: closed, textured, in real sizes, standing as they stand."""

from envs.scenes.catalogue.model_table import CATALOGUE
from envs.scenes.catalogue.round_things import HAT_INSIDE_M

__all__ = ["CATALOGUE", "HAT_INSIDE_M"]
