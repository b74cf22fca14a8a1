"""A shelf of things: scenes that differ by their object alone as one scene, and one compiled model for all of them."""

from collections.abc import Sequence

import mujoco
import numpy as np

from devi_jax.core.errors import ConfigError
from devi_jax.core.scene import Mesh, ObjectSpec, SceneSpec
from envs.physics.scene_model import Scene, build_spec
from envs.physics.solver import Settings


def make_shelf(
    specs: Sequence[SceneSpec], names: Sequence[str]
) -> tuple[SceneSpec, tuple[ObjectSpec, ...], tuple[int, ...]]:
    """One scene for several: its spec with the first one's object, the shelf of the other objects, and which thing each
    of the scenes has, 0 for the first. Equal objects are one thing.

    `names`: of the clips, for messages. Raises `ConfigError` unless tables and props agree, and each scene or none has
    an object.
    """
    first = specs[0]
    things: list[ObjectSpec] = []
    which = []
    for spec, name in zip(specs, names, strict=True):
        if (spec.object is None) != (first.object is None):
            raise _misfit(names[0], name, "object")
        if spec.table != first.table:
            raise _misfit(names[0], name, "table")
        if not _same_props(spec, first):
            raise _misfit(names[0], name, "props")
        if spec.object is None:
            which.append(0)
            continue
        known = next((k for k, thing in enumerate(things) if _same(thing, spec.object)), len(things))
        if known == len(things):
            things.append(spec.object)
        which.append(known)
    return first, tuple(things[1:]), tuple(which)


def shelf_models(scene: Scene, settings: Settings) -> tuple[mujoco.MjModel, ...]:
    """The scene's model with each of its things present; a single one for a scene of one thing or none.

    They have the same geoms and the same coordinates, and differ in the mass of the object's body and what follows
    from it.
    """
    return tuple(build_spec(scene, settings, present=k).compile() for k in range(max(1, len(scene.things))))


def richest(models: Sequence[mujoco.MjModel]) -> mujoco.MjModel:
    """The model whose mass matrix has room for every other's: a thing whose centre of mass is not where its joint is
    has more entries that are not zero."""
    return max(models, key=lambda model: model.nC)


def _same(a: ObjectSpec, b: ObjectSpec) -> bool:
    rest = ((x.shape, x.size, x.mass_kg, x.friction, x.mesh is None) for x in (a, b))
    return next(rest) == next(rest) and (a.mesh is None or b.mesh is None or _same_mesh(a.mesh, b.mesh))


def _same_mesh(a: Mesh, b: Mesh) -> bool:
    return np.array_equal(a.vertices, b.vertices) and np.array_equal(a.faces, b.faces)


def _same_props(a: SceneSpec, b: SceneSpec) -> bool:
    return len(a.props) == len(b.props) and all(
        (p.name, p.pose, p.role) == (q.name, q.pose, q.role) and _same(p.object, q.object)
        for p, q in zip(a.props, b.props, strict=True)
    )


def _misfit(first: str, other: str, what: str) -> ConfigError:
    return ConfigError(
        f"'{other}' and '{first}' cannot share a scene: they differ in their {what}",
        where="--clip",
        valid="clips whose tables and props are the same; only the objects may differ",
        fix="train clips of another table or of other props in a run of their own",
    )
