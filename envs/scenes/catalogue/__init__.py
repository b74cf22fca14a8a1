"""Things of the project's own making, from numbers: closed, textured, in real sizes, standing as they stand."""

from envs.scenes.catalogue.contents import CATALOGUE
from envs.scenes.catalogue.round import HAT_INSIDE_M

__all__ = ["CATALOGUE", "HAT_INSIDE_M"]
