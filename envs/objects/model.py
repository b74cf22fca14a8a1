"""The object as a free MuJoCo body: a primitive, or the convex parts of a mesh."""

import mujoco
import numpy as np

from devi_jax.core.scene import ObjectSpec
from envs.bodies.collision import FLOOR, OBJECT, TABLE
from envs.objects.convex import convex_parts

OBJECT_NAME = "object"


def add_object(spec: mujoco.MjSpec, thing: ObjectSpec, can_sides: int = 0) -> tuple[str, ...]:
    """Add the object with a free joint, at the world origin; returns the names of its geoms.

    `can_sides` > 0 replaces a can's cylinder by a regular prism of as many sides (equal volume) for an engine without
    cylinder contacts. The mass is `thing.mass_kg`, spread uniformly over the parts.
    """
    body = spec.worldbody.add_body(name=OBJECT_NAME)
    body.add_freejoint(name=OBJECT_NAME)
    common = dict(
        contype=OBJECT,
        conaffinity=FLOOR | TABLE,
        condim=4,
        friction=[thing.friction, 0.01, 0.0001],
        solref=[0.01, 1.0],
        solimp=[0.9, 0.95, 0.001, 0.5, 2.0],
        rgba=[0.80, 0.16, 0.12, 1.0],
    )
    kind = mujoco.mjtGeom
    if thing.shape == "box":
        body.add_geom(
            name=OBJECT_NAME, type=kind.mjGEOM_BOX, size=np.array(thing.size) / 2, mass=thing.mass_kg, **common
        )
        return (OBJECT_NAME,)
    if thing.shape == "sphere":
        size = [thing.size[0], 0, 0]
        body.add_geom(name=OBJECT_NAME, type=kind.mjGEOM_SPHERE, size=size, mass=thing.mass_kg, **common)
        return (OBJECT_NAME,)
    if thing.shape == "can" and not can_sides:
        size = [thing.size[0], thing.size[1] / 2, 0]
        body.add_geom(name=OBJECT_NAME, type=kind.mjGEOM_CYLINDER, size=size, mass=thing.mass_kg, **common)
        return (OBJECT_NAME,)
    parts = (_prism(thing.size[0], thing.size[1], can_sides),) if thing.shape == "can" else _mesh_parts(thing)
    return _add_parts(spec, body, parts, thing.mass_kg, common)


def _mesh_parts(thing: ObjectSpec) -> tuple[np.ndarray, ...]:
    thing.validate()
    assert thing.mesh is not None  # validate() raised otherwise
    return convex_parts(thing.mesh)


def _add_parts(spec, body, parts, mass_kg: float, common: dict) -> tuple[str, ...]:
    """One mesh geom a part, the mass shared by hull volume."""
    from scipy.spatial import ConvexHull

    volumes = np.array([ConvexHull(p).volume for p in parts])
    names = []
    for i, (vertices, volume) in enumerate(zip(parts, volumes, strict=True)):
        name = OBJECT_NAME if i == 0 else f"{OBJECT_NAME}_{i + 1}"
        spec.add_mesh(name=name, uservert=np.asarray(vertices, float).ravel())
        body.add_geom(
            name=name,
            type=mujoco.mjtGeom.mjGEOM_MESH,
            meshname=name,
            mass=mass_kg * volume / volumes.sum(),
            **common,
        )
        names.append(name)
    return tuple(names)


def _prism(radius: float, height: float, sides: int) -> np.ndarray:
    """Vertices of a regular prism of equal volume as the cylinder, (2 * sides, 3), along z."""
    angle = 2 * np.pi * (np.arange(sides) + 0.5) / sides
    circumradius = radius * np.sqrt(2 * np.pi / (sides * np.sin(2 * np.pi / sides)))
    ring = circumradius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.concatenate([np.c_[ring, np.full(sides, z)] for z in (-height / 2, height / 2)])
