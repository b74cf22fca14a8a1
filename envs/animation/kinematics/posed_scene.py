"""A compiled scene that is posed but never simulated: human, table and object."""

from dataclasses import dataclass

import mujoco
import numpy as np

from devi_jax.core.rotations import quat_exp
from devi_jax.core.scene import SceneSpec
from devi_jax.core.skeleton import INDEX
from envs.physics.layout import Layout, make_layout
from envs.physics.scene_model import Scene, build_spec
from envs.physics.solver import SETTINGS
from envs.scenes.objects.mujoco_bodies import OBJECT_NAME

RESTING_DEPTH_M = 1e-4
"""How deep things rest: a contact that does not overlap would not carry in the first step."""


@dataclass(frozen=True)
class PosedScene:
    """A compiled scene and where things are in its `qpos`."""

    scene: SceneSpec
    model: mujoco.MjModel
    layout: Layout

    @property
    def object_geoms(self) -> tuple[int, ...]:
        """Ids of the geoms that make up the object."""
        body = self.model.body("object")
        return tuple(range(int(body.geomadr[0]), int(body.geomadr[0] + body.geomnum[0])))

    @property
    def obstacles(self) -> tuple[str, ...]:
        """Names of what hands and fingers do not pass: the object, the floor, and the table if there is one."""
        return ("object", "floor") if self.scene.table is None else ("object", "floor", "table")

    @property
    def object(self) -> slice:
        """Where in `qpos` the object's position and quaternion lie; empty without an object."""
        nowhere = slice(self.layout.nq, self.layout.nq)
        return nowhere if self.scene.object is None else self.layout.object(OBJECT_NAME).qpos

    @property
    def root(self) -> slice:
        """Where in `qpos` the pelvis position lies."""
        return self.layout.root_position.qpos

    def quat(self, joint: str) -> slice:
        """Where in `qpos` the quaternion of a joint lies."""
        places = self.layout.rotation_qpos[INDEX[joint]]
        return slice(int(places[0]), int(places[-1]) + 1)

    def dofs(self, joint: str) -> slice:
        """Where in `qvel` the three rotational velocities of a joint lie."""
        places = self.layout.rotation_qvel[INDEX[joint]]
        return slice(int(places[0]), int(places[-1]) + 1)


def build_posed_scene(scene: SceneSpec) -> PosedScene:
    """The bundled human in the T-pose at the origin, with the scene's table (if any) and its object."""
    return index_posed_scene(scene, build_spec(Scene(scene), SETTINGS["c"]).compile())


def index_posed_scene(scene: SceneSpec, model: mujoco.MjModel) -> PosedScene:
    """Where things are in the `qpos` of a compiled scene."""
    return PosedScene(scene, model, make_layout(model))


def pose(stage: PosedScene, rotvecs: dict[str, np.ndarray], base: np.ndarray) -> np.ndarray:
    """The posture `base` (nq,) with some joints set to rotation vectors (3,) in radians."""
    qpos = np.array(base)
    for joint, rotvec in rotvecs.items():
        qpos[stage.quat(joint)] = quat_exp(np.asarray(rotvec, float))
    return qpos


def put_object(
    stage: PosedScene, qpos: np.ndarray, position: np.ndarray, rotation: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0)
) -> np.ndarray:
    """The posture `qpos` (nq,) with the object at `position` (3,), by `RESTING_DEPTH_M` in what carries it.

    `rotation`: wxyz, upright by default.
    """
    out = np.array(qpos)
    out[stage.object] = [*position[:2], position[2] - RESTING_DEPTH_M, *rotation]
    return out


def kinematics(stage: PosedScene, qpos: np.ndarray) -> mujoco.MjData:
    """Fresh data with all that follows from positions alone: frames of bodies and geoms, centres of mass."""
    data = mujoco.MjData(stage.model)
    data.qpos[:] = qpos
    mujoco.mj_kinematics(stage.model, data)
    mujoco.mj_comPos(stage.model, data)
    return data


def distance(stage: PosedScene, data: mujoco.MjData, geom_a: str, geom_b: str, beyond: float = 0.2) -> float:
    """Signed distance of two geoms in metres, negative where they overlap, capped at `beyond`.

    `object` stands for all its parts.
    """
    model, to = stage.model, np.zeros(6)
    a = model.geom(geom_a).id
    others = stage.object_geoms if geom_b == "object" else (model.geom(geom_b).id,)
    return min(mujoco.mj_geomDistance(model, data, a, b, beyond, to) for b in others)
