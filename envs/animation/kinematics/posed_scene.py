"""A compiled scene that is posed but never simulated: human, table and object."""

from dataclasses import dataclass

import mujoco
import numpy as np

from devi_jax.core.rotations import quat_exp
from devi_jax.core.scene import SceneSpec
from devi_jax.core.skeleton import INDEX, JOINTS
from envs.physics.scene_model import Scene, build_spec
from envs.physics.solver import SETTINGS

RESTING_DEPTH_M = 1e-4
"""How deep things rest: a contact that does not overlap would not carry in the first step."""


@dataclass(frozen=True)
class PosedScene:
    """A compiled scene and where things are in its `qpos`.

    `joint_qpos` (52,): address of each joint's quaternion, in the order of `JOINTS`; `joint_dofs` (52,): address of its
    three rotational velocities; `root_qpos`: address of the pelvis position; `object_qpos`: address of the object's
    position and quaternion.
    """

    scene: SceneSpec
    model: mujoco.MjModel
    joint_qpos: np.ndarray
    joint_dofs: np.ndarray
    root_qpos: int
    object_qpos: int

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
        """Where in `qpos` the object's position and quaternion lie."""
        return slice(self.object_qpos, self.object_qpos + 7)

    def quat(self, joint: str) -> slice:
        """Where in `qpos` the quaternion of a joint lies."""
        start = int(self.joint_qpos[INDEX[joint]])
        return slice(start, start + 4)

    def dofs(self, joint: str) -> slice:
        """Where in `qvel` the three rotational velocities of a joint lie."""
        start = int(self.joint_dofs[INDEX[joint]])
        return slice(start, start + 3)


def build_posed_scene(scene: SceneSpec) -> PosedScene:
    """The bundled human in the T-pose at the origin, with the scene's table (if any) and its object."""
    return index_posed_scene(scene, build_spec(Scene(scene), SETTINGS["c"]).compile())


def index_posed_scene(scene: SceneSpec, model: mujoco.MjModel) -> PosedScene:
    """Where things are in the `qpos` of a compiled scene with a free root; without an object its place is empty."""
    joints = [model.body(name).jntadr[0] for name in JOINTS]
    rotations_only = np.array([model.jnt_type[j] == mujoco.mjtJoint.mjJNT_BALL for j in joints])
    qpos, dofs = model.jnt_qposadr[joints], model.jnt_dofadr[joints]
    return PosedScene(
        scene=scene,
        model=model,
        joint_qpos=np.where(rotations_only, qpos, qpos + 3),
        joint_dofs=np.where(rotations_only, dofs, dofs + 3),
        root_qpos=int(qpos[0]),
        object_qpos=int(model.joint("object").qposadr[0]) if scene.object is not None else model.nq,
    )


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
