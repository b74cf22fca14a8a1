"""Costs of a grasp in one unit: effort of the posture, overlap, and how loosely the hand holds."""

from collections.abc import Sequence
from typing import Literal

import mujoco
import numpy as np

from devi_jax.core.skeleton import FINGERS
from envs.animation.grasping.graspable_parts import unit
from envs.animation.grasping.grip import HandGrasp
from envs.animation.kinematics.posed_scene import PosedScene, kinematics, pose

OVERLAP_COST_PER_M = 300.0
"""A millimetre of overlap costs as much as a third of a radian."""


def effort_cost(stage: PosedScene, rest: np.ndarray, qpos: np.ndarray, mobility: np.ndarray) -> float:
    """Weighted sum of squared turns from the posture `rest` (nq,) to `qpos` (nq,), each over its `mobility` (nv,)."""
    turned = np.zeros(stage.model.nv)
    mujoco.mj_differentiatePos(stage.model, turned, 1.0, rest, qpos)
    moved = mobility > 0
    return float(_EFFORT * (turned[moved] ** 2 / mobility[moved]).sum())


def closed_hand_cost(
    stage: PosedScene, qpos: np.ndarray, grip: HandGrasp, kind: Literal["wrap", "press"], solid: Sequence[str]
) -> float:
    """Overlap of the closed hand with the geoms `solid`, and looseness if it wraps; `qpos` (nq,): wrist in place."""
    closed = kinematics(stage, pose(stage, grip.closed, qpos))
    overlap = 3 * OVERLAP_COST_PER_M * depth(stage, closed, hand_geoms(grip.side), solid)
    return overlap + (looseness(stage, closed, grip.side) if kind == "wrap" else 0.0)


def hand_geoms(side: str) -> list[str]:
    """Names of the geoms of a hand: the palm, then all phalanges."""
    return [f"{side}_wrist", *(f"{side}_{finger}{k}" for finger in FINGERS for k in (1, 2, 3))]


def looseness(stage: PosedScene, data: mujoco.MjData, side: str) -> float:
    """0 for a hold from two opposite sides by all fingers; grows with what is missing."""
    fingers = [touch(stage, data, f"{side}_{finger}{k}") for finger in FINGERS[:-1] for k in (2, 3)]
    thumb = [touch(stage, data, f"{side}_thumb{k}") for k in (2, 3)]
    palm = touch(stage, data, f"{side}_wrist")
    there = [way for gap, way in fingers if gap < _TOUCHING_M]
    against = [way for gap, way in thumb if gap < _TOUCHING_M]
    against += [palm[1]] if palm[0] < 2 * _TOUCHING_M else []
    if not there or not against:
        return 8.0
    opposed = -float(np.mean(there, axis=0) @ unit(np.sum(against, axis=0) + 1e-9))
    return 3.0 * (1 - opposed) + 0.4 * (8 - len(there)) + (0.0 if thumb[1][0] < _TOUCHING_M else 1.0)


def touch(stage: PosedScene, data: mujoco.MjData, geom: str) -> tuple[float, np.ndarray]:
    """Distance in metres of a geom from the object, and the unit vector (3,) from it into the object."""
    best, way = np.inf, np.zeros(3)
    ends = np.zeros(6)
    for other in stage.object_geoms:
        gap = mujoco.mj_geomDistance(stage.model, data, stage.model.geom(geom).id, other, 0.2, ends)
        if gap < best:
            best, way = gap, (ends[3:] - ends[:3]) / (gap if abs(gap) > 1e-9 else 1.0)
    return best, way


def depth(stage: PosedScene, data: mujoco.MjData, geoms: Sequence[str], others: Sequence[str]) -> float:
    """How deep the worst of the geoms is in the others, metres."""
    model, ends = stage.model, np.zeros(6)
    ids = [g for other in others for g in (stage.object_geoms if other == "object" else (model.geom(other).id,))]
    worst = min(mujoco.mj_geomDistance(model, data, model.geom(a).id, b, 0.05, ends) for a in geoms for b in ids)
    return max(0.0, -worst)


_EFFORT = 0.25
_TOUCHING_M = 0.003
