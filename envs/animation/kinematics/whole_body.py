"""Whole-body postures for hands that move: feet stay, the body keeps its balance, an idle hand stays where it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from devi_jax.core.skeleton import SIDES
from envs.animation.kinematics.crouch import bending, crouched
from envs.animation.kinematics.ik import FrameTask, solve_or_raise
from envs.animation.kinematics.posed_scene import PosedScene, pose
from envs.animation.kinematics.posture import keep_body, mobility, stance_tasks, trunk_dofs


@dataclass(frozen=True)
class HandTrack:
    """One hand over T frames: `point` (3,) of the wrist's frame goes through `positions` (T, 3), metres, the wrist
    turned as `rotations` (T, 3, 3); `fingers`: T times the rotation vectors of its joints."""

    side: str
    point: np.ndarray
    positions: np.ndarray
    rotations: np.ndarray
    fingers: Sequence[dict[str, np.ndarray]]


def whole_body_postures(
    stage: PosedScene,
    standing: np.ndarray,
    hands: Sequence[HandTrack],
    objects: np.ndarray,
    gaze: np.ndarray,
    upright: np.ndarray,
    bent: bool = False,
) -> np.ndarray:
    """Postures (T, nq) nearest to `standing` (nq,) in which the hands follow their tracks.

    `objects` (T, 7): the object's pose; `gaze` (T,): how far the head is bent towards the hands, 0 to 1; `upright`
    (T,): how much the trunk leaves reaching to the arms, 0 to 1; `bent`: one crouches to reach down, and an idle arm
    goes with the trunk. Raises `ClipError` naming the first frame in which a hand cannot follow.
    """
    busy = {hand.side for hand in hands}
    idle = [] if bent else [keep_body(stage, standing, f"{side}_wrist") for side in SIDES if side not in busy]
    still, free = (*stance_tasks(stage, standing), *idle), mobility(stage, SIDES)
    trunk = trunk_dofs(stage)
    qpos = np.zeros((len(objects), len(standing)))
    previous = standing
    for t in range(len(objects)):
        lowest = min(hand.positions[t][2] for hand in hands)
        rest = crouched(stage, standing, float(bending(lowest))) if bent else standing
        prefer = pose(stage, _look_down(gaze[t]), rest)
        prefer[stage.object] = objects[t]
        for hand in hands:
            prefer = pose(stage, hand.fingers[t], prefer)
        reach = [FrameTask(f"{h.side}_wrist", h.positions[t], h.rotations[t], h.point) for h in hands]
        ready = np.where(trunk, (1 - _UPRIGHT * upright[t]) * free, free)
        qpos[t] = previous = solve_or_raise(stage, (*still, *reach), prefer, ready, f"frame {t}", start=previous)
    return qpos


_UPRIGHT = 0.97  # share of the trunk's mobility that an upright posture gives up


def _look_down(amount: float) -> dict[str, np.ndarray]:
    return {"neck": np.array([-0.2 * amount, 0.0, 0.0]), "head": np.array([-0.3 * amount, 0.0, 0.0])}
