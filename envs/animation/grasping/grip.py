"""One hand on an object: wrist pose and three hand shapes, found once; the hand then blends between the shapes.

Two kinds: `wrap` closes fingers and thumb around a thing, `press` lays a flat hand on a face.
"""

from dataclasses import dataclass

import numpy as np

from devi_jax.core.rotations import quat_log
from envs.animation.grasping.close_fingers import TOUCH_M, close_fingers, relaxed_fingers
from envs.animation.grasping.thumb import OPEN_M, oppose_thumb, place_thumb, thumb_joints
from envs.animation.kinematics.ik import FrameTask, solve_or_raise
from envs.animation.kinematics.posed_scene import PosedScene, pose
from envs.animation.kinematics.posture import mobility, stance_tasks

_PRESHAPE = 0.35
"""How far the fingers are closed when the hand arrives, as a fraction of the grasp."""


@dataclass(frozen=True)
class HandGrasp:
    """One hand's grasp of an object (a `SelectedGrasp` has one or two; a `Handle` is where an object can be taken).

    `wrist`: where the wrist is then; `relaxed`, `ready`, `closed`: rotation vectors of the hand's fifteen joints.
    """

    wrist: FrameTask
    relaxed: dict[str, np.ndarray]
    ready: dict[str, np.ndarray]
    closed: dict[str, np.ndarray]

    @property
    def side(self) -> str:
        """`left` or `right`."""
        return side_of(self.wrist)


def wrap(
    stage: PosedScene,
    standing: np.ndarray,
    place: FrameTask,
    held: tuple[np.ndarray, np.ndarray] | None = None,
    solid: tuple[str, ...] = ("object",),
) -> HandGrasp:
    """Close the fingers around the object and oppose the thumb, the body standing as in `standing` (nq,).

    `held`: centre (3,) and frame (3, 3) of the part in the hand, see `oppose_thumb`; `solid`: see `close_fingers`.
    Raises `ClipError` where the hand cannot reach its place.
    """
    return wrap_reached(stage, _reached(stage, standing, place), place, held, solid)


def wrap_reached(
    stage: PosedScene,
    reached: np.ndarray,
    place: FrameTask,
    held: tuple[np.ndarray, np.ndarray] | None = None,
    solid: tuple[str, ...] = ("object",),
) -> HandGrasp:
    """`wrap` for a posture `reached` (nq,) whose wrist is at its place already."""
    side = side_of(place)
    closed = pose(stage, close_fingers(stage, reached, side, solid), reached)
    return _grip(stage, closed, place, oppose_thumb(stage, closed, side, held))


def press(stage: PosedScene, standing: np.ndarray, place: FrameTask) -> HandGrasp:
    """Lay the hand on a face of the object, fingertips and thumb touching it; otherwise like `wrap`."""
    return press_reached(stage, _reached(stage, standing, place), place)


def press_reached(stage: PosedScene, reached: np.ndarray, place: FrameTask) -> HandGrasp:
    """`press` for a posture `reached` (nq,) whose wrist is at its place already."""
    side = side_of(place)
    closed = pose(stage, close_fingers(stage, reached, side, ("object",)), reached)
    return _grip(stage, closed, place, place_thumb(stage, closed, side, np.zeros(5), TOUCH_M))


def side_of(place: FrameTask) -> str:
    """`left` or `right`, from the name of the placed body."""
    return place.body.split("_")[0]


def hand_shape(grip: HandGrasp, shaping: float, closing: float) -> dict[str, np.ndarray]:
    """Rotation vectors between relaxed, ready (`shaping` = 1) and closed (`closing` = 1)."""
    return {
        joint: (1 - closing) * ((1 - shaping) * grip.relaxed[joint] + shaping * grip.ready[joint])
        + closing * grip.closed[joint]
        for joint in grip.closed
    }


def _reached(stage: PosedScene, standing: np.ndarray, place: FrameTask) -> np.ndarray:
    """The posture (nq,) with the wrist at `place`."""
    free = mobility(stage, (side_of(place),))
    return solve_or_raise(stage, (*stance_tasks(stage, standing), place), standing, free, where="grip")


def _grip(stage: PosedScene, closed: np.ndarray, place: FrameTask, thumb: np.ndarray) -> HandGrasp:
    side = side_of(place)
    relaxed = relaxed_fingers(side)
    fingers = {joint: quat_log(closed[stage.quat(joint)]) for joint in relaxed}
    opened = place_thumb(stage, closed, side, thumb, OPEN_M)
    return HandGrasp(
        wrist=place,
        relaxed=relaxed | thumb_joints(stage, side, np.zeros(5)),
        ready={joint: _PRESHAPE * bend for joint, bend in fingers.items()} | thumb_joints(stage, side, opened),
        closed=fingers | thumb_joints(stage, side, thumb),
    )
