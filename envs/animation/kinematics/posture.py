"""Postures to start from and to prefer: standing with relaxed arms, and which joints readily leave them."""

import numpy as np
from scipy.spatial.transform import Rotation

from devi_jax.core.skeleton import FINGERS, SIDES
from envs.animation.kinematics.ik import CenterOfMassTask, FrameTask, Task, solve_or_raise
from envs.animation.kinematics.posed_scene import PosedScene, distance, kinematics, pose

CURL = {"index": 0.30, "middle": 0.35, "ring": 0.40, "pinky": 0.45}
"""Flexion of each knuckle of a relaxed hand, radians."""

_COM_AHEAD_OF_ANKLES_M = 0.04
_TOES_CLEAR_M = 0.005
_ARM_DOWN, _ARM_BACK, _ELBOW_BENT = 1.33, -0.14, 0.30  # radians


def mirror(side: str) -> float:
    """+1 for the right, -1 for the left: the sign of x, and of rotations about y and z."""
    return {"left": -1.0, "right": 1.0}[side]


def relaxed(stage: PosedScene) -> np.ndarray:
    """Arms at the sides, elbows and fingers slightly bent, feet where the T-pose has them: (nq,)."""
    joints: dict[str, np.ndarray] = {}
    for side in SIDES:
        s = mirror(side)
        hanging = Rotation.from_euler("x", _ARM_BACK) * Rotation.from_euler("y", s * _ARM_DOWN)
        joints[f"{side}_shoulder"] = hanging.as_rotvec()
        joints[f"{side}_elbow"] = np.array([0.0, 0.0, s * _ELBOW_BENT])
        for finger in FINGERS[:-1]:
            for k in (1, 2, 3):
                joints[f"{side}_{finger}{k}"] = np.array([0.0, s * CURL[finger], 0.0])
    return pose(stage, joints, stage.model.qpos0)


def stand(stage: PosedScene, posture: np.ndarray) -> np.ndarray:
    """`posture` (nq,) with the soles on the floor, the toes before the table and the centre of mass over the feet."""
    grounded = np.array(posture)
    feet = foot_geoms(stage)
    data = kinematics(stage, grounded)
    grounded[stage.root][2] -= min(distance(stage, data, geom, "floor") for geom in feet)
    if stage.scene.table is not None:
        room = min(distance(stage, kinematics(stage, grounded), geom, "table") for geom in feet)
        grounded[stage.root][1] -= max(0.0, _TOES_CLEAR_M - room)
    return solve_or_raise(stage, stance_tasks(stage, grounded), grounded, mobility(stage, ()), where="standing")


def stance_tasks(stage: PosedScene, standing: np.ndarray) -> tuple[Task, ...]:
    """Tasks that keep both feet where `standing` has them and the centre of mass between and ahead of the ankles."""
    data = kinematics(stage, standing)
    ankles = [data.body(f"{side}_ankle") for side in SIDES]
    ground = np.mean([ankle.xpos[:2] for ankle in ankles], axis=0) + [0.0, _COM_AHEAD_OF_ANKLES_M]
    return (*(keep_body(stage, standing, f"{side}_ankle") for side in SIDES), CenterOfMassTask(ground))


def keep_body(stage: PosedScene, standing: np.ndarray, body: str) -> FrameTask:
    """The task that keeps a body where the posture `standing` (nq,) has it."""
    at = kinematics(stage, standing).body(body)
    return FrameTask(body, np.array(at.xpos), np.array(at.xmat).reshape(3, 3), np.zeros(3))


def foot_geoms(stage: PosedScene) -> tuple[str, ...]:
    """Names of the geoms that stand on the floor."""
    model = stage.model
    bodies = {model.body(f"{side}_{part}").id for side in SIDES for part in ("ankle", "foot")}
    return tuple(model.geom(g).name for g in range(model.ngeom) if model.geom_bodyid[g] in bodies)


def mobility(stage: PosedScene, arms: tuple[str, ...]) -> np.ndarray:
    """How readily each degree of freedom leaves the preferred posture, (nv,): legs for balance, then the named arms."""
    out = np.zeros(stage.model.nv)
    root = stage.dofs("pelvis")
    out[root.start - 3 : root.start], out[root] = 0.2, (0.1, 0.03, 0.05)
    for side in SIDES:
        for joint, value in (("hip", 0.3), ("knee", 0.3), ("ankle", 0.5)):
            out[stage.dofs(f"{side}_{joint}")] = value
    for side in arms:
        for joint, value in _ARM_MOBILITY.items():
            out[stage.dofs(joint.format(side=side))] = value
    return out


def trunk_dofs(stage: PosedScene) -> np.ndarray:
    """Which degrees of freedom bend and turn pelvis and spine, (nv,)."""
    out = np.zeros(stage.model.nv, bool)
    for joint in ("pelvis", "spine1", "spine2", "spine3"):
        out[stage.dofs(joint)] = True
    return out


_ARM_MOBILITY = {
    "spine1": (0.2, 0.03, 0.1),  # forward bend, sideways bend, twist
    "spine2": (0.2, 0.03, 0.1),
    "spine3": (0.2, 0.03, 0.1),
    "{side}_collar": (0.1, 0.2, 0.2),
    "{side}_shoulder": (1.0, 1.0, 1.0),
    "{side}_elbow": (0.8, 0.05, 1.0),  # twist of the forearm, no bending sideways, flexion
    "{side}_wrist": (0.3, 0.5, 0.5),
}


def mouth(stage: PosedScene, standing: np.ndarray) -> np.ndarray:
    """Where the lips (3,) of the posture `standing` (nq,) are: ahead of the head's middle and below it."""
    head = kinematics(stage, standing).geom("head")
    return np.array(head.xpos) + [0.0, stage.model.geom("head").size[0], -0.045]
