"""Two thumb poses for a grasp: opposed, touching the object; and open, clear of it.

A thumb pre-shaped through the object topples it before the fingers arrive, so the hand approaches with the open pose.
"""

from collections.abc import Callable

import mujoco
import numpy as np
from scipy.optimize import differential_evolution

from envs.choreography.grasp import TOUCH_M
from envs.choreography.stage import Stage, distance, kinematics, pose

OPEN_M = 0.030
"""Distance of the open thumb's tip from the object."""

_NEAR_M = 0.004  # the middle phalanx of a touching thumb
_OPEN_NEAR_M = 0.022
_APART_M = 0.002  # between thumb and fingers
_LIMIT = 1.2  # radians, every coordinate


def thumb_joints(stage: Stage, side: str, coordinates: np.ndarray) -> dict[str, np.ndarray]:
    """Rotation vectors of the thumb's joints from five coordinates: base (3,), flexion of the two others, radians."""
    bone = stage.model.body(f"{side}_thumb3").pos
    axis = np.cross(bone, [0.0, -1.0, -1.0])  # flexion moves the tip towards palm and fingers
    axis /= np.linalg.norm(axis)
    return {
        f"{side}_thumb1": np.array(coordinates[:3]),
        f"{side}_thumb2": axis * coordinates[3],
        f"{side}_thumb3": axis * coordinates[4],
    }


def oppose_thumb(stage: Stage, qpos: np.ndarray, side: str, seed: int) -> np.ndarray:
    """Coordinates (5,) of a thumb whose last phalanx touches the object opposite index and middle finger.

    `qpos` (nq,): the hand around the object with its fingers closed.
    """
    data = kinematics(stage, qpos)
    centre = data.body("object").xpos
    upright = data.body("object").xmat.reshape(3, 3)[:, 2]
    fingers = np.mean([data.geom(f"{side}_{f}3").xpos for f in ("index", "middle")], axis=0) - centre

    def cost(coordinates: np.ndarray) -> float:
        posed = kinematics(stage, pose(stage, thumb_joints(stage, side, coordinates), qpos))
        thumb = posed.geom(f"{side}_thumb3").xpos - centre
        opposition = 1 + _cosine(_across(thumb, upright), _across(fingers, upright))
        level = abs((thumb - fingers) @ upright)
        gaps = _gaps(stage, posed, side)
        touch = 40 * abs(gaps[2] - TOUCH_M) + 10 * abs(gaps[1] - _NEAR_M) + 200 * np.maximum(0, TOUCH_M - gaps).sum()
        return touch + opposition + 4 * level + _crowding(stage, posed, side) + 0.15 * (coordinates**2).sum()

    return _search(cost, seed)


def clear_thumb(stage: Stage, qpos: np.ndarray, side: str, opposed: np.ndarray, seed: int) -> np.ndarray:
    """Coordinates (5,) near `opposed` (5,) that hold the thumb `OPEN_M` away from the object."""

    def cost(coordinates: np.ndarray) -> float:
        posed = kinematics(stage, pose(stage, thumb_joints(stage, side, coordinates), qpos))
        gaps = _gaps(stage, posed, side)
        apart = 40 * abs(gaps[2] - OPEN_M) + 10 * abs(gaps[1] - _OPEN_NEAR_M)
        apart += 200 * np.maximum(0, TOUCH_M - gaps).sum()
        return apart + _crowding(stage, posed, side) + 0.3 * ((coordinates - opposed) ** 2).sum()

    return _search(cost, seed)


def _gaps(stage: Stage, data: mujoco.MjData, side: str) -> np.ndarray:
    return np.array([distance(stage, data, f"{side}_thumb{k}", "object") for k in (1, 2, 3)])


def _crowding(stage: Stage, data: mujoco.MjData, side: str) -> float:
    near = [distance(stage, data, f"{side}_thumb3", f"{side}_{f}{k}") for f in ("index", "middle") for k in (2, 3)]
    return 60 * max(0.0, _APART_M - min(near))


def _across(vector: np.ndarray, axis: np.ndarray) -> np.ndarray:
    return vector - axis * (vector @ axis)


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def _search(cost: Callable[[np.ndarray], float], seed: int) -> np.ndarray:
    bounds = [(-_LIMIT, _LIMIT)] * 3 + [(-0.3, _LIMIT)] * 2
    return differential_evolution(cost, bounds, rng=seed, popsize=8, maxiter=60, tol=1e-6, polish=False).x
