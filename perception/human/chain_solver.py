"""Least squares over a chain of frames: smoothness ties neighbours, so the system is block tridiagonal."""

import numpy as np
from scipy.linalg import solveh_banded


def right_jacobian(rotvec: np.ndarray) -> np.ndarray:
    """J (..., 3, 3) of `exp(w + d) = exp(w) exp(J d)` for small d."""
    angle = np.linalg.norm(rotvec, axis=-1)[..., None, None]
    safe = np.maximum(angle, 1e-4)
    x, y, z = np.moveaxis(rotvec, -1, 0)
    zero = np.zeros_like(x)
    k = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(*rotvec.shape, 3)
    first = np.where(angle < 1e-4, 0.5, (1 - np.cos(safe)) / safe**2)
    second = np.where(angle < 1e-4, 1 / 6, (safe - np.sin(safe)) / safe**3)
    return np.eye(3) - first * k + second * (k @ k)


def bend(x: np.ndarray) -> np.ndarray:
    """Second difference in time (T, N), the ends free."""
    steps = np.diff(x, axis=0)
    return np.diff(steps, axis=0, prepend=0 * x[:1], append=0 * x[:1])


def solve_chain(blocks: np.ndarray, smooth: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solve the block tridiagonal system of `blocks` (T, N, N) and the smoothness (N,) of neighbours."""
    frames, size = right.shape
    neighbours = np.full(frames, 2.0)
    neighbours[[0, -1]] -= 1
    full = blocks + neighbours[:, None, None] * np.diag(smooth) if frames > 1 else blocks
    banded = np.zeros((size + 1, frames * size))
    for offset in range(size):
        diagonal = np.zeros((frames, size))
        diagonal[:, : size - offset] = np.diagonal(full, -offset, 1, 2)
        banded[offset] = diagonal.reshape(-1)
    banded[size, : (frames - 1) * size] = np.tile(-smooth, frames - 1)
    return solveh_banded(banded, right.reshape(-1), lower=True).reshape(frames, size)
