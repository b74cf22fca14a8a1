"""Frames in which something was not seen, filled from those in which it was."""

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.intervals import true_runs


def fill_rotations(quats: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Quaternions (T, ..., 4) with the frames that are not `valid` (T,) replaced.

    Between two valid frames along the shortest arc, before the first and after the last by holding it. At least one
    frame has to be valid.
    """
    low, high, fraction = _neighbours(valid)
    fraction = np.broadcast_to(fraction.reshape(-1, *[1] * (quats.ndim - 2)), quats.shape[:-1])
    filled = rot.slerp(quats[low], quats[high], fraction)
    return np.where(valid.reshape(-1, *[1] * (quats.ndim - 1)), quats, filled)


def fill_positions(values: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Values (T, ...) with the frames that are not `valid` (T,) replaced, linearly; see `fill_rotations`."""
    low, high, fraction = _neighbours(valid)
    fraction = fraction.reshape(-1, *[1] * (values.ndim - 1))
    return values[low] * (1 - fraction) + values[high] * fraction


def longest_gap(valid: np.ndarray) -> int:
    """The number of frames in the longest run that is not `valid` (T,)."""
    return max(map(len, true_runs(~valid)), default=0)


def _neighbours(valid: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Last valid frame at or before each frame, first at or after, and how far between the two, (T,) each."""
    known, every = np.flatnonzero(valid), np.arange(len(valid))
    low = known[np.maximum(np.searchsorted(known, every, side="right") - 1, 0)]
    high = known[np.minimum(np.searchsorted(known, every, side="left"), len(known) - 1)]
    return low, high, (every - low) / np.where(high > low, high - low, 1)
