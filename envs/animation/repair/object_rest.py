"""Does the object stay where the clip first has it? Two seconds alone on its support, and a support that fits."""

from dataclasses import dataclass, replace

import mujoco
import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.clip import Clip, ObjectPoses
from devi_jax.core.skeleton import JOINTS
from envs.animation.repair.posed_clip import with_note
from envs.physics.layout import make_layout
from envs.physics.scene_model import Scene, build_spec
from envs.physics.solver import SETTINGS
from envs.scenes.objects.mujoco_bodies import OBJECT_NAME

SECONDS = 2.0


@dataclass(frozen=True)
class RestingDrift:
    """How far the object moved (metres), sank (metres, positive down) and turned (radians)."""

    moved_m: float
    sank_m: float
    turned_rad: float


def resting_drift(scene: Scene, start: np.ndarray) -> RestingDrift:
    """Let the object alone for two seconds from `start` (7,), on the scene's support, with the scene's own contacts."""
    settings = SETTINGS["c"]
    model = build_spec(scene, settings).compile()
    for name in JOINTS:
        body = model.body(name)
        first, count = int(body.geomadr[0]), int(body.geomnum[0])
        model.geom_conaffinity[first : first + count] = 0  # the human is not there
    data = mujoco.MjData(model)
    at = make_layout(model).object(OBJECT_NAME).qpos
    data.qpos[at] = start
    for _ in range(round(SECONDS / settings.timestep_s)):
        mujoco.mj_step(model, data)
    end = data.qpos[at]
    moved = end[:3] - start[:3]
    turned = float(rot.angle_between(rot.quat_normalise(np.array(end[3:])), np.asarray(start[3:], float)))
    return RestingDrift(float(np.linalg.norm(moved)), float(-moved[2]), turned)


def level_support(clip: Clip, scene: Scene) -> Clip:
    """The clip with its table raised by as much as its object would sink at first, at most a centimetre.

    Without a table the object is lowered onto the floor, in all frames. What starts in a hand has no rest to level.
    """
    if clip.scene.object is None or clip.object_start is None or clip.onset == 0:
        return clip
    sank = resting_drift(scene, clip.object_start).sank_m
    if not _LEAST_M < abs(sank) < _MOST_M:
        return clip
    table, poses = clip.scene.table, clip.object_poses
    if table is not None:
        size = (*table.size[:2], table.size[2] + sank)
        moved = replace(clip, scene=replace(clip.scene, table=replace(table, size=size)))
        return with_note(moved, f"table raised by {sank * 1e3:.1f} mm, as far as the object would sink")
    lowered = replace(
        clip,
        object_start=clip.object_start - [0, 0, sank, 0, 0, 0, 0],
        object_poses=poses and ObjectPoses(poses.positions - [0, 0, sank], poses.rotations),
    )
    return with_note(lowered, f"object lowered by {sank * 1e3:.1f} mm onto the floor, as far as it would sink")


_LEAST_M, _MOST_M = 2e-4, 1e-2
