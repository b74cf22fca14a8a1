"""`push_box`: lay the right palm on a box's side and push it over the table to the left."""

from dataclasses import dataclass

import numpy as np

from devi_jax.core.camera import frontal
from devi_jax.core.clip import Clip
from devi_jax.core.scene import ObjectSpec, SceneSpec, Table
from envs.animation.grasping.close_fingers import handshake, in_palm
from envs.animation.grasping.grip import press
from envs.animation.kinematics.ik import FrameTask
from envs.animation.kinematics.posed_scene import build_posed_scene, put_object
from envs.animation.kinematics.posture import relaxed, stand
from envs.animation.kinematics.to_clip import clip_from_postures, provenance
from envs.animation.planner.phases import PhaseTimes, carry
from envs.scenes.objects.material import MATERIALS


@dataclass(frozen=True)
class PushBox:
    """Where the box stands, how big it is and how far it goes.

    Args:
        box: the box's centre (x, y), metres.
        size: its edge lengths (x, y, z), metres.
        mass_kg: its mass.
        push_m: how far it is pushed, to the left.
        pitch_deg: how far the fingers point up.
        along_m: which place of the hand meets the middle of the face, from the wrist along the fingers.
        palm_gap_m: distance of the palm from the face.
        beats: when each phase begins.
    """

    box: tuple[float, float] = (0.10, 0.36)
    size: tuple[float, float, float] = (0.12, 0.16, 0.18)
    mass_kg: float = 0.5
    push_m: float = 0.12
    pitch_deg: float = -20.0
    along_m: float = 0.090
    palm_gap_m: float = 0.002
    beats: PhaseTimes = PhaseTimes()


def push_box(plan: PushBox = PushBox()) -> Clip:
    """A kinematic push of a box over the table with the right palm. Raises `ClipError` where it is out of reach."""
    table, thing = Table(), ObjectSpec("box", plan.size, plan.mass_kg, friction=MATERIALS["cardboard"].friction)
    stage = build_posed_scene(SceneSpec(table, thing))
    box = np.array([*plan.box, table.size[2] + plan.size[2] / 2])
    standing = put_object(stage, stand(stage, relaxed(stage)), box)
    face = FrameTask(
        "right_wrist",
        position=box + [plan.size[0] / 2, 0.0, 0.0],
        rotation=handshake("right", 0.0, plan.pitch_deg),
        point=in_palm(stage, "right", plan.along_m, 0.0, plan.palm_gap_m),
    )
    push = np.array([-plan.push_m, 0.0, 0.0])
    qpos, contact = carry(stage, standing, (press(stage, standing, face),), push, plan.beats)
    return clip_from_postures(
        stage, "push_box", qpos, contact, frontal(azimuth_deg=-45.0), provenance("push_box", plan)
    )
