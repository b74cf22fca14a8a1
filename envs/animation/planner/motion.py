"""A planned motion: the scene, and every number of it over time; and as a clip."""

from dataclasses import asdict, dataclass
from typing import Any

import mujoco
import numpy as np

from devi_jax.core.camera import Camera
from devi_jax.core.clip import Clip
from envs.animation.kinematics.posed_scene import PosedScene
from envs.animation.kinematics.to_clip import clip_from_postures


@dataclass(frozen=True)
class PlannedMotion:
    """Human, manipulated object and props over T frames at 30 Hz.

    `stage`: the compiled scene, and where things are in its `qpos`; `qpos` (T, nq): all of it, props included;
    `contact` (T, 2): which hands touch the object, left and right; `plan`: what was planned, as JSON types.
    """

    stage: PosedScene
    qpos: np.ndarray
    contact: np.ndarray
    plan: dict[str, Any]


def to_clip(motion: PlannedMotion, name: str, camera: Camera, command: str) -> Clip:
    """The motion as a clip seen by a camera; `command` is what makes it again, for its provenance."""
    provenance = {"command": command, "plan": motion.plan, "mujoco": mujoco.__version__}
    return clip_from_postures(motion.stage, name, motion.qpos, motion.contact, camera, provenance)


def plan_record(action: Any, **more: Any) -> dict[str, Any]:
    """A plan's record for `PlannedMotion.plan`: the action's class and numbers, and what else was chosen."""
    return {"action": type(action).__name__, **asdict(action), **more}
