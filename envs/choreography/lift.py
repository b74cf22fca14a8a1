"""`lift_can`: idle, reach over the table's edge, shape the hand, close it around the can, lift, hold."""

from dataclasses import asdict, dataclass

import mujoco
import numpy as np

from devi_jax.core.camera import frontal
from devi_jax.core.clip import Clip
from devi_jax.core.scene import ObjectSpec, SceneSpec, Table
from envs.choreography.grasp import handshake, in_palm
from envs.choreography.gripping import find_grip, hand_shape
from envs.choreography.ik import Place
from envs.choreography.perform import HandTrack, perform, reach_path, turn_path
from envs.choreography.posture import relaxed, stand
from envs.choreography.record import record
from envs.choreography.stage import build_stage, put_object
from envs.choreography.timing import phase


@dataclass(frozen=True)
class LiftCan:
    """Where the can stands, how the hand comes, and at which frame (30 Hz) each phase begins.

    Args:
        can: the can's centre (x, y), metres.
        lift_m: how high it is lifted.
        yaw_deg: how far the fingers point inwards.
        pitch_deg: how far they point up.
        along_m: where along the hand the can lies in the palm, from the wrist.
        across_m: where across the palm, from the middle finger towards the thumb.
        palm_gap_m: distance of the palm from the can.
        above_m: how far above the can's centre the hand holds it.
        go: the hand starts to move.
        over_edge: it is above the table's edge.
        beside: it is beside the can, shaped for it.
        arrive: the palm is at the can, the fingers start to close.
        closed: the fingers touch.
        up: the can leaves the table.
        top: it is lifted.
        frames: the clip ends.
    """

    can: tuple[float, float] = (0.12, 0.33)
    lift_m: float = 0.2
    yaw_deg: float = 25.0
    pitch_deg: float = -15.0
    along_m: float = 0.090
    across_m: float = 0.008
    palm_gap_m: float = 0.003
    above_m: float = 0.015
    go: int = 8
    over_edge: int = 24
    beside: int = 35
    arrive: int = 42
    closed: int = 56
    up: int = 64
    top: int = 92
    frames: int = 110


def lift_can(plan: LiftCan = LiftCan()) -> Clip:
    """A kinematic reach-grasp-lift of a can with the right hand, in the scene of DeVI A.1."""
    table, thing = Table(), ObjectSpec("can")
    stage = build_stage(SceneSpec(table, thing))
    can = np.array([*plan.can, table.size[2] + thing.size[1] / 2])
    standing = put_object(stage, stand(stage, relaxed(stage)), can)
    held = Place(
        "right_wrist",
        position=can + [0.0, 0.0, plan.above_m],
        rotation=handshake("right", plan.yaw_deg, plan.pitch_deg),
        point=in_palm(stage, "right", plan.along_m, plan.across_m, thing.size[0] + plan.palm_gap_m),
    )
    grip = find_grip(stage, standing, held)

    frame = np.arange(plan.frames)
    shaping, closing = phase(frame, plan.go, plan.beside), phase(frame, plan.arrive, plan.closed)
    lifting = phase(frame, plan.up, plan.top)
    moved = lifting[:, None] * [0.0, -0.1 * plan.lift_m, plan.lift_m]  # a lift by the arm curves towards the body
    right = HandTrack(
        side="right",
        point=grip.point,
        positions=reach_path(stage, standing, grip, frame, (plan.go, plan.over_edge, plan.beside, plan.arrive)) + moved,
        rotations=turn_path(stage, standing, grip, shaping),
        fingers=[hand_shape(grip, s, c) for s, c in zip(shaping, closing, strict=True)],
    )
    objects = np.tile(standing[stage.object], (plan.frames, 1))
    objects[:, :3] += moved
    gaze = phase(frame, plan.go - 4, plan.over_edge) - 0.4 * lifting
    qpos = perform(stage, standing, (right,), objects, gaze)
    contact = np.stack([np.zeros(plan.frames), frame >= plan.closed], axis=1).astype(float)
    provenance = {"generator": "envs.choreography.lift.lift_can", "plan": asdict(plan), "mujoco": mujoco.__version__}
    return record(stage, "lift_can", qpos, contact, frontal(azimuth_deg=-45.0), provenance)
