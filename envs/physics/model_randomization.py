"""How a `Variation` enters a model: the fields that say which thing is there, its mass and its friction.

Of a shelf all things are in the compiled model, one body's geoms. Which one is there is a matter of the body's mass and
inertia, and of geoms that meet nothing: by their contact bits in C, where those are fields of an environment, and
elsewhere by a margin so negative that nothing is ever near enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import mujoco
import numpy as np

from envs.scenes.objects.mujoco_bodies import OBJECT_NAME, things_of_geoms

Array = Any  # a NumPy or a JAX array
Absence = Literal["contact bits", "margin"]
"""By what the geoms of an absent thing meet nothing."""

NEVER_M = -1e6
"""Margin of contact of a geom that meets nothing."""


@dataclass(frozen=True, eq=False)
class Varied:
    """Entries `index` of the model's `field`: compiled values `nominal` (K, n, ...) of the thing that is there, times a
    factor to a power."""

    field: str
    index: tuple
    nominal: np.ndarray
    factor: Literal["mass", "friction"] | None = None
    power: int = 1

    def values(self, mass: Array, friction: Array, thing: Array | None = None) -> Array:
        """The entries (..., n, ...) for factors and things with any leading dimensions, NumPy's or JAX's.

        `thing`: whole numbers below K; not needed where there is one.
        """
        nominal = self.nominal[0]
        if len(self.nominal) > 1 and thing is not None:
            nominal = thing.__array_namespace__().asarray(self.nominal)[thing]
        if self.factor is None:
            return nominal
        by = (mass if self.factor == "mass" else friction) ** self.power
        return by[(..., *(None,) * (self.nominal.ndim - 1))] * nominal


def varied_fields(models: Sequence[mujoco.MjModel], absence: Absence = "contact bits") -> tuple[Varied, ...]:
    """What differs between a model compiled with another object, of another mass and friction, and this one.

    `models`: with each thing of the shelf present, of which there may be just one. Derived constants are what
    `mj_setConst` would find, without its cost: the object is a tree of its own, so they go with the mass or its
    inverse. (`dof_M0` is the mass matrix itself of so simple a body.) Empty for a scene without object.
    """
    model = models[0]
    body = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, OBJECT_NAME)
    if body < 0:
        return ()
    bodies = (np.array([body]),)
    dofs = (model.body_dofadr[body] + np.arange(model.body_dofnum[body]),)
    geoms = model.body_geomadr[body] + np.arange(model.body_geomnum[body])
    table: tuple[tuple[str, tuple, Literal["mass", "friction"], int], ...] = (
        ("body_mass", bodies, "mass", 1),
        ("body_inertia", bodies, "mass", 1),
        ("body_subtreemass", bodies, "mass", 1),
        ("body_invweight0", bodies, "mass", -1),
        ("dof_invweight0", dofs, "mass", -1),
        ("dof_M0", dofs, "mass", 1),
    )
    varied = [
        Varied(field, index, _of_each(models, field, index), factor, power) for field, index, factor, power in table
    ]
    varied.append(Varied("geom_friction", (geoms, 0), model.geom_friction[geoms, 0][None].copy(), "friction"))
    if len(models) > 1:
        varied += [Varied(name, bodies, _of_each(models, name, bodies)) for name in ("body_ipos", "body_iquat")]
        varied += _presence(models, geoms, absence)
    return tuple(varied)


def _presence(models: Sequence[mujoco.MjModel], geoms: np.ndarray, absence: Absence) -> list[Varied]:
    """Fields by which things that are absent meet nothing; and in C what it keeps of the body's frame."""
    model = models[0]
    owner = things_of_geoms([model.geom(g).name for g in geoms])
    there = owner == np.arange(len(models))[:, None]
    if absence == "margin":
        return [Varied("geom_margin", (geoms,), np.where(there, model.geom_margin[geoms], NEVER_M))]
    body = int(model.geom_bodyid[geoms[0]])
    # the bounding box of the whole body, in the frame of its inertia
    box = (np.array([int(model.body_bvhadr[body])]),)
    kept = [("body_sameframe", (np.array([body]),)), ("bvh_aabb", box)]
    bits = ("geom_contype", "geom_conaffinity")
    return [
        *(Varied(name, index, _of_each(models, name, index)) for name, index in kept),
        *(Varied(name, (geoms,), np.where(there, getattr(model, name)[geoms], 0)) for name in bits),
    ]


def _of_each(models: Sequence[mujoco.MjModel], field: str, index: tuple) -> np.ndarray:
    return np.stack([getattr(model, field)[index] for model in models])
