"""Where a hand is before the camera and how it is turned, from its pixels: a palm is stiff, and its size is known.

The network's own third dimension is too flat: it tells which of two mirrored readings is meant, and how fingers bend.
"""

import cv2
import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.clip import forward_kinematics
from devi_jax.core.skeleton import INDEX, JOINTS
from perception.contracts.hand import HAND21
from perception.contracts.keypoints import Keypoints
from perception.human.merge_body_and_hands import ray_rotation
from perception.human.resolve_hand_flip import mirror_image, smoothest
from perception.landmarks.turns import fit_rotation

KNUCKLES = ("index1", "middle1", "ring1", "pinky1")
"""With the wrist they are a palm."""
PALM_POINTS = [HAND21.index(name) for name in ("wrist", *KNUCKLES)]
WRIST_PART = 0.68
"""The network's wrist is nearer to its knuckles than the skeleton's by this factor: with it, rendered hands are as far
away as they are."""
PIXELS, TURN_RAD, STEP_RAD = 0.05, 0.8, 0.4
"""Standard deviations: of the palm's pixels, in its size; of the network's turn; of what a hand turns in a frame."""
NEAREST_M, FURTHEST_M = 0.1, 10.0


def hand_in_camera(hand: Keypoints, K: np.ndarray, offsets: np.ndarray, side: str) -> np.ndarray:
    """The 21 points (T, 21, 3) in the camera's frame, metres; NaN where the hand is not seen.

    The skeleton's palm is fitted to the palm's pixels (perspective-n-point), from the network's reading and from its
    mirror image; of the two, those are taken that fit, are near the network's, and follow from each other (Viterbi).
    Fingers are the network's, turned along with the palm.

    Args:
        K: the camera's intrinsics (3, 3).
        offsets: the skeleton's joints in their parents' frames (52, 3), metres.
    """
    out = np.full((hand.frames, len(HAND21), 3), np.nan)
    seen = np.flatnonzero(hand.seen)
    if hand.xyz is None or not len(seen):
        return out
    palm = palm_at_rest(offsets, side)
    px = np.ascontiguousarray(hand.xy[seen][:, PALM_POINTS], float)
    turn = np.broadcast_to(ray_rotation(hand.xy[seen].mean(axis=1), K)[:, None], (len(seen), len(HAND21), 4))
    local = rot.rotate(turn, hand.xyz[seen])
    read = fit_rotation(palm, local[:, PALM_POINTS])
    ray = np.concatenate([(px.mean(axis=1) - K[:2, 2]) / K[[0, 1], [0, 1]], np.ones((len(seen), 1))], axis=1)
    shapes = np.stack([local, _mirrored(local, ray)])
    readings = np.stack([read, mirror_image(read, ray)])
    fits = [[_fit(palm, p, K, q) for p, q in zip(px, way, strict=True)] for way in readings]
    turns = np.array([[fit[0] for fit in way] for way in fits])
    places = np.array([[fit[1] for fit in way] for way in fits])
    cost = np.array([[fit[2] for fit in way] for way in fits]) ** 2 / PIXELS**2
    cost += rot.angle_between(turns, np.broadcast_to(read, turns.shape)) ** 2 / TURN_RAD**2
    chosen, every = smoothest(turns, cost, STEP_RAD), np.arange(len(seen))
    place, shape = places[chosen, every], shapes[chosen, every]
    middle = shape[:, PALM_POINTS[1:]].mean(axis=1, keepdims=True)
    size = np.linalg.norm(shape[:, PALM_POINTS] - middle, axis=-1).sum(axis=1)
    scale = np.linalg.norm(palm, axis=-1).sum() / np.maximum(size, 1e-6)
    along = rot.quat_mul(turns[chosen, every], rot.quat_conj(readings[chosen, every]))[:, None]
    points = rot.rotate(np.broadcast_to(along, (*shape.shape[:2], 4)), (shape - middle) * scale[:, None, None])
    turned = np.broadcast_to(turns[chosen, every][:, None], (len(seen), len(palm), 4))
    points[:, PALM_POINTS] = rot.rotate(turned, np.broadcast_to(palm, (len(seen), *palm.shape)))
    good = np.isfinite(cost[chosen, every]) & (place[:, 2] > NEAREST_M) & (place[:, 2] < FURTHEST_M)
    out[seen] = np.where(good[:, None, None], points + place[:, None], np.nan)
    return out


def palm_at_rest(offsets: np.ndarray, side: str) -> np.ndarray:
    """Wrist and knuckles (5, 3) in the T-pose about the middle of the knuckles, the wrist where the network has it."""
    upright = np.tile([1.0, 0, 0, 0], (1, len(JOINTS), 1))
    rest = forward_kinematics(upright, np.zeros((1, 3)), offsets)[0]
    knuckles = rest[[INDEX[f"{side}_{name}"] for name in KNUCKLES]]
    middle = knuckles.mean(axis=0)
    return np.vstack([WRIST_PART * (rest[INDEX[f"{side}_wrist"]] - middle), knuckles - middle])


def _mirrored(points: np.ndarray, ray: np.ndarray) -> np.ndarray:
    """Points (T, N, 3) mirrored in the plane across their rays (T, 3)."""
    way = (ray / np.linalg.norm(ray, axis=-1, keepdims=True))[:, None]
    return points - 2 * (points * way).sum(axis=-1, keepdims=True) * way


def _fit(palm: np.ndarray, px: np.ndarray, K: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Turn (4,), place (3,) and the error over the palm's size of a palm (5, 3) laid over pixels (5, 2)."""
    size = float(np.linalg.norm(px - px.mean(axis=0), axis=-1).mean())
    depth = K[0, 0] * float(np.linalg.norm(palm, axis=-1).mean()) / max(size, 1.0)
    at = depth * np.linalg.solve(K, [*px[1:].mean(axis=0), 1.0])
    rotvec = cv2.Rodrigues(rot.quat_to_matrix(start))[0]
    ok, rotvec, shift = cv2.solvePnP(
        palm, px, K, np.zeros(4), rotvec, at[:, None], useExtrinsicGuess=True, flags=cv2.SOLVEPNP_ITERATIVE
    )
    if not ok or not np.isfinite(shift).all():
        return start, at, np.inf
    shown, _ = cv2.projectPoints(palm, rotvec, shift, K, np.zeros(4))
    error = float(np.sqrt(((shown[:, 0] - px) ** 2).sum(axis=-1).mean()))
    return rot.matrix_to_quat(cv2.Rodrigues(rotvec)[0]), shift[:, 0], error / max(size, 1.0)
