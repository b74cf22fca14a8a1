"""From form and texture to a model: it gets material, mass and the place for a hand."""

from typing import Any

import numpy as np

from devi_jax.core.scene import Mesh
from envs.scenes.catalogue.solid import Form
from envs.scenes.objects.material import MATERIALS
from envs.scenes.objects.textured_model import GraspSite, Model


def finished(
    name: str,
    form: Form,
    texture: np.ndarray,
    material: str,
    grip: GraspSite,
    mass_kg: float | None = None,
    **shape: Any,
) -> Model:
    """A model of the catalogue; its mass is volume times density unless it is given, as for what is filled.

    `shape`: `shape` and `size` of the primitive it collides as, where it is one.
    """
    mass = form.volume * MATERIALS[material].density_kg_m3 if mass_kg is None else mass_kg
    return Model(name, Mesh(form.vertices, form.faces), material, mass, form.uv, texture, grip=grip, **shape)
