"""The human of a setup: whose body, and how it stands."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.scene_file import SceneHuman
from envs.animation.kinematics.posed_scene import PosedScene, pose
from envs.animation.kinematics.posture import relaxed, stand
from envs.embodiments.human import Body, human, smplx_body


def body_for(person: SceneHuman) -> Body:
    """The bundled body at the person's scale, or that of an SMPL-X file. Raises `BodyError` for a file that is none."""
    if isinstance(person.shape, str):
        return smplx_body(Path(person.shape).expanduser())
    return human() if person.shape == 1.0 else scaled(human(), person.shape)


def scaled(body: Body, by: float) -> Body:
    """The body with all lengths times `by` and mass times its cube."""
    lengths = {key: getattr(body, key) * by for key in ("offsets", "tips", "radii", "forward", "sole_m", "crown_m")}
    return replace(body, mass_kg=body.mass_kg * by**3, **lengths)


def standing_posture(stage: PosedScene, person: SceneHuman) -> np.ndarray:
    """The stage's posture (nq,) with the human as the setup has it: relaxed but for the joints that differ, soles on
    the floor, turned and moved to its place. Things stay where the stage has them.
    """
    rotvecs = {joint: np.array(rotvec) for joint, rotvec in person.pose.items()}
    return placed(stage, stand(stage, pose(stage, rotvecs, relaxed(stage))), person)


def placed(stage: PosedScene, qpos: np.ndarray, person: SceneHuman) -> np.ndarray:
    """The posture `qpos` (nq,) turned about the vertical and moved to where the scene file has the human."""
    out = np.array(qpos)
    root, turn = stage.root, stage.quat("pelvis")
    yaw = rot.quat_about_z(np.asarray(np.radians(person.yaw_deg)))
    out[root] = rot.rotate(yaw, out[root]) + [*person.position, 0.0]
    out[turn] = rot.quat_mul(yaw, out[turn])
    return out
