"""Things to hold: primitives and meshes, as convex parts a simulator can collide."""

from envs.objects.arrange import Arranged, arrange
from envs.objects.convex import ConvexSettings, convex_parts
from envs.objects.find import find_model
from envs.objects.model import add_object, add_prop
from envs.objects.surface import sample_surface, surface_mesh
from envs.objects.textured import Grip, Model, scaled

__all__ = [
    "Arranged",
    "ConvexSettings",
    "Grip",
    "Model",
    "add_object",
    "add_prop",
    "arrange",
    "convex_parts",
    "find_model",
    "sample_surface",
    "scaled",
    "surface_mesh",
]
