"""Hand paths: to an object, beside it after a release, and back to where the hand hung."""

from dataclasses import replace

import numpy as np

from devi_jax.core.rotations import matrix_to_quat, quat_conj, quat_mul, quat_to_matrix, slerp
from envs.animation.grasping.grip import HandGrasp
from envs.animation.kinematics.minimum_jerk import phase, through
from envs.animation.kinematics.posed_scene import PosedScene, kinematics
from envs.animation.kinematics.posture import mirror


def reach_path(
    stage: PosedScene, standing: np.ndarray, grip: HandGrasp, frames: np.ndarray, times: tuple[int, int, int, int]
) -> np.ndarray:
    """Path (T, 3) of a grip's point: from where it hangs, up and over the table's edge, beside the object, onto it.

    `times`: the frames of these four places.
    """
    return through(frames, times, stations(stage, standing, grip))


def leave_path(grip: HandGrasp, turn: np.ndarray, frames: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Displacement (T, 3) of a hand that has let go, from its place to beside the object and towards the body.

    `turn` (3, 3): how the object has turned since it was gripped.
    """
    beside = aside(grip, turn @ grip.wrist.rotation)
    middle = start + 0.6 * (stop - start)
    return through(frames, (start, middle, stop), np.array([np.zeros(3), beside, 1.2 * beside + _AWAY_M]))


def home_path(
    stage: PosedScene, standing: np.ndarray, turned: HandGrasp, frames: np.ndarray, gone: int, home: int
) -> np.ndarray:
    """Displacement (T, 3) of a hand that has let go, back to where it hung: the way of `reach_path` backwards.

    `turned`: the grip where the object was let go (see `moved`); from frame `gone` to frame `home`.
    """
    times = [0.0, *(share * (home - gone) for share in _BACK), float(home - gone)]
    return through(home - frames, times, stations(stage, standing, turned)) - turned.wrist.position


def unshaping(frames: np.ndarray, gone: int, home: int) -> np.ndarray:
    """How much (T,) of its turn and shape a hand still has that goes back so: all of it until it is beside."""
    return phase(home - frames, 0.0, _BACK[1] * (home - gone))


def turn_path(stage: PosedScene, standing: np.ndarray, grip: HandGrasp, progress: np.ndarray) -> np.ndarray:
    """Rotations (T, 3, 3) of the wrist from standing to the grip, `progress` (T,) from 0 to 1."""
    start = np.array(kinematics(stage, standing).body(f"{grip.side}_wrist").xquat)
    return quat_to_matrix(slerp(start, matrix_to_quat(grip.wrist.rotation), progress))


def moved(grip: HandGrasp, start: np.ndarray, now: np.ndarray) -> HandGrasp:
    """The grip of an object that went from the pose `start` (7,) to `now` (7,)."""
    turn = quat_to_matrix(quat_mul(now[3:], quat_conj(start[3:])))
    place = grip.wrist
    position = now[:3] + turn @ (place.position - start[:3])
    return replace(grip, wrist=replace(place, position=position, rotation=turn @ place.rotation))


def stations(stage: PosedScene, standing: np.ndarray, grip: HandGrasp) -> np.ndarray:
    """Where (4, 3) a grip's point hangs, is over the table's edge, beside the object, and on it."""
    place = grip.wrist
    sign = mirror(grip.side)
    wrist = kinematics(stage, standing).body(place.body)
    start = wrist.xpos + wrist.xmat.reshape(3, 3) @ place.point
    beside = place.position + aside(grip, place.rotation)
    over = (1 - _OVER) * start + _OVER * beside + [sign * _SWING_M, 0.0, 0.0]
    over[2] = beside[2] + _OVER_M
    if sign * over[0] < _TRUNK_M:
        over[1:] = max(over[1], _TRUNK_M), over[2] + _FINGERS_M
    return np.array([start, over, beside, place.position])


def aside(grip: HandGrasp, rotation: np.ndarray) -> np.ndarray:
    """From a hand on the object to one beside it (3,), the wrist turned as `rotation` (3, 3)."""
    return _OUTWARD_M * rotation[:, 2] - mirror(grip.side) * _SHORT_M * rotation[:, 0] + [0.0, 0.0, _ABOVE_M]


# beside the object: away from the palm, short of the fingers, above; over the edge: how far along, sideways, above
_OUTWARD_M, _SHORT_M, _ABOVE_M = 0.07, 0.03, 0.02
_OVER, _SWING_M, _OVER_M = np.array([0.5, 0.4, 0.0]), 0.03, 0.03
_BACK = (0.47, 0.79)  # of the way back, seen from its end: over the edge, beside the object
_FINGERS_M = 0.08  # that hang lower, the farther the way to the edge
_TRUNK_M = 0.22  # what is less to the side passes before the trunk
_AWAY_M = np.array([0.02, -0.05, 0.06])
