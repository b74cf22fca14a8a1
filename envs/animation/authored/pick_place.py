"""`pick_place`: take a small box, carry it over the table, set it down on another place, let go."""

from dataclasses import dataclass

import numpy as np

from devi_jax.core.camera import frontal
from devi_jax.core.clip import Clip
from devi_jax.core.rotations import quat_about_z
from devi_jax.core.scene import ObjectSpec, SceneSpec, Table
from envs.animation.grasping.close_fingers import handshake, in_palm
from envs.animation.grasping.grip import wrap
from envs.animation.kinematics.ik import FrameTask
from envs.animation.kinematics.minimum_jerk import phase
from envs.animation.kinematics.posed_scene import build_posed_scene, put_object
from envs.animation.kinematics.posture import relaxed, stand
from envs.animation.kinematics.to_clip import clip_from_postures, provenance
from envs.animation.planner.phases import PhaseTimes, carry_along
from envs.scenes.objects.material import MATERIALS


@dataclass(frozen=True)
class PickPlace:
    """Where the box stands, where it goes, and how the hand holds it.

    Args:
        box: the box's centre (x, y), metres.
        target: where it is set down (x, y), metres.
        size: its edge lengths (x, y, z), metres.
        mass_kg: its mass.
        lift_m: how high it is carried over the table.
        yaw_deg: how far box and fingers are turned inwards.
        pitch_deg: how far the fingers point up.
        along_m: where along the hand the box lies in the palm, from the wrist.
        across_m: where across the palm, from the middle finger towards the thumb.
        palm_gap_m: distance of the palm from the box.
        above_m: how far above the box's centre the hand holds it.
        beats: when each phase begins.
    """

    box: tuple[float, float] = (0.18, 0.32)
    target: tuple[float, float] = (-0.02, 0.34)
    size: tuple[float, float, float] = (0.055, 0.055, 0.11)
    mass_kg: float = 0.25
    lift_m: float = 0.12
    yaw_deg: float = 25.0
    pitch_deg: float = -15.0
    along_m: float = 0.090
    across_m: float = 0.008
    palm_gap_m: float = 0.003
    above_m: float = 0.024
    beats: PhaseTimes = PhaseTimes(there=114, release=122, frames=160)


def pick_place(plan: PickPlace = PickPlace()) -> Clip:
    """A kinematic pick and place of a box with the right hand. Raises `ClipError` where it is out of reach."""
    table, thing = Table(), ObjectSpec("box", plan.size, plan.mass_kg, friction=MATERIALS["cardboard"].friction)
    stage = build_posed_scene(SceneSpec(table, thing))
    box = np.array([*plan.box, table.size[2] + plan.size[2] / 2])
    turned = tuple(quat_about_z(np.asarray(np.radians(plan.yaw_deg))).tolist())
    standing = put_object(stage, stand(stage, relaxed(stage)), box, turned)
    held = FrameTask(
        "right_wrist",
        position=box + [0.0, 0.0, plan.above_m],
        rotation=handshake("right", plan.yaw_deg, plan.pitch_deg),
        point=in_palm(stage, "right", plan.along_m, plan.across_m, plan.size[0] / 2 + plan.palm_gap_m),
    )
    objects = np.tile(standing[stage.object], (plan.beats.frames, 1))
    objects[:, :3] += _over(np.subtract(plan.target, plan.box), plan.lift_m, plan.beats)
    qpos, contact = carry_along(stage, standing, (wrap(stage, standing, held),), objects, plan.beats)
    return clip_from_postures(
        stage, "pick_place", qpos, contact, frontal(azimuth_deg=-45.0), provenance("pick_place", plan)
    )


def _over(across: np.ndarray, lift_m: float, beats: PhaseTimes) -> np.ndarray:
    """Displacement (T, 3) that goes up, `across` (2,) and down again, the corners rounded."""
    frame, third = np.arange(beats.frames), (beats.there - beats.move) / 3
    sideways = phase(frame, beats.move + third / 2, beats.there - third / 2)
    up = phase(frame, beats.move, beats.there - 1.5 * third) - phase(frame, beats.move + 1.5 * third, beats.there)
    return np.concatenate([sideways[:, None] * across, lift_m * up[:, None]], axis=1)
