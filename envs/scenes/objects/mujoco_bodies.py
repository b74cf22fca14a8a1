"""Object and props as free MuJoCo bodies: a primitive, or the convex parts of a mesh."""

from collections.abc import Sequence
from typing import Any

import mujoco
import numpy as np

from devi_jax.core.scene import ObjectSpec, Prop
from envs.embodiments.collision_bits import FLOOR, OBJECT, TABLE
from envs.scenes.objects.convex import convex_parts

OBJECT_NAME = "object"


def add_object(spec: mujoco.MjSpec, thing: ObjectSpec, can_sides: int = 0) -> tuple[str, ...]:
    """Add the object with a free joint, at the world origin; returns the names of its geoms.

    `can_sides` > 0 replaces a can's cylinder by a regular prism of as many sides (equal volume) for an engine without
    cylinder contacts. The mass is `thing.mass_kg`, spread uniformly over the parts.
    """
    return add_shelf(spec, (thing,), 0, can_sides)


def add_shelf(
    spec: mujoco.MjSpec, things: Sequence[ObjectSpec], present: int = 0, can_sides: int = 0
) -> tuple[str, ...]:
    """Add one body that carries the geoms of several things, as `add_object` adds one; the names of all of them.

    The mass is that of thing `present`: geoms of the others weigh nothing, but would collide. `things_of_geoms` says
    whose geom is whose.
    """
    body = spec.worldbody.add_body(name=OBJECT_NAME)
    body.add_freejoint(name=OBJECT_NAME)
    names: list[str] = []
    for k, thing in enumerate(things):
        weighs = thing.mass_kg if k == present else 0.0
        common: dict[str, Any] = dict(conaffinity=FLOOR | TABLE, rgba=[0.80, 0.16, 0.12, 1.0])
        names += _add_geoms(spec, body, _thing_name(k), thing, weighs, can_sides, **common)
    return tuple(names)


def things_of_geoms(names: Sequence[str]) -> np.ndarray:
    """Which thing of a shelf each of the object's geoms belongs to."""
    second = [(*name.split("/"), "")[1] for name in names]
    return np.array([int(s.removeprefix(_THING)) if s.startswith(_THING) else 0 for s in second], int)


def _thing_name(k: int) -> str:
    return OBJECT_NAME if k == 0 else f"{OBJECT_NAME}/{_THING}{k}"


_THING = "thing"


def add_prop(spec: mujoco.MjSpec, prop: Prop, can_sides: int = 0) -> tuple[str, ...]:
    """Add a prop with a free joint at its pose, named as it is; returns the names of its geoms.

    It meets what the object meets, the object, and other props.
    """
    body = spec.worldbody.add_body(name=prop.name, pos=prop.pose[:3], quat=prop.pose[3:])
    body.add_freejoint(name=prop.name)
    meets = FLOOR | TABLE | OBJECT
    common: dict[str, Any] = dict(conaffinity=meets, rgba=[0.25, 0.45, 0.60, 1.0])
    return _add_geoms(spec, body, prop.name, prop.object, prop.object.mass_kg, can_sides, **common)


def _add_geoms(
    spec: mujoco.MjSpec,
    body: mujoco.MjsBody,
    name: str,
    thing: ObjectSpec,
    mass_kg: float,
    can_sides: int,
    **common: Any,
) -> tuple[str, ...]:
    """The thing's geoms on a body, of which the first is called `name`."""
    common |= dict(
        contype=OBJECT,
        condim=4,
        friction=[thing.friction, 0.01, 0.0001],
        # its own friction, whatever it meets; MuJoCo would take the larger of both sides
        priority=1,
        solref=[0.01, 1.0],
        solimp=[0.9, 0.95, 0.001, 0.5, 2.0],
    )
    if thing.shape == "mesh":
        return _add_parts(spec, body, name, _mesh_parts(thing), mass_kg, common)
    if thing.shape == "can" and can_sides:
        prism = _prism(thing.size[0], thing.size[1], can_sides)
        return _add_parts(spec, body, name, (prism,), mass_kg, common)
    kind = mujoco.mjtGeom
    shape, size = {
        "box": lambda s: (kind.mjGEOM_BOX, np.array(s) / 2),
        "sphere": lambda s: (kind.mjGEOM_SPHERE, [s[0], 0, 0]),
        "can": lambda s: (kind.mjGEOM_CYLINDER, [s[0], s[1] / 2, 0]),
    }[thing.shape](thing.size)
    body.add_geom(name=name, type=shape, size=size, mass=mass_kg, **common)
    return (name,)


def _mesh_parts(thing: ObjectSpec) -> tuple[np.ndarray, ...]:
    thing.validate()
    assert thing.mesh is not None  # validate() raised otherwise
    return convex_parts(thing.mesh)


def _add_parts(spec, body, first: str, parts, mass_kg: float, common: dict) -> tuple[str, ...]:
    """One mesh geom a part, the mass shared by hull volume."""
    from scipy.spatial import ConvexHull

    volumes = np.array([ConvexHull(p).volume for p in parts])
    names = []
    for i, (vertices, volume) in enumerate(zip(parts, volumes, strict=True)):
        name = first if i == 0 else f"{first}/{i + 1}"
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
