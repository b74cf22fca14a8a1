"""`lift_can`: reach over the table's edge, close the right hand around a can, lift it, hold it."""

from dataclasses import dataclass

import numpy as np

from devi_jax.core.camera import frontal
from devi_jax.core.clip import Clip
from devi_jax.core.scene import ObjectSpec, SceneSpec, Table
from envs.animation.grasping.close_fingers import handshake, in_palm
from envs.animation.grasping.grip import wrap
from envs.animation.kinematics.ik import FrameTask
from envs.animation.kinematics.posed_scene import build_posed_scene, put_object
from envs.animation.kinematics.posture import relaxed, stand
from envs.animation.kinematics.to_clip import clip_from_postures, provenance
from envs.animation.planner.phases import PhaseTimes, carry
from envs.scenes.objects.material import MATERIALS


@dataclass(frozen=True)
class LiftCan:
    """Where the can stands and how the hand comes.

    Args:
        can: the can's centre (x, y), metres.
        lift_m: how high it is lifted.
        yaw_deg: how far the fingers point inwards.
        pitch_deg: how far they point up.
        along_m: where along the hand the can lies in the palm, from the wrist.
        across_m: where across the palm, from the middle finger towards the thumb.
        palm_gap_m: distance of the palm from the can.
        above_m: how far above the can's centre the hand holds it.
        beats: when each phase begins.
    """

    can: tuple[float, float] = (0.12, 0.33)
    lift_m: float = 0.2
    yaw_deg: float = 25.0
    pitch_deg: float = -15.0
    along_m: float = 0.090
    across_m: float = 0.008
    palm_gap_m: float = 0.003
    above_m: float = 0.015
    beats: PhaseTimes = PhaseTimes()


def lift_can(plan: LiftCan = LiftCan()) -> Clip:
    """A kinematic reach-grasp-lift of a can with the right hand, in the scene of DeVI A.1.

    Raises `ClipError` where the can is out of reach.
    """
    table, thing = Table(), ObjectSpec("can", friction=MATERIALS["aluminium"].friction)
    radius, height = thing.size
    stage = build_posed_scene(SceneSpec(table, thing))
    can = np.array([*plan.can, table.size[2] + height / 2])
    standing = put_object(stage, stand(stage, relaxed(stage)), can)
    held = FrameTask(
        "right_wrist",
        position=can + [0.0, 0.0, plan.above_m],
        rotation=handshake("right", plan.yaw_deg, plan.pitch_deg),
        point=in_palm(stage, "right", plan.along_m, plan.across_m, radius + plan.palm_gap_m),
    )
    lift = np.array([0.0, -0.1 * plan.lift_m, plan.lift_m])  # a lift by the arm curves towards the body
    qpos, contact = carry(stage, standing, (wrap(stage, standing, held),), lift, plan.beats)
    # from the left and ahead: the hand does not hide the can
    return clip_from_postures(
        stage, "lift_can", qpos, contact, frontal(azimuth_deg=-45.0), provenance("lift_can", plan)
    )
