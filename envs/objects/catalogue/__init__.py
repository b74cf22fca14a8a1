"""Things of the project's own making, from numbers: closed, textured, in real sizes, standing as they stand."""

from envs.objects.catalogue.contents import CATALOGUE
from envs.objects.catalogue.round import HAT_INSIDE_M

__all__ = ["CATALOGUE", "HAT_INSIDE_M"]
