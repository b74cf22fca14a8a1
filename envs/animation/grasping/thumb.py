"""Two thumb poses for a grasp: opposed, touching the object; and open, clear of it.

A thumb pre-shaped through the object topples it before the fingers arrive, so the hand approaches with the open pose.
"""

from collections.abc import Callable

import mujoco
import numpy as np
from scipy.optimize import least_squares

from envs.animation.grasping.close_fingers import TOUCH_M
from envs.animation.kinematics.posed_scene import PosedScene, distance, kinematics, pose
from envs.animation.kinematics.posture import mirror

OPEN_M = 0.030
"""Distance of the open thumb's tip from the object."""

_NEAR_M = 0.002  # of the middle phalanx of a touching thumb
_APART_M = 0.002  # between thumb and fingers
_PER_METRE, _OVERLAP_PER_METRE, _PER_RADIAN = 200.0, 1000.0, 0.3  # weights of the residuals
_HALF_OPPOSED = np.array([-0.5, 0.3, 0.0, 0.5, 0.2])  # where the search starts: nearest to how thumbs oppose


def thumb_joints(stage: PosedScene, side: str, coordinates: np.ndarray) -> dict[str, np.ndarray]:
    """Rotation vectors of the thumb's joints from five coordinates: base (3,), flexion of the two others, radians.

    Coordinates mean the same on both sides: those of the right hand, mirrored for the left.
    """
    bone = stage.model.body(f"{side}_thumb3").pos
    axis = np.cross(bone, [0.0, -1.0, -1.0])  # flexion moves the tip towards palm and fingers
    axis /= np.linalg.norm(axis)
    return {
        f"{side}_thumb1": coordinates[:3] * [1.0, mirror(side), mirror(side)],
        f"{side}_thumb2": axis * coordinates[3],
        f"{side}_thumb3": axis * coordinates[4],
    }


def oppose_thumb(
    stage: PosedScene, qpos: np.ndarray, side: str, held: tuple[np.ndarray, np.ndarray] | None
) -> np.ndarray:
    """Coordinates (5,) of a thumb whose last phalanx touches the object opposite index and middle finger.

    `qpos` (nq,): the hand around the object with its fingers closed; `held`: centre (3,) and frame (3, 3) of the part
    in the hand, whose z axis runs along the fist; by default the object's own.
    """
    data = kinematics(stage, qpos)
    thing = data.body("object")
    centre, frame = (thing.xpos, thing.xmat.reshape(3, 3)) if held is None else held
    fingers = (np.mean([data.geom(f"{side}_{f}3").xpos for f in ("index", "middle")], axis=0) - centre) @ frame

    def residuals(coordinates: np.ndarray) -> np.ndarray:
        posed = kinematics(stage, pose(stage, thumb_joints(stage, side, coordinates), qpos))
        thumb = (posed.geom(f"{side}_thumb3").xpos - centre) @ frame
        opposition = _unit(thumb[:2]) + _unit(fingers[:2])
        level = 10 * (thumb[2] - fingers[2])
        gaps = _clearance(stage, posed, side, TOUCH_M, _NEAR_M)
        return np.concatenate([gaps, opposition, [level], _PER_RADIAN * coordinates])

    return _minimise(residuals, _HALF_OPPOSED)


def place_thumb(stage: PosedScene, qpos: np.ndarray, side: str, near: np.ndarray, tip_m: float) -> np.ndarray:
    """Coordinates (5,) nearest to `near` (5,) that hold the last phalanx `tip_m` from the object.

    The middle phalanx stays three quarters as far, at least touching.
    """

    def residuals(coordinates: np.ndarray) -> np.ndarray:
        posed = kinematics(stage, pose(stage, thumb_joints(stage, side, coordinates), qpos))
        gaps = _clearance(stage, posed, side, tip_m, max(0.75 * tip_m, TOUCH_M))
        return np.concatenate([gaps, coordinates - near])

    return _minimise(residuals, near)


def _clearance(stage: PosedScene, data: mujoco.MjData, side: str, tip_m: float, middle_m: float) -> np.ndarray:
    """Weighted residuals (6,): tip and middle phalanx at their distances, nothing overlapping object or fingers."""
    gaps = np.array([distance(stage, data, f"{side}_thumb{k}", "object") for k in (1, 2, 3)])
    near = [distance(stage, data, f"{side}_thumb3", f"{side}_{f}{k}") for f in ("index", "middle") for k in (2, 3)]
    wanted = _PER_METRE * np.array([gaps[2] - tip_m, 0.25 * (gaps[1] - middle_m)])
    overlap = _OVERLAP_PER_METRE * np.maximum(0.0, [*(TOUCH_M - gaps), _APART_M - min(near)])
    return np.concatenate([wanted, overlap])


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def _minimise(residuals: Callable[[np.ndarray], np.ndarray], start: np.ndarray) -> np.ndarray:
    return least_squares(residuals, start, diff_step=1e-4).x
