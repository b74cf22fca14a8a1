"""A few numbers that a planner may turn for each hand, and what each of them does to the 51 joints.

Fifty joints are too many to search; where the palm is and how far the fingers bend decides whether a grasp holds.
"""

from dataclasses import dataclass

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.skeleton import FINGERS, INDEX, SIDES

WRIST_M, WRIST_RAD, FINGER_RAD, LEG_RAD = 0.014, 0.1, 0.18, 0.08
"""How far one unit of each kind of number goes: a sampler's standard deviation."""

_CHAIN = {"spine3": 0.3, "shoulder": 1.0, "elbow": 1.0, "wrist": 1.0}
_TURN = 0.3  # metres a radian: how much a turn of the palm weighs against its displacement
_DAMPING = 1e-4
_BALANCE = {"hip": (0, 1, 2), "knee": (0,), "ankle": (0, 1)}


@dataclass(frozen=True)
class TaskSpace:
    """D numbers a frame: `basis` (T, D, 51, 3) rotation vectors of the joints (all but the pelvis), radians a unit."""

    names: tuple[str, ...]
    basis: np.ndarray


def task_space(position: np.ndarray, rotation: np.ndarray, contact: np.ndarray, legs: bool = False) -> TaskSpace:
    """Numbers for each hand that ever touches: palm displacement (3) and turn (3), grip, four fingers, thumb (3 + 1).

    `position` (T, 52, 3) and `rotation` (T, 52, 4) of the reference in the world, `contact` (T, 2). `legs` adds hips,
    knees, ankles and the lowest spine joint, with which a body on its own feet keeps its balance.
    """
    names: list[str] = []
    parts: list[np.ndarray] = []
    for s, side in enumerate(SIDES):
        if contact[:, s].max() > 0.5:
            for name, turns in (*_palm(position, rotation, side), *_fingers(len(position), side)):
                names.append(f"{side}_{name}")
                parts.append(turns)
    if legs:
        for name, turns in _legs(len(position)):
            names.append(name)
            parts.append(turns)
    basis = np.stack(parts, axis=1) if parts else np.zeros((len(position), 0, 52, 3))
    return TaskSpace(tuple(names), basis[:, :, 1:])


def _palm(position: np.ndarray, rotation: np.ndarray, side: str) -> list[tuple[str, np.ndarray]]:
    """Six numbers through the damped pseudo-inverse of the palm's Jacobian, world axes."""
    joints = [INDEX[n if n == "spine3" else f"{side}_{n}"] for n in _CHAIN]
    weight = np.repeat(list(_CHAIN.values()), 3)
    palm = position[:, INDEX[f"{side}_middle1"]]
    # a ball joint's own axes, seen from the world, are the columns of its rotation
    axes = rot.quat_to_matrix(rotation[:, joints])
    moves = np.cross(np.swapaxes(axes, -1, -2), (palm[:, None] - position[:, joints])[:, :, None])
    linear = np.moveaxis(moves.reshape(len(position), -1, 3), -1, 1)
    angular = np.moveaxis(np.swapaxes(axes, -1, -2).reshape(len(position), -1, 3), -1, 1)
    jacobian = np.concatenate([linear, _TURN * angular], axis=1) * weight
    gram = jacobian @ np.swapaxes(jacobian, 1, 2) + _DAMPING * np.eye(6)
    inverse = weight[:, None] * np.swapaxes(jacobian, 1, 2) @ np.linalg.inv(gram)
    inverse = inverse * np.array([WRIST_M] * 3 + [_TURN * WRIST_RAD] * 3)
    out = []
    for k, name in enumerate(("x", "y", "z", "turn_x", "turn_y", "turn_z")):
        turns = np.zeros((len(position), 52, 3))
        turns[:, joints] = inverse[:, :, k].reshape(len(position), -1, 3)
        out.append((f"palm_{name}", turns))
    return out


def _fingers(frames: int, side: str) -> list[tuple[str, np.ndarray]]:
    """All four fingers together and each alone, the thumb's root about three axes and its other two joints as one."""
    sign = -1.0 if side == "left" else 1.0
    whole = [f"{side}_{finger}{k}" for finger in FINGERS[:4] for k in (1, 2, 3)]
    out = [("grip", _turn(frames, whole, [0, sign, 0]))]
    for finger in FINGERS[:4]:
        out.append((finger, _turn(frames, [f"{side}_{finger}{k}" for k in (1, 2, 3)], [0, sign, 0])))
    for k, axis in enumerate(np.eye(3)):
        out.append((f"thumb_{'xyz'[k]}", _turn(frames, [f"{side}_thumb1"], axis)))
    # the thumb's last two joints bend towards the little finger: across the palm, about its normal
    out.append(("thumb_flexion", _turn(frames, [f"{side}_thumb2", f"{side}_thumb3"], [0.5, 0.5 * sign, -0.7 * sign])))
    return out


def _legs(frames: int) -> list[tuple[str, np.ndarray]]:
    out = []
    for name, axes in (*((f"{s}_{j}", a) for s in SIDES for j, a in _BALANCE.items()), ("spine1", (0, 1, 2))):
        for k in axes:
            out.append((f"{name}_{'xyz'[k]}", LEG_RAD / FINGER_RAD * _turn(frames, [name], np.eye(3)[k])))
    return out


def _turn(frames: int, joints: list[str], axis) -> np.ndarray:
    turns = np.zeros((frames, 52, 3))
    turns[:, [INDEX[j] for j in joints]] = FINGER_RAD * np.asarray(axis, float)
    return turns
