"""Things to hold: primitives and meshes, as convex parts a simulator can collide."""

from envs.scenes.arrange import Arranged, arrange
from envs.scenes.find_model import find_model
from envs.scenes.objects.convex import ConvexSettings, convex_parts
from envs.scenes.objects.mujoco_bodies import add_object, add_prop
from envs.scenes.objects.surface_points import sample_surface, surface_mesh
from envs.scenes.objects.textured_model import Grip, Model, scaled

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
