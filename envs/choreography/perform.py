"""Whole-body postures for hands that move: feet stay, the body keeps its balance, an idle hand stays where it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from devi_jax.core.rotations import matrix_to_quat, quat_to_matrix, slerp
from devi_jax.core.skeleton import SIDES
from envs.choreography.gripping import Grip
from envs.choreography.ik import Place, meet
from envs.choreography.posture import footing, mirror, mobility, stay, trunk_dofs
from envs.choreography.stage import Stage, kinematics, pose
from envs.choreography.timing import through


@dataclass(frozen=True)
class HandTrack:
    """One hand over T frames: `point` (3,) of the wrist's frame goes through `positions` (T, 3), metres, the wrist
    turned as `rotations` (T, 3, 3); `fingers`: T times the rotation vectors of its joints."""

    side: str
    point: np.ndarray
    positions: np.ndarray
    rotations: np.ndarray
    fingers: Sequence[dict[str, np.ndarray]]


def perform(
    stage: Stage,
    standing: np.ndarray,
    hands: Sequence[HandTrack],
    objects: np.ndarray,
    gaze: np.ndarray,
    upright: np.ndarray,
) -> np.ndarray:
    """Postures (T, nq) nearest to `standing` (nq,) in which the hands follow their tracks.

    `objects` (T, 7): the object's pose; `gaze` (T,): how far the head is bent towards the hands, 0 to 1; `upright`
    (T,): how much the trunk leaves reaching to the arms, 0 to 1. Raises `ClipError` naming the first frame in which a
    hand cannot follow.
    """
    busy = {hand.side for hand in hands}
    idle = [stay(stage, standing, f"{side}_wrist") for side in SIDES if side not in busy]
    still, free = (*footing(stage, standing), *idle), mobility(stage, SIDES)
    trunk = trunk_dofs(stage)
    qpos = np.zeros((len(objects), len(standing)))
    previous = standing
    for t in range(len(objects)):
        prefer = pose(stage, _look_down(gaze[t]), standing)
        prefer[stage.object] = objects[t]
        for hand in hands:
            prefer = pose(stage, hand.fingers[t], prefer)
        reach = [Place(f"{h.side}_wrist", h.positions[t], h.rotations[t], h.point) for h in hands]
        ready = np.where(trunk, (1 - _UPRIGHT * upright[t]) * free, free)
        qpos[t] = previous = meet(stage, (*still, *reach), prefer, ready, f"frame {t}", start=previous)
    return qpos


def reach_path(
    stage: Stage, standing: np.ndarray, grip: Grip, frames: np.ndarray, times: tuple[int, int, int, int]
) -> np.ndarray:
    """Path (T, 3) of a grip's point: from where it hangs, up and over the table's edge, beside the object, onto it.

    `times`: the frames of these four places.
    """
    place = grip.place
    sign = mirror(grip.side)
    wrist = kinematics(stage, standing).body(place.body)
    start = wrist.xpos + wrist.xmat.reshape(3, 3) @ place.point
    beside = place.position + _back(grip, place.rotation)
    over = (1 - _OVER) * start + _OVER * beside + [sign * _SWING_M, 0.0, 0.0]
    over[2] = beside[2] + _OVER_M
    return through(frames, times, np.array([start, over, beside, place.position]))


def leave_path(grip: Grip, turn: np.ndarray, frames: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Displacement (T, 3) of a hand that has let go, from its place to beside the object and towards the body.

    `turn` (3, 3): how the object has turned since it was gripped.
    """
    beside = _back(grip, turn @ grip.place.rotation)
    middle = start + 0.6 * (stop - start)
    return through(frames, (start, middle, stop), np.array([np.zeros(3), beside, 1.2 * beside + _AWAY_M]))


def turn_path(stage: Stage, standing: np.ndarray, grip: Grip, progress: np.ndarray) -> np.ndarray:
    """Rotations (T, 3, 3) of the wrist from standing to the grip, `progress` (T,) from 0 to 1."""
    start = np.array(kinematics(stage, standing).body(f"{grip.side}_wrist").xquat)
    return quat_to_matrix(slerp(start, matrix_to_quat(grip.place.rotation), progress))


def _back(grip: Grip, rotation: np.ndarray) -> np.ndarray:
    """From a hand on the object to one beside it (3,), the wrist turned as `rotation` (3, 3)."""
    return _OUTWARD_M * rotation[:, 2] - mirror(grip.side) * _SHORT_M * rotation[:, 0] + [0.0, 0.0, _ABOVE_M]


# beside the object: away from the palm, short of the fingers, above; over the edge: how far along, sideways, above
_OUTWARD_M, _SHORT_M, _ABOVE_M = 0.07, 0.03, 0.02
_OVER, _SWING_M, _OVER_M = np.array([0.5, 0.4, 0.0]), 0.03, 0.03

_UPRIGHT = 0.97  # share of the trunk's mobility that an upright posture gives up
_AWAY_M = np.array([0.02, -0.05, 0.06])


def _look_down(amount: float) -> dict[str, np.ndarray]:
    return {"neck": np.array([-0.2 * amount, 0.0, 0.0]), "head": np.array([-0.3 * amount, 0.0, 0.0])}
