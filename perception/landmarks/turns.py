"""Rotations between directions and between point sets, and signals smoothed over gaps."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from devi_jax.core import rotations as rot
from perception.human.interpolate import fill_positions


def rotation_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Smallest rotation (..., 4) wxyz from directions a to b (..., 3); about any normal where they are opposite."""
    a = a / np.linalg.norm(a, axis=-1, keepdims=True)
    b = b / np.linalg.norm(b, axis=-1, keepdims=True)
    w = 1 + (a * b).sum(-1, keepdims=True)
    across = np.where(np.abs(a[..., :1]) < 0.9, np.cross(a, [1.0, 0, 0]), np.cross(a, [0, 1.0, 0]))
    q = np.where(w > 1e-9, np.concatenate([w, np.cross(a, b)], -1), np.concatenate([0 * w, across], -1))
    return q / np.linalg.norm(q, axis=-1, keepdims=True)


def fit_rotation(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The rotation (T, 4) that takes points (N, 3) about their middle best onto (T, N, 3) about theirs (Kabsch)."""
    a = source - source.mean(axis=0)
    b = target - target.mean(axis=1, keepdims=True)
    u, _, vt = np.linalg.svd(np.einsum("tni,nj->tij", b, a))
    flip = np.ones((len(target), 3))
    flip[:, 2] = np.linalg.det(u @ vt)
    return rot.matrix_to_quat((u * flip[:, None]) @ vt)


def smooth_over_gaps(values: np.ndarray, seen: np.ndarray, sigma: float) -> np.ndarray:
    """Values (T, ...) with unseen frames bridged and a Gaussian of `sigma` frames over all."""
    bridged = fill_positions(values, seen)
    return gaussian_filter1d(bridged, sigma, axis=0, mode="nearest") if sigma > 0 else bridged
