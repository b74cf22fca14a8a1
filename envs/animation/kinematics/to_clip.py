"""From postures over time to a clip."""

from dataclasses import asdict, replace
from typing import Any

import mujoco
import numpy as np

from devi_jax.core.camera import Camera
from devi_jax.core.clip import Clip, ObjectPoses
from devi_jax.core.skeleton import JOINTS
from envs.animation.kinematics.posed_scene import PosedScene, kinematics

FPS = 30.0


def provenance(motion: str, plan: Any) -> dict[str, Any]:
    """Where a clip comes from: the command that makes it, and the numbers of its plan (a dataclass)."""
    command = f"python -m devi_jax.choreograph {motion}"
    return {"command": command, "plan": asdict(plan), "mujoco": mujoco.__version__}


def clip_from_postures(
    stage: PosedScene, name: str, qpos: np.ndarray, contact: np.ndarray, camera: Camera, provenance: dict[str, Any]
) -> Clip:
    """The clip of postures `qpos` (T, nq), object included, at `FPS`; `contact` (T, 2) left and right."""
    bodies = [stage.model.body(joint).id for joint in JOINTS]
    positions = np.array([kinematics(stage, q).xpos[bodies] for q in qpos])
    rotations = qpos[:, stage.layout.rotation_qpos]
    thing = qpos[:, stage.object]
    return Clip(
        name=name,
        fps=FPS,
        joint_rotations=rotations,
        joint_positions=positions,
        contact=contact,
        scene=stage.scene,
        camera=camera,
        object_start=thing[0].copy(),
        object_poses=ObjectPoses(thing[:, :3].copy(), thing[:, 3:].copy()),
        provenance=provenance,
    )


def postures_of_clip(stage: PosedScene, clip: Clip) -> np.ndarray:
    """Postures (T, nq) of a clip on the stage's human: the inverse of `clip_from_postures`. Needs object poses."""
    qpos = np.tile(stage.model.qpos0, (clip.frames, 1))
    qpos[:, stage.root] = clip.joint_positions[:, 0]
    qpos[:, stage.layout.rotation_qpos] = clip.joint_rotations
    if clip.object_poses is not None:
        qpos[:, stage.object] = np.hstack([clip.object_poses.positions, clip.object_poses.rotations])
    return qpos


def compact(clip: Clip, bits: int) -> Clip:
    """The clip in steps of 2**-bits metres and radians, so that its file compresses to a fraction.

    Root and legs are kept finer, for the feet to stay on the floor; all other positions only say how long bones are.
    """

    def rounded(x: np.ndarray, to: int) -> np.ndarray:
        return np.round(x * 2.0**to) / 2.0**to

    legs = [i for i, joint in enumerate(JOINTS) if joint.endswith(("pelvis", "hip", "knee", "ankle", "foot"))]
    rotations, positions = rounded(clip.joint_rotations, bits + 1), rounded(clip.joint_positions, bits)
    rotations[:, legs] = rounded(clip.joint_rotations[:, legs], _LEG_BITS)
    positions[:, legs] = rounded(clip.joint_positions[:, legs], _LEG_BITS)
    return replace(clip, joint_rotations=rotations, joint_positions=positions)


_LEG_BITS = 13  # 0.1 mm
