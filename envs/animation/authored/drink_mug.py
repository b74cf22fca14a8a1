"""`drink_mug`: bring a mug to the mouth, tilt it as if to drink, lower it a little."""

from dataclasses import dataclass

import numpy as np

from devi_jax.core.camera import frontal
from devi_jax.core.clip import Clip
from devi_jax.core.rotations import quat_exp, quat_mul, quat_to_matrix
from devi_jax.core.scene import ObjectSpec, SceneSpec, Table
from envs.animation.authored.meshes import mug
from envs.animation.authored.upright_grasp import UprightGrasp, wrist_task
from envs.animation.grasping.grip import wrap
from envs.animation.kinematics.minimum_jerk import phase, through
from envs.animation.kinematics.posed_scene import build_posed_scene, put_object
from envs.animation.kinematics.posture import mouth, relaxed, stand
from envs.animation.kinematics.to_clip import clip_from_postures, provenance
from envs.animation.planner.phases import PhaseTimes, carry_along
from envs.scenes.objects.material import MATERIALS


@dataclass(frozen=True)
class DrinkMug:
    """Where the mug stands, and how it comes to the mouth.

    Args:
        mug: where it stands (x, y), metres.
        mass_kg: its mass, full.
        handle_deg: where its handle points, from the right towards ahead.
        turn_deg: how far it is turned to the left on its way.
        tilt_deg: how far it is tilted at the mouth.
        hold: how the hand lies on it.
        drinking: frames between which it is at the mouth.
        beats: when each phase begins; `there` is where it is lowered again.
    """

    mug: tuple[float, float] = (0.14, 0.33)
    mass_kg: float = 0.35
    handle_deg: float = 190.0
    turn_deg: float = 60.0
    tilt_deg: float = 50.0
    hold: UprightGrasp = UprightGrasp(above_m=0.020)
    drinking: tuple[int, int] = (122, 132)
    beats: PhaseTimes = PhaseTimes(there=158, frames=165)


def drink_mug(plan: DrinkMug = DrinkMug()) -> Clip:
    """A kinematic drink from a mug in the right hand. Raises `ClipError` where it is out of reach."""
    mesh = mug(plan.handle_deg)
    table, thing = Table(), ObjectSpec("mesh", (), plan.mass_kg, MATERIALS["ceramic"].friction, mesh)
    stage = build_posed_scene(SceneSpec(table, thing))
    at = np.array([*plan.mug, table.size[2] - mesh.vertices[:, 2].min()])
    standing = put_object(stage, stand(stage, relaxed(stage)), at)
    radius, height = float(mesh.vertices[:, 1].max()), float(mesh.vertices[:, 2].max())
    place = wrist_task(stage, standing, "right", plan.hold, radius)
    frame, beats, (there, back) = np.arange(plan.beats.frames), plan.beats, plan.drinking
    near = there - 14
    tilting = phase(frame, near - 6, there) - phase(frame, back, back + 20)
    tilt = quat_exp(np.radians(plan.tilt_deg) * tilting[:, None] * [1.0, 0.0, 0.0])
    turn = quat_exp(np.radians(plan.turn_deg) * phase(frame, beats.move, near)[:, None] * [0.0, 0.0, 1.0])
    objects = np.tile(standing[stage.object], (beats.frames, 1))
    start, rim = objects[0, :3].copy(), np.array([0.0, -radius, height])
    lips = mouth(stage, standing)
    before = lips - rim + _AHEAD_M
    after = lips - rim + 3 * _AHEAD_M
    approach = through(frame, (beats.move, near), np.array([start, before]))
    objects[:, :3] = approach + phase(frame, back + 6, beats.there)[:, None] * (after - before)
    # tilted about the rim at the lips, not about the middle
    objects[:, :3] += rim - np.einsum("tij,j->ti", quat_to_matrix(tilt), rim)
    objects[:, 3:] = quat_mul(tilt, turn)
    qpos, contact = carry_along(stage, standing, (wrap(stage, standing, place),), objects, beats)
    return clip_from_postures(
        stage, "drink_mug", qpos, contact, frontal(azimuth_deg=-45.0), provenance("drink_mug", plan)
    )


_AHEAD_M = np.array([0.0, 0.02, -0.01])
