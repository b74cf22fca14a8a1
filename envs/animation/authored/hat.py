"""`hat`: take a hat by its crown, from above, and put it on the head."""

from dataclasses import dataclass

import numpy as np

from devi_jax.core.camera import frontal
from devi_jax.core.clip import Clip
from devi_jax.core.scene import ObjectSpec, SceneSpec, Table
from envs.animation.authored.meshes import HAT_INSIDE_M, hat
from envs.animation.grasping.close_fingers import from_above, in_palm
from envs.animation.grasping.grip import wrap
from envs.animation.kinematics.ik import FrameTask
from envs.animation.kinematics.minimum_jerk import through
from envs.animation.kinematics.posed_scene import build_posed_scene, kinematics, put_object
from envs.animation.kinematics.posture import relaxed, stand
from envs.animation.kinematics.to_clip import clip_from_postures, provenance
from envs.animation.planner.phases import PhaseTimes, carry_along
from envs.scenes.objects.material import MATERIALS


@dataclass(frozen=True)
class Hat:
    """Where the hat lies, and how the hand takes it.

    Args:
        hat: where it lies (x, y), metres.
        mass_kg: its mass.
        ahead_m: how far before the face it goes up.
        yaw_deg: how far the fingers point inwards; at 90 they point to the left.
        along_m: where along the hand the ridge lies, from the wrist.
        across_m: where across it, from the middle finger towards the thumb.
        palm_gap_m: distance of the palm from the ridge.
        beats: when each phase begins.
    """

    hat: tuple[float, float] = (0.10, 0.34)
    mass_kg: float = 0.15
    ahead_m: float = 0.30
    yaw_deg: float = 85.0
    along_m: float = 0.070
    across_m: float = 0.0
    palm_gap_m: float = 0.004
    beats: PhaseTimes = PhaseTimes(there=140, frames=155)


def put_on_hat(plan: Hat = Hat()) -> Clip:
    """A kinematic donning of a hat with the right hand. Raises `ClipError` where it is out of reach."""
    mesh = hat()
    table, thing = Table(), ObjectSpec("mesh", (), plan.mass_kg, MATERIALS["felt"].friction, mesh)
    stage = build_posed_scene(SceneSpec(table, thing))
    at = np.array([*plan.hat, table.size[2] - mesh.vertices[:, 2].min()])
    standing = put_object(stage, stand(stage, relaxed(stage)), at)
    place = FrameTask(
        "right_wrist",
        position=standing[stage.object][:3] + [0.0, 0.0, float(mesh.vertices[:, 2].max())],
        rotation=from_above("right", plan.yaw_deg),
        point=in_palm(stage, "right", plan.along_m, plan.across_m, plan.palm_gap_m),
    )
    head = kinematics(stage, standing).geom("head")
    worn = np.array(head.xpos) + [0.0, 0.0, stage.model.geom("head").size[0] - HAT_INSIDE_M]
    ahead = worn + [0.0, plan.ahead_m, -0.15]
    frame, beats = np.arange(plan.beats.frames), plan.beats
    times = (beats.move, (2 * beats.move + 3 * beats.there) // 5, beats.there)
    objects = np.tile(standing[stage.object], (beats.frames, 1))
    objects[:, :3] = through(frame, times, np.array([objects[0, :3], ahead, worn]))
    qpos, contact = carry_along(stage, standing, (wrap(stage, standing, place),), objects, beats)
    return clip_from_postures(
        stage,
        "hat",
        qpos,
        contact,
        frontal(azimuth_deg=-45.0, radius_m=1.8, centre=(0.0, 0.0, 1.2)),
        provenance("hat", plan),
    )
