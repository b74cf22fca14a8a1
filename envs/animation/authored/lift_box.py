"""`lift_box`: take a box between both palms and lift it."""

from dataclasses import dataclass

import numpy as np

from devi_jax.core.camera import frontal
from devi_jax.core.clip import Clip
from devi_jax.core.scene import ObjectSpec, SceneSpec, Table
from devi_jax.core.skeleton import SIDES
from envs.animation.grasping.close_fingers import handshake, in_palm
from envs.animation.grasping.grip import press
from envs.animation.kinematics.ik import FrameTask
from envs.animation.kinematics.posed_scene import build_posed_scene, put_object
from envs.animation.kinematics.posture import mirror, relaxed, stand
from envs.animation.kinematics.to_clip import clip_from_postures, provenance
from envs.animation.planner.phases import PhaseTimes, carry
from envs.scenes.objects.material import MATERIALS


@dataclass(frozen=True)
class LiftBox:
    """Where the box stands, how big it is and how high it goes.

    Args:
        box: the box's centre (x, y), metres.
        size: its edge lengths (x, y, z), metres.
        mass_kg: its mass.
        lift_m: how high it is lifted.
        pitch_deg: how far the fingers point up.
        along_m: which place of the hands meets the middle of the side faces, from the wrist along the fingers.
        palm_gap_m: distance of the palms from the faces.
        beats: when each phase begins.
    """

    box: tuple[float, float] = (0.0, 0.36)
    size: tuple[float, float, float] = (0.24, 0.20, 0.20)
    mass_kg: float = 1.0
    lift_m: float = 0.2
    pitch_deg: float = -20.0
    along_m: float = 0.090
    palm_gap_m: float = 0.002
    beats: PhaseTimes = PhaseTimes()


def lift_box(plan: LiftBox = LiftBox()) -> Clip:
    """A kinematic lift of a box between both palms. Raises `ClipError` where it is out of reach."""
    table, thing = Table(), ObjectSpec("box", plan.size, plan.mass_kg, friction=MATERIALS["cardboard"].friction)
    stage = build_posed_scene(SceneSpec(table, thing))
    box = np.array([*plan.box, table.size[2] + plan.size[2] / 2])
    standing = put_object(stage, stand(stage, relaxed(stage)), box)
    faces = [
        FrameTask(
            f"{side}_wrist",
            position=box + [mirror(side) * plan.size[0] / 2, 0.0, 0.0],
            rotation=handshake(side, 0.0, plan.pitch_deg),
            point=in_palm(stage, side, plan.along_m, 0.0, plan.palm_gap_m),
        )
        for side in SIDES
    ]
    grips = [press(stage, standing, face) for face in faces]
    lift = np.array([0.0, -0.1 * plan.lift_m, plan.lift_m])
    qpos, contact = carry(stage, standing, grips, lift, plan.beats)
    return clip_from_postures(
        stage, "lift_box", qpos, contact, frontal(azimuth_deg=-30.0), provenance("lift_box", plan)
    )
