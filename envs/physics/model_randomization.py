"""How a `Variation` enters a model: which fields of the object follow its mass and friction, in every engine."""

from dataclasses import dataclass
from typing import Literal

import mujoco
import numpy as np

from envs.scenes.objects.mujoco_bodies import OBJECT_NAME


@dataclass(frozen=True, eq=False)
class Varied:
    """Entries `index` of the model's `field`, of compiled values `nominal` (n, ...), times a factor to a power."""

    field: str
    index: tuple
    nominal: np.ndarray
    factor: Literal["mass", "friction"]
    power: int

    def values(self, mass, friction):
        """The entries for factors with any leading dimensions, NumPy's or JAX's, (..., n, ...)."""
        by = (mass if self.factor == "mass" else friction) ** self.power
        return by[(..., *(None,) * self.nominal.ndim)] * self.nominal


def varied_fields(model: mujoco.MjModel) -> tuple[Varied, ...]:
    """What differs between a model compiled with another mass and friction of the object and this one.

    Derived constants are what `mj_setConst` would find, without its cost: the object is a tree of its own, so they go
    with the mass or its inverse. (`dof_M0` is the mass matrix itself of so simple a body.)
    Empty for a scene without object.
    """
    body = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, OBJECT_NAME)
    if body < 0:
        return ()
    bodies = (np.array([body]),)
    dofs = (model.body_dofadr[body] + np.arange(model.body_dofnum[body]),)
    slide = (model.body_geomadr[body] + np.arange(model.body_geomnum[body]), 0)
    table: tuple[tuple[str, tuple, Literal["mass", "friction"], int], ...] = (
        ("body_mass", bodies, "mass", 1),
        ("body_inertia", bodies, "mass", 1),
        ("body_subtreemass", bodies, "mass", 1),
        ("body_invweight0", bodies, "mass", -1),
        ("dof_invweight0", dofs, "mass", -1),
        ("dof_M0", dofs, "mass", 1),
        ("geom_friction", slide, "friction", 1),
    )
    return tuple(
        Varied(field, index, getattr(model, field)[index].copy(), factor, power)
        for field, index, factor, power in table
    )
