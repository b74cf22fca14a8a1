"""`pour_bottle`: lift a bottle, tilt it as if to pour, turn it upright again."""

from dataclasses import dataclass

import numpy as np

from devi_jax.core.camera import frontal
from devi_jax.core.clip import Clip
from devi_jax.core.rotations import quat_exp
from devi_jax.core.scene import ObjectSpec, SceneSpec, Table
from envs.animation.authored.meshes import bottle
from envs.animation.authored.upright_grasp import UprightGrasp, wrist_task
from envs.animation.grasping.grip import wrap
from envs.animation.kinematics.minimum_jerk import phase
from envs.animation.kinematics.posed_scene import build_posed_scene, put_object
from envs.animation.kinematics.posture import relaxed, stand
from envs.animation.kinematics.to_clip import clip_from_postures, provenance
from envs.animation.planner.phases import PhaseTimes, carry_along
from envs.scenes.objects.material import MATERIALS


@dataclass(frozen=True)
class PourBottle:
    """Where the bottle stands, and how far it is lifted and tilted.

    Args:
        bottle: where it stands (x, y), metres.
        mass_kg: its mass.
        shift: how far it is moved (x, y, z) before it is tilted, metres.
        tilt_deg: how far it is tilted, to the left.
        hold: how the hand lies on it.
        tilted: frames between which it stays tilted.
        beats: when each phase begins; `there` is where it is upright again.
    """

    bottle: tuple[float, float] = (0.16, 0.33)
    mass_kg: float = 0.3
    shift: tuple[float, float, float] = (-0.02, -0.02, 0.18)
    tilt_deg: float = 85.0
    hold: UprightGrasp = UprightGrasp(above_m=0.015)
    tilted: tuple[int, int] = (112, 122)
    beats: PhaseTimes = PhaseTimes(there=150, frames=160)


def pour_bottle(plan: PourBottle = PourBottle()) -> Clip:
    """A kinematic pour with the right hand. Raises `ClipError` where the bottle is out of reach."""
    mesh = bottle()
    table, thing = Table(), ObjectSpec("mesh", (), plan.mass_kg, MATERIALS["plastic"].friction, mesh)
    stage = build_posed_scene(SceneSpec(table, thing))
    at = np.array([*plan.bottle, table.size[2] - mesh.vertices[:, 2].min()])
    standing = put_object(stage, stand(stage, relaxed(stage)), at)
    place = wrist_task(stage, standing, "right", plan.hold, radius_m=float(mesh.vertices[:, 0].max()))
    frame, (tilted, back) = np.arange(plan.beats.frames), plan.tilted
    lifting = phase(frame, plan.beats.move, (plan.beats.move + tilted) // 2 + 8)
    tilting = phase(frame, (plan.beats.move + tilted) // 2 - 8, tilted) - phase(frame, back, plan.beats.there)
    objects = np.tile(standing[stage.object], (plan.beats.frames, 1))
    objects[:, :3] += lifting[:, None] * plan.shift
    objects[:, 3:] = quat_exp(-np.radians(plan.tilt_deg) * tilting[:, None] * [0.0, 1.0, 0.0])
    qpos, contact = carry_along(stage, standing, (wrap(stage, standing, place),), objects, plan.beats)
    return clip_from_postures(
        stage, "pour_bottle", qpos, contact, frontal(azimuth_deg=-45.0), provenance("pour_bottle", plan)
    )
