"""How long movements take: unhurried human speeds, minimum-jerk profiles."""

import numpy as np

from envs.animation.grasping.grip import HandGrasp
from envs.animation.grasping.hand_paths import stations
from envs.animation.kinematics.posed_scene import PosedScene
from envs.animation.planner.phases import PhaseTimes

_FPS = 30.0
_SPEED_M_S, _TURN_RAD_S, _LEAST_S = 0.4, 1.3, 0.6
_IDLE, _CLOSE, _SETTLE = 8, 14, 6  # frames


def frames_for(distance_m: float, turn_rad: float = 0.0) -> int:
    """Frames that a movement over a distance and through an angle takes."""
    return round(_FPS * max(_LEAST_S, distance_m / _SPEED_M_S, turn_rad / _TURN_RAD_S))


def reach_phases(stage: PosedScene, standing: np.ndarray, grips: tuple[HandGrasp, ...], go: int = _IDLE) -> PhaseTimes:
    """Phase times up to the frame at which the object can move, for hands that start at frame `go`."""
    lengths = [np.linalg.norm(np.diff(stations(stage, standing, grip), axis=0), axis=1) for grip in grips]
    over, beside, onto = (frames_for(length) for length in np.max(lengths, axis=0))
    over_edge = go + max(10, over - 4)
    beside_at = over_edge + max(9, beside - 8)
    arrive = beside_at + max(7, onto - 11)
    closed = arrive + _CLOSE
    return PhaseTimes(go, over_edge, beside_at, arrive, closed, closed + _SETTLE)
