"""Where a hand is before the camera and how it is turned, from its pixels: its bones are known.

The network's own third dimension is too flat: it and its mirror image are two places to begin.
"""

import cv2
import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.clip import forward_kinematics
from devi_jax.core.intervals import true_runs
from devi_jax.core.skeleton import INDEX, JOINTS
from perception.contracts.hand import HAND21
from perception.contracts.keypoints import Keypoints
from perception.human.merge_body_and_hands import ray_rotation
from perception.human.one_thread import one_thread
from perception.human.resolve_hand_flip import mirror_image, smoothest
from perception.landmarks.hand_fit import THICK_M, fit_hands, hand_bones
from perception.landmarks.network_palm import KNUCKLES, PALM_POINTS, network_shifts
from perception.landmarks.turns import fit_rotation

STEP_RAD = 0.4
"""Standard deviation of what a hand turns in a frame."""
NEAREST_FACTOR = 0.7
"""To be above the ground a hand is brought nearer by this factor at most."""
NEAR_GROUND_M = 0.04
"""A hand whose lowest joint is not higher above the ground is held by it: there its distance is known best."""
WORST = 400.0
"""A hand that costs more is no hand: its points are ten deviations off, which is half its size. Rendered ones cost 130
at most."""
NEAREST_M, FURTHEST_M = 0.1, 10.0


def hand_in_camera(
    hand: Keypoints,
    K: np.ndarray,
    offsets: np.ndarray,
    side: str,
    ground: np.ndarray | None = None,
    held: np.ndarray | None = None,
) -> np.ndarray:
    """The skeleton's 21 points (T, 21, 3) in the camera's frame, metres; NaN where the hand is not seen.

    The skeleton's palm is fitted to the palm's pixels (perspective-n-point), from the network's reading and from its
    mirror image, and from there the whole hand to all (`fit_hands`); those are taken that fit and follow from each
    other (Viterbi). While the hand holds something its fingers stay as they are on the mean.

    Args:
        K: the camera's intrinsics (3, 3).
        offsets: the skeleton's joints in their parents' frames (52, 3), metres.
        ground: a plane (4,) in the camera's frame that hands stay above, as `fit_hands` has it.
        held: frames (T,) bool in which the hand holds something.
    """
    out = np.full((hand.frames, len(HAND21), 3), np.nan)
    seen = np.flatnonzero(hand.seen)
    if hand.xyz is None or not len(seen):
        return out
    shifts = network_shifts(offsets, side)
    palm, bones = palm_at_rest(offsets, side) + shifts[PALM_POINTS], hand_bones(offsets, side, shifts)
    px = np.ascontiguousarray(hand.xy[seen], float)
    turn = np.broadcast_to(ray_rotation(px.mean(axis=1), K)[:, None], (len(seen), len(HAND21), 4))
    local = rot.rotate(turn, hand.xyz[seen])
    read = fit_rotation(palm, local[:, PALM_POINTS])
    ray = np.concatenate([(px.mean(axis=1) - K[:2, 2]) / K[[0, 1], [0, 1]], np.ones((len(seen), 1))], axis=1)
    starts = [_start(palm, px[:, PALM_POINTS], K, way) for way in (read, mirror_image(read, ray))]
    turns = np.stack([rot.quat_to_matrix(start[0]) for start in starts])
    places = np.stack([start[1] for start in starts]) - turns @ _middle(offsets, side)
    with one_thread():
        fits = fit_hands(px, K, turns, places, bones, ground)
        quats = rot.matrix_to_quat(fits.turns)
        chosen, every = (
            smoothest(quats, np.where(np.isfinite(fits.cost), fits.cost, 1e9), STEP_RAD),
            np.arange(len(seen)),
        )
        points, turned, cost = (part[chosen, every] for part in (fits.points, fits.turns, fits.cost))
        for hold in [] if held is None else _holds(held[seen]):
            first = (chosen[hold], hold)
            own = fits.angles[first]
            if ground is not None:
                low = (points[hold] @ ground[:3] + ground[3]).min(axis=1) < NEAR_GROUND_M
                own = own[low] if low.any() else own
            like = np.broadcast_to(np.median(own, axis=0), (len(hold), own.shape[1]))
            again = fit_hands(px[hold], K, fits.turns[first][None], fits.places[first][None], bones, ground, like)
            points[hold], turned[hold], cost[hold] = again.points[0], again.turns[0], again.cost[0]
    points = placed_by_palm(points, px, K, shifts @ turned.mT)
    if ground is not None:
        points = above_ground(points, ground)
    depth = points[:, 0, 2]
    good = np.isfinite(cost) & (cost < WORST) & (depth > NEAREST_M) & (depth < FURTHEST_M)
    out[seen] = np.where(good[:, None, None], points, np.nan)
    return out


def placed_by_palm(points: np.ndarray, px: np.ndarray, K: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Hands (T, 21, 3), turned as they are, where their palms are as large as their pixels (T, 21, 2): least squares.

    Fingers tell how a hand is turned, and hardly how far it is: behind a thing the network draws them too short.

    Args:
        shifts: of the network's points from these (T, 21, 3).
    """
    palm = (points + shifts)[:, PALM_POINTS]
    middle = palm.mean(axis=1, keepdims=True)
    own, way = palm - middle, (px[:, PALM_POINTS] - K[:2, 2]) / K[[0, 1], [0, 1]]
    one, zero = np.ones(way.shape[:2]), np.zeros(way.shape[:2])
    rows = [np.stack([one, zero, -way[..., 0]], axis=-1), np.stack([zero, one, -way[..., 1]], axis=-1)]
    A, b = np.concatenate(rows, axis=1), [way[..., i] * own[..., 2] - own[..., i] for i in (0, 1)]
    at = np.linalg.solve(A.mT @ A + 1e-12 * np.eye(3), A.mT @ np.concatenate(b, axis=1)[..., None])[..., 0]
    return points - middle + at[:, None]


def above_ground(points: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """Hands (T, 21, 3) brought nearer to the camera, along their wrists' rays, until they are above the plane (4,)."""
    lowest = (points @ ground[:3] + ground[3]).min(axis=1)
    wrist = points[:, 0]
    climb = -np.minimum(wrist @ ground[:3], -1e-9)  # metres of height for the whole way to the camera
    nearer = np.clip(np.maximum(0.0, THICK_M - lowest) / climb, 0.0, 1 - NEAREST_FACTOR)
    return points - (nearer[:, None] * wrist)[:, None]


def _middle(offsets: np.ndarray, side: str) -> np.ndarray:
    """The middle of the knuckles in the wrist's frame (3,)."""
    return offsets[[INDEX[f"{side}_{name}"] for name in KNUCKLES]].mean(axis=0)


def _holds(held: np.ndarray) -> list[np.ndarray]:
    """Frames of each hold that is long enough to have a mean."""
    return [run for run in true_runs(held) if len(run) >= 3]


def palm_at_rest(offsets: np.ndarray, side: str) -> np.ndarray:
    """Wrist and knuckles (5, 3) in the T-pose about the middle of the knuckles."""
    upright = np.tile([1.0, 0, 0, 0], (1, len(JOINTS), 1))
    rest = forward_kinematics(upright, np.zeros((1, 3)), offsets)[0]
    knuckles = rest[[INDEX[f"{side}_{name}"] for name in KNUCKLES]]
    middle = knuckles.mean(axis=0)
    return np.vstack([rest[INDEX[f"{side}_wrist"]], knuckles]) - middle


def _start(palm: np.ndarray, px: np.ndarray, K: np.ndarray, read: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turns (T, 4) and places (T, 3) of a palm (5, 3) laid over pixels (T, 5, 2), from readings (T, 4)."""
    fits = [_fit(palm, p, K, q) for p, q in zip(px, read, strict=True)]
    return np.array([fit[0] for fit in fits]), np.array([fit[1] for fit in fits])


def _fit(palm: np.ndarray, px: np.ndarray, K: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn (4,) and place (3,) of a palm (5, 3) laid over pixels (5, 2); about those of the start where none fits."""
    size = float(np.linalg.norm(px - px.mean(axis=0), axis=-1).mean())
    depth = K[0, 0] * float(np.linalg.norm(palm, axis=-1).mean()) / max(size, 1.0)
    at = depth * np.linalg.solve(K, [*px[1:].mean(axis=0), 1.0])
    rotvec = cv2.Rodrigues(rot.quat_to_matrix(start))[0]
    ok, rotvec, shift = cv2.solvePnP(
        palm,
        np.ascontiguousarray(px),
        K,
        np.zeros(4),
        rotvec,
        at[:, None],
        useExtrinsicGuess=True,
        flags=cv2.SOLVEPNP_ITERATIVE,
    )
    if not ok or not np.isfinite(shift).all() or shift[2, 0] < NEAREST_M:
        return start, at
    return rot.matrix_to_quat(cv2.Rodrigues(rotvec)[0]), shift[:, 0]
