"""`lift_can`: idle, reach over the table's edge, shape the hand, close it around the can, lift, hold."""

from dataclasses import asdict, dataclass

import mujoco
import numpy as np

from devi_jax.core.camera import frontal
from devi_jax.core.clip import Clip
from devi_jax.core.rotations import matrix_to_quat, quat_to_matrix, slerp
from devi_jax.core.scene import ObjectSpec, SceneSpec, Table
from devi_jax.core.skeleton import SIDES
from envs.choreography.grasp import handshake, in_palm
from envs.choreography.gripping import Grip, find_grip, hand_shape
from envs.choreography.ik import Place, solve
from envs.choreography.posture import footing, mobility, relaxed, stand, stay
from envs.choreography.record import record
from envs.choreography.stage import Stage, build_stage, kinematics, pose
from envs.choreography.timing import phase, through


@dataclass(frozen=True)
class LiftCan:
    """Where the can stands, how the hand comes, and when (frames at 30 Hz) each phase begins.

    `can` (x, y) metres. `yaw_deg`, `pitch_deg`: the hand's direction, see `handshake`. `along_m`, `across_m`,
    `palm_gap_m`: where in the palm the can comes to lie; `above_m`: how far above the can's centre the hand holds it.
    """

    can: tuple[float, float] = (0.12, 0.33)
    yaw_deg: float = 25.0
    pitch_deg: float = -15.0
    along_m: float = 0.100
    across_m: float = 0.008
    palm_gap_m: float = 0.004
    above_m: float = 0.02
    lift_m: float = 0.2
    go: int = 8
    over_edge: int = 24
    beside: int = 35
    arrive: int = 42
    closed: int = 56
    raise_: int = 64
    top: int = 92
    frames: int = 110
    seed: int = 0


def lift_can(plan: LiftCan = LiftCan()) -> Clip:
    """A kinematic reach-grasp-lift of a can with the right hand (scene: DeVI A.1)."""
    thing = ObjectSpec("can")
    stage = build_stage(SceneSpec(Table(), thing))
    standing = stand(stage, relaxed(stage))
    can = np.array([*plan.can, Table().size[2] + thing.size[1] / 2])
    standing[stage.object_qpos : stage.object_qpos + 3] = can
    point = in_palm(stage, "right", plan.along_m, plan.across_m, thing.size[0] + plan.palm_gap_m)
    rotation = handshake("right", plan.yaw_deg, plan.pitch_deg)
    held = Place("right_wrist", can + [0, 0, plan.above_m], rotation, point)
    grip = find_grip(stage, standing, held, plan.seed)

    frame = np.arange(plan.frames)
    lifted = phase(frame, plan.raise_, plan.top)[:, None] * [0.0, -0.02, plan.lift_m]
    hand = _approach(stage, standing, grip, plan, frame) + lifted
    turned = _turn(stage, standing, grip, phase(frame, plan.go, plan.beside))
    shaping, closing = phase(frame, plan.go + 4, plan.beside), phase(frame, plan.arrive, plan.closed)
    looking = phase(frame, plan.go - 4, plan.over_edge) - 0.4 * phase(frame, plan.raise_, plan.top)

    qpos = np.tile(standing, (plan.frames, 1))
    still, free = (*footing(stage, standing), stay(stage, standing, "left_wrist")), mobility(stage, SIDES)
    for t in frame:
        prefer = pose(stage, _look_down(looking[t]) | hand_shape(grip, shaping[t], closing[t]), standing)
        prefer[stage.object_qpos : stage.object_qpos + 3] = can + lifted[t]
        qpos[t] = solve(stage, (*still, Place("right_wrist", hand[t], turned[t], grip.point)), prefer, free).qpos
    contact = np.stack([np.zeros(plan.frames), frame >= plan.closed], axis=1).astype(float)
    provenance = {"generator": "envs.choreography.lift.lift_can", "plan": asdict(plan), "mujoco": mujoco.__version__}
    return record(stage, "lift_can", qpos, contact, frontal(azimuth_deg=-45.0), provenance)


def _approach(stage: Stage, standing: np.ndarray, grip: Grip, plan: LiftCan, frame: np.ndarray) -> np.ndarray:
    """Path (T, 3) of the grip's point: up beside the body, over the table's edge, beside the object, onto it."""
    data = kinematics(stage, standing)
    wrist = data.body(f"{grip.side}_wrist")
    start = wrist.xpos + wrist.xmat.reshape(3, 3) @ grip.point
    beside = grip.target + 0.07 * grip.rotation[:, 2] - 0.03 * grip.rotation[:, 0] + [0, 0, 0.02]
    over = np.array([0.5 * start[0] + 0.5 * beside[0] + 0.03, 0.6 * start[1] + 0.4 * beside[1], beside[2] + 0.03])
    times = (plan.go, plan.over_edge, plan.beside, plan.arrive)
    return through(frame, times, np.array([start, over, beside, grip.target]))


def _turn(stage: Stage, standing: np.ndarray, grip: Grip, progress: np.ndarray) -> np.ndarray:
    """Rotations (T, 3, 3) of the wrist from standing to the grip."""
    start = np.array(kinematics(stage, standing).body(f"{grip.side}_wrist").xquat)
    return quat_to_matrix(slerp(start, matrix_to_quat(grip.rotation), progress))


def _look_down(amount: float) -> dict[str, np.ndarray]:
    """Neck and head bent towards the hands."""
    return {"neck": np.array([-0.2 * amount, 0.0, 0.0]), "head": np.array([-0.3 * amount, 0.0, 0.0])}
