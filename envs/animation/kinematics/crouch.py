"""Bending to the floor: knees ahead, hips back, trunk down, the soles where they are."""

import numpy as np

from devi_jax.core.rotations import quat_exp, quat_mul
from devi_jax.core.skeleton import SIDES
from envs.animation.kinematics.posed_scene import PosedScene, kinematics


def crouched(stage: PosedScene, standing: np.ndarray, amount: float) -> np.ndarray:
    """The posture `standing` (nq,) bent by `amount`, 0 to 1: thighs ahead, shanks back, feet flat on their place."""
    if amount <= 0.0:
        return standing
    thigh, shank, lean = amount * _THIGH, amount * _SHANK, amount * _LEAN
    out = np.array(standing)
    _turn(stage, out, "pelvis", -lean)
    for side in SIDES:
        for joint, angle in (("hip", thigh + lean), ("knee", -shank - thigh), ("ankle", shank)):
            _turn(stage, out, f"{side}_{joint}", angle)
        _turn(stage, out, f"{side}_shoulder", amount * _ARMS)
    for joint in ("spine1", "spine2", "spine3"):
        _turn(stage, out, joint, -amount * _CURVED)
    before, after = kinematics(stage, standing), kinematics(stage, out)
    feet = [stage.model.body(f"{side}_ankle").id for side in SIDES]
    out[stage.root] += (before.xpos[feet] - after.xpos[feet]).mean(axis=0)
    return out


def bending(height_m: np.ndarray | float) -> np.ndarray | float:
    """How far (...) one crouches for hands at a height (...) over the floor, metres."""
    return np.clip((_UPRIGHT_M - np.asarray(height_m)) / _DEPTH_M, 0.0, 1.0)


def _turn(stage: PosedScene, qpos: np.ndarray, joint: str, angle: float) -> None:
    """Turn a joint about the axis from left to right, in place."""
    place = stage.quat(joint)
    qpos[place] = quat_mul(quat_exp(np.array([angle, 0.0, 0.0])), qpos[place])


_THIGH, _SHANK, _LEAN, _CURVED, _ARMS = 1.25, 0.5, 0.75, 0.15, 0.9  # radians at the deepest
_UPRIGHT_M, _DEPTH_M = 0.80, 0.70
