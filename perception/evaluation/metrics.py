"""How well a video was understood, where the truth is known: the columns of DeVI's Table 2, and what they leave out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from devi_jax.core import rotations as rot
from devi_jax.core.clip import ObjectPoses
from devi_jax.core.skeleton import BODY19, HAND32

PRECISION_M = (0.1, 0.025)
"""Thresholds of contact precision in Table 2."""


@dataclass(frozen=True)
class JointError:
    """Mean distance over frames of the 19 body joints, of the 32 hand joints, and of all 51 (Eq. 4)."""

    body: float
    hand: float
    all: float


@dataclass(frozen=True)
class Closeness:
    """Hand and object in frames of contact: mean distance (d_HOI), metres, and by threshold the part that is nearer."""

    d_hoi_m: float
    precision: tuple[float, ...]
    frames: int


@dataclass(frozen=True)
class TrackError:
    """Distance of tracked points to the true ones, pixels: median and 95th percentile."""

    median_px: float
    p95_px: float


@dataclass(frozen=True)
class PoseError:
    """Object poses against the true ones while it moves: medians and 95th percentiles, metres and degrees."""

    median_m: float
    p95_m: float
    median_deg: float
    p95_deg: float


@dataclass(frozen=True)
class ContactScore:
    """Contact labels of both hands by frame: F1 of "touches", and how many frames late the first contact is.

    The onset is NaN where one of the two never touches; F1 is 1 where nothing touches and nothing is said to.
    """

    f1: float
    onset_frames: float


def mpjpe(joints: np.ndarray, reference: np.ndarray, weight: np.ndarray | None = None) -> JointError:
    """Mean per-joint error of joints (T, 52, D) in their unit: pixels (D = 2) or metres (D = 3).

    Table 2 measures pixels against the estimators' own 2D joints; against the truth is the stricter number. `weight`
    (T, 52) counts joints in frames, for 2D references that are not seen everywhere.
    """
    gap = np.linalg.norm(joints - reference, axis=-1)
    weight = np.ones(gap.shape) if weight is None else weight
    every = (*BODY19, *HAND32)
    return JointError(*(_mean(gap[:, list(which)], weight[:, list(which)]) for which in (BODY19, HAND32, every)))


def joint_error(joints: np.ndarray, reference: np.ndarray, which: Sequence[int], frames: slice = slice(None)) -> float:
    """Mean distance of some joints (T, 52, D) in some frames: wrists at contact, the upper body."""
    return float(np.linalg.norm(joints - reference, axis=-1)[frames][:, list(which)].mean())


def reach_m(parts: np.ndarray, surface: np.ndarray, positions: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """One-sided chamfer distance from parts of a hand to the object (Eq. 14), (T,) metres.

    Args:
        parts: A points of the hand in the world (T, A, 3).
        surface: points of the object in its own frame (P, 3).
        positions, rotations: the object's poses (T, 3) and (T, 4), wxyz.
    """
    local = rot.rotate_inverse(np.broadcast_to(rotations[:, None], (*parts.shape[:2], 4)), parts - positions[:, None])
    return KDTree(surface).query(local)[0].mean(axis=1)


def closeness(distance: np.ndarray, contact: np.ndarray, thresholds_m: Sequence[float] = PRECISION_M) -> Closeness:
    """d_HOI and contact precision (5.3) from one hand's distances (T,) and true contact (T,); NaN without contact."""
    held = distance[contact > 0.5]
    if len(held) == 0:
        return Closeness(float("nan"), tuple(float("nan") for _ in thresholds_m), 0)
    return Closeness(float(held.mean()), tuple(float((held <= limit).mean()) for limit in thresholds_m), len(held))


def track_error(px: np.ndarray, true_px: np.ndarray, counted: np.ndarray) -> TrackError:
    """Errors of tracks (T, M, 2) where `counted` (T, M) says so; NaN where it nowhere does."""
    gap = np.linalg.norm(px - true_px, axis=-1)[counted]
    if len(gap) == 0:
        return TrackError(float("nan"), float("nan"))
    return TrackError(float(np.median(gap)), float(np.percentile(gap, 95)))


def pose_error(poses: ObjectPoses, truth: ObjectPoses, frames: slice) -> PoseError:
    """Errors of an object's poses in some frames, of which there is at least one."""
    away = np.linalg.norm(poses.positions - truth.positions, axis=-1)[frames]
    turned = np.degrees(rot.angle_between(poses.rotations.astype(float), truth.rotations.astype(float)))[frames]
    return PoseError(*(float(np.percentile(x, q)) for x in (away, turned) for q in (50, 95)))


def contact_score(labels: np.ndarray, truth: np.ndarray) -> ContactScore:
    """Labels (T, 2) against true ones (T, 2), left and right together."""
    said, true = labels > 0.5, truth > 0.5
    errors = int((said != true).sum())
    both = int((said & true).sum())
    f1 = 1.0 if both + errors == 0 else 2 * both / (2 * both + errors)
    first = [np.flatnonzero(x.any(axis=1)) for x in (said, true)]
    late = float(first[0][0] - first[1][0]) if all(len(x) for x in first) else float("nan")
    return ContactScore(f1, late)


def _mean(gap: np.ndarray, weight: np.ndarray) -> float:
    total = weight.sum()
    return float((gap * weight).sum() / total) if total > 0 else float("nan")
