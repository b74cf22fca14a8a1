"""A hand around an object: where the wrist goes, and how far each finger closes before it touches.

Fingers close all knuckles together; a phalanx that touches stops the knuckles before it and the rest goes on.
"""

import numpy as np
from scipy.spatial.transform import Rotation

from devi_jax.core.skeleton import FINGERS
from envs.animation.kinematics.posed_scene import PosedScene, distance, kinematics, pose
from envs.animation.kinematics.posture import CURL, mirror

TOUCH_M = 0.001
"""A finger stops closing at this distance from the object."""

FULL_FLEXION = np.array([1.5, 1.7, 1.2])
"""Largest flexion of the three knuckles, radians."""

_STEP = 0.02  # radians
_LEVER_M = 0.15  # no point of a finger moves farther than this for a radian of its first knuckle
_RATES = np.array([1.0, 0.5, 0.3])  # knuckles close together, the first one most: the finger wraps
_HOOKED = np.array([0.35, 1.0, 0.7])  # the last one most: over a table the finger curls before it comes down


def handshake(side: str, yaw_deg: float, pitch_deg: float) -> np.ndarray:
    """Wrist rotation (3, 3) with the fingers pointing ahead (+y), palm inwards and thumb up.

    `yaw_deg` turns the fingers inwards, `pitch_deg` (negative) lets them point down.
    """
    s = mirror(side)
    ahead = np.array([[0.0, 0.0, s], [s, 0.0, 0.0], [0.0, 1.0, 0.0]])  # columns: images of x, y, z of the T-pose hand
    turn = Rotation.from_euler("z", s * yaw_deg, degrees=True) * Rotation.from_euler("x", pitch_deg, degrees=True)
    return turn.as_matrix() @ ahead


def from_above(side: str, yaw_deg: float) -> np.ndarray:
    """Wrist rotation (3, 3) with the palm down and the fingers pointing ahead, turned inwards by `yaw_deg`."""
    return Rotation.from_euler("z", mirror(side) * (yaw_deg + 90.0), degrees=True).as_matrix()


def in_palm(stage: PosedScene, side: str, along_m: float, across_m: float, from_palm_m: float) -> np.ndarray:
    """A point (3,) in the wrist's frame: along the fingers, across towards the thumb, and in front of the palm."""
    palm = stage.model.geom(f"{side}_wrist")
    return np.array([mirror(side) * along_m, across_m, palm.pos[2] - palm.size[2] - from_palm_m])


def close_fingers(
    stage: PosedScene, qpos: np.ndarray, side: str, solid: tuple[str, ...] = ("object",)
) -> dict[str, np.ndarray]:
    """Rotation vectors of the twelve finger joints that close the hand at `qpos` (nq,) around the object.

    Fingers stop at everything that is `solid`: the object, and other geoms by name.
    """
    joints: dict[str, np.ndarray] = {}
    styles = (_RATES,) if solid == ("object",) else (_RATES, _HOOKED)
    for finger in FINGERS[:-1]:
        ends = [_close_finger(stage, qpos, f"{side}_{finger}", solid, rates) for rates in styles]
        misses = [_missed(stage, qpos, f"{side}_{finger}", flexion) for flexion in ends] if len(ends) > 1 else [0.0]
        joints |= flexed(side, finger, ends[int(np.argmin(misses))])
    return joints


def _close_finger(
    stage: PosedScene, qpos: np.ndarray, finger: str, solid: tuple[str, ...], rates: np.ndarray
) -> np.ndarray:
    """Flexion (3,) of a finger that closes until nothing of it can go on."""
    flexion = np.zeros(3)
    free = 0
    while free < 3:
        flexion, touching = _close_until_touch(stage, qpos, finger, flexion, free, solid, rates)
        free = touching + 1
    return flexion


def _missed(stage: PosedScene, qpos: np.ndarray, finger: str, flexion: np.ndarray) -> float:
    """How far the two last phalanges are from touching the object, overlap counted tenfold, metres."""
    side, name = finger.split("_")
    data = kinematics(stage, pose(stage, flexed(side, name, flexion), qpos))
    gap = min(distance(stage, data, f"{finger}{k}", "object") for k in (2, 3))
    return max(gap, -10 * gap)


def flexed(side: str, finger: str, flexion: np.ndarray) -> dict[str, np.ndarray]:
    """Rotation vectors of a finger's three joints bent by `flexion` (3,) radians towards the palm."""
    return {f"{side}_{finger}{k + 1}": np.array([0.0, mirror(side) * flexion[k], 0.0]) for k in range(3)}


def relaxed_fingers(side: str) -> dict[str, np.ndarray]:
    """Rotation vectors of the twelve finger joints of a relaxed hand."""
    return {k: v for f in FINGERS[:-1] for k, v in flexed(side, f, np.full(3, CURL[f])).items()}


def _close_until_touch(
    stage: PosedScene,
    qpos: np.ndarray,
    finger: str,
    flexion: np.ndarray,
    free: int,
    solid: tuple[str, ...],
    rates: np.ndarray,
) -> tuple[np.ndarray, int]:
    """Close knuckles `free`.. together: the flexion (3,) at the first touch and the phalanx (0..2) that touches."""
    rates = np.where(np.arange(3) >= free, rates, 0.0)
    side, name = finger.split("_")

    def gaps(amount: float) -> np.ndarray:
        bent = np.minimum(flexion + amount * rates, FULL_FLEXION)
        data = kinematics(stage, pose(stage, flexed(side, name, bent), qpos))
        bones = [f"{finger}{k + 1}" for k in range(free, 3)]
        return np.array([min(distance(stage, data, bone, other) for other in solid) for bone in bones])

    amount = 0.0
    while gaps(amount).min() < 0.0 and (flexion + amount * rates < FULL_FLEXION)[free:].any():
        amount += _STEP  # straight, it would be in what it has to stay out of
    while gaps(amount + _STEP).min() > TOUCH_M and (flexion + amount * rates < FULL_FLEXION)[free:].any():
        amount += max(_STEP, (gaps(amount + _STEP).min() - TOUCH_M) / _LEVER_M)
    low, high = amount, amount + _STEP
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if gaps(middle).min() > TOUCH_M else (low, middle)
    return np.minimum(flexion + low * rates, FULL_FLEXION), free + int(np.argmin(gaps(low)))
