"""A grip: wrist pose, closed and open hand, found once for an object; the hand then blends between its shapes."""

from dataclasses import dataclass

import numpy as np

from envs.choreography.grasp import close_fingers, relaxed_fingers
from envs.choreography.ik import Place, meet
from envs.choreography.posture import footing, mobility
from envs.choreography.stage import Stage, pose
from envs.choreography.thumb import clear_thumb, oppose_thumb, thumb_joints

_PRESHAPE = 0.35
"""How far the fingers are closed when the hand arrives, as a fraction of the grasp."""


@dataclass(frozen=True)
class Grip:
    """One hand on an object.

    `rotation` (3, 3): the wrist's in the world; `point` (3,): place in the wrist's frame that coincides with `target`
    (3,) in the world; `relaxed`, `ready` and `closed`: rotation vectors of the hand's fifteen finger joints.
    """

    side: str
    rotation: np.ndarray
    point: np.ndarray
    target: np.ndarray
    relaxed: dict[str, np.ndarray]
    ready: dict[str, np.ndarray]
    closed: dict[str, np.ndarray]


def find_grip(stage: Stage, standing: np.ndarray, place: Place) -> Grip:
    """Close the hand named by `place` (a wrist at the object) around the object, standing as in `standing` (nq,).

    Raises `ClipError` where the hand cannot reach its place.
    """
    side = place.body.split("_")[0]
    reached = meet(stage, (*footing(stage, standing), place), standing, mobility(stage, (side,)), where="grip")
    fingers = close_fingers(stage, reached, side)
    opposed = oppose_thumb(stage, pose(stage, fingers, reached), side)
    opened = clear_thumb(stage, pose(stage, fingers, reached), side, opposed)
    return Grip(
        side=side,
        rotation=place.rotation,
        point=place.point,
        target=place.position,
        relaxed=relaxed_fingers(side) | thumb_joints(stage, side, np.zeros(5)),
        ready={joint: _PRESHAPE * bend for joint, bend in fingers.items()} | thumb_joints(stage, side, opened),
        closed=fingers | thumb_joints(stage, side, opposed),
    )


def hand_shape(grip: Grip, shaping: float, closing: float) -> dict[str, np.ndarray]:
    """Rotation vectors between relaxed, ready (`shaping` = 1) and closed (`closing` = 1)."""
    return {
        joint: (1 - closing) * ((1 - shaping) * grip.relaxed[joint] + shaping * grip.ready[joint])
        + closing * grip.closed[joint]
        for joint in grip.closed
    }
