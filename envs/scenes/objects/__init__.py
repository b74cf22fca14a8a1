"""Things to hold: primitives and meshes, as convex parts a simulator can collide."""

from envs.scenes.objects.convex import ConvexSettings, convex_parts
from envs.scenes.objects.mujoco_bodies import add_object, add_prop, add_shelf
from envs.scenes.objects.surface_points import sample_surface, surface_mesh
from envs.scenes.objects.textured_model import GraspSite, Model, scaled

__all__ = [
    "ConvexSettings",
    "GraspSite",
    "Model",
    "add_object",
    "add_prop",
    "add_shelf",
    "convex_parts",
    "sample_surface",
    "scaled",
    "surface_mesh",
]
