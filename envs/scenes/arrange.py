"""From a setup to what is simulated: every thing found, scaled, and stood on its support."""

from dataclasses import dataclass

import numpy as np

from devi_jax.core.plausible import check_handled
from devi_jax.core.rotations import rotate, rotate_inverse
from devi_jax.core.scene import ObjectSpec, Prop, SceneSpec, Table
from devi_jax.core.scene_file import SceneFile, Thing
from envs.scenes.find_model import find_model
from envs.scenes.objects.material import MATERIALS
from envs.scenes.objects.textured_model import Model

RESTING_DEPTH_M = 1e-4
"""How deep things rest: a contact that does not overlap would not carry in the first step."""


@dataclass(frozen=True, eq=False)
class ArrangedScene:
    """A setup in numbers: `scene` is what is simulated, `poses` (7,) and `models` are by the names of the things."""

    setup: SceneFile
    scene: SceneSpec
    models: dict[str, Model]
    poses: dict[str, np.ndarray]

    @property
    def object_start(self) -> np.ndarray:
        """Where the manipulated thing is at first, (7,)."""
        return self.poses[self.setup.manipulated.name]

    @property
    def grip_world(self) -> tuple[np.ndarray, np.ndarray, float] | None:
        """Centre (3,), axis (3,) and width of the manipulated thing's grip in the world, where it has one."""
        grip, pose = self.models[self.setup.manipulated.name].grip, self.object_start
        if grip is None:
            return None
        return rotate(pose[3:], np.array(grip.centre)) + pose[:3], rotate(pose[3:], np.array(grip.axis)), grip.width_m


def arrange(setup: SceneFile, where: str = "scene") -> ArrangedScene:
    """Find every model and place it. Raises `SceneError` for what is not there, or stands beside the table."""
    setup.validate(where)
    models = {thing.name: find_model(thing, f"{where}: {thing.name}") for thing in setup.things}
    specs = {name: model.spec(MATERIALS[model.material].friction) for name, model in models.items()}
    poses = {thing.name: _pose(thing, specs[thing.name], setup.table) for thing in setup.things}
    props = tuple(
        Prop(t.name, specs[t.name], tuple(poses[t.name].tolist()), "target" if t.role == "target" else "prop")
        for t in setup.others
    )
    scene = SceneSpec(setup.table, specs[setup.manipulated.name], props)
    scene.validate(where)
    check_handled(specs[setup.manipulated.name], f"{where}: {setup.manipulated.name}")
    return ArrangedScene(setup, scene, models, poses)


def _pose(thing: Thing, spec: ObjectSpec, table: Table | None) -> np.ndarray:
    """Position and rotation (7,); without a height its lowest point rests on what is under its middle."""
    rotation = thing.orientation
    if len(thing.position) == 3:
        return np.array([*thing.position, *rotation])
    x, y = thing.position
    return np.array([x, y, support_m(x, y, table) + _depth_m(spec, rotation) - RESTING_DEPTH_M, *rotation])


def _depth_m(spec: ObjectSpec, rotation: np.ndarray) -> float:
    """How far the lowest point of what is simulated is below its origin."""
    up = rotate_inverse(rotation, np.array([0.0, 0.0, 1.0]))
    if spec.mesh is not None:
        return -float((spec.mesh.vertices @ up).min())
    if spec.shape == "box":
        return float(np.abs(up) @ np.array(spec.size)) / 2
    if spec.shape == "can":
        return spec.size[0] * float(np.hypot(*up[:2])) + spec.size[1] / 2 * abs(float(up[2]))
    return spec.size[0]


def support_m(x: float, y: float, table: Table | None) -> float:
    """Height of the support under a point: the table's top, or the floor beside it."""
    if table is None:
        return 0.0
    inside = np.abs(np.subtract((x, y), table.centre)) <= np.array(table.size[:2]) / 2
    return table.size[2] if inside.all() else 0.0
