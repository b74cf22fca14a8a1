"""Unbroken runs of frames in which something holds."""

import numpy as np


def true_runs(mask: np.ndarray) -> list[np.ndarray]:
    """Indices of each unbroken run of True in `mask` (T,), in order; none is empty."""
    frames = np.flatnonzero(mask)
    return [run for run in np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1) if len(run)]
