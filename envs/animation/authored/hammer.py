"""`hammer`: take a mallet by its handle, raise it, strike twice just above the table."""

from dataclasses import dataclass

import numpy as np

from devi_jax.core.camera import frontal
from devi_jax.core.clip import Clip
from devi_jax.core.rotations import quat_exp, quat_mul
from devi_jax.core.scene import ObjectSpec, SceneSpec, Table
from envs.animation.authored.meshes import mallet
from envs.animation.authored.upright_grasp import UprightGrasp, wrist_task
from envs.animation.grasping.grip import wrap
from envs.animation.kinematics.minimum_jerk import phase
from envs.animation.kinematics.posed_scene import build_posed_scene, put_object
from envs.animation.kinematics.posture import relaxed, stand
from envs.animation.kinematics.to_clip import clip_from_postures, provenance
from envs.animation.planner.phases import PhaseTimes, carry_along
from envs.scenes.objects.material import MATERIALS


@dataclass(frozen=True)
class Hammer:
    """Where the mallet lies, and how it strikes.

    Args:
        mallet: where the grip of its handle lies (x, y), metres; the head is to the left.
        mass_kg: its mass.
        raised: where the grip is between strikes (x, y), metres, and how high above the table (z).
        struck: where the grip is at a strike, likewise.
        raised_deg: how far ahead the handle leans then.
        struck_deg: how far it leans at a strike; at 90 it is level.
        hold: how the hand lies on it.
        up: frame at which the mallet is raised first.
        strikes: frames of the strikes.
        beats: when each phase begins; `there` is where it is raised again.
    """

    mallet: tuple[float, float] = (0.16, 0.30)
    mass_kg: float = 0.22
    raised: tuple[float, float, float] = (0.16, 0.20, 0.24)
    struck: tuple[float, float, float] = (0.16, 0.24, 0.09)
    raised_deg: float = 0.0
    struck_deg: float = 60.0
    hold: UprightGrasp = UprightGrasp(yaw_deg=0.0, pitch_deg=10.0, above_m=0.0)
    up: int = 98
    strikes: tuple[int, int] = (120, 146)
    beats: PhaseTimes = PhaseTimes(there=166, frames=172)


def hammer(plan: Hammer = Hammer()) -> Clip:
    """A kinematic hammering with the right hand. Raises `ClipError` where the mallet is out of reach."""
    mesh = mallet()
    table, thing = Table(), ObjectSpec("mesh", (), plan.mass_kg, MATERIALS["wood"].friction, mesh)
    stage = build_posed_scene(SceneSpec(table, thing))
    lying = quat_exp(np.array([0.0, -np.pi / 2, 0.0]))  # the handle's upper end to the left
    at = np.array([*plan.mallet, table.size[2] + mesh.vertices[:, 0].max()])
    standing = put_object(stage, stand(stage, relaxed(stage)), at, tuple(lying))
    place = wrist_task(
        stage, standing, "right", plan.hold, radius_m=float(mesh.vertices[mesh.vertices[:, 2] < 0, 0].max())
    )
    frame, (first, second) = np.arange(plan.beats.frames), plan.strikes
    middle = (first + second) // 2
    rising = phase(frame, plan.beats.move, plan.up)
    down = phase(frame, plan.up, first) - phase(frame, first, middle)
    down += phase(frame, middle, second) - phase(frame, second, plan.beats.there)
    top = np.array([0.0, 0.0, table.size[2]])
    raised, struck = top + plan.raised, top + plan.struck
    objects = np.tile(standing[stage.object], (plan.beats.frames, 1))
    objects[:, :3] += rising[:, None] * (raised - objects[0, :3]) + down[:, None] * (struck - raised)
    lean = np.radians(rising * plan.raised_deg + down * (plan.struck_deg - plan.raised_deg))
    upright = quat_exp((1 - rising)[:, None] * [0.0, -np.pi / 2, 0.0])
    objects[:, 3:] = quat_mul(quat_exp(-lean[:, None] * [1.0, 0.0, 0.0]), upright)
    qpos, contact = carry_along(stage, standing, (wrap(stage, standing, place),), objects, plan.beats)
    return clip_from_postures(stage, "hammer", qpos, contact, frontal(azimuth_deg=-45.0), provenance("hammer", plan))
