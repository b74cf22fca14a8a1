"""How far along a movement is: minimum-jerk phases, the profile of natural reaching (Flash and Hogan 1985)."""

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import make_interp_spline

_AT_REST = [(1, 0.0), (2, 0.0)]  # velocity and acceleration vanish


def minimum_jerk(fraction: np.ndarray) -> np.ndarray:
    """Progress 0..1 (...) of a movement at `fraction` (...) of its duration, at rest before 0 and after 1."""
    s = np.clip(fraction, 0.0, 1.0)
    return s**3 * (10 - 15 * s + 6 * s**2)


def phase(frames: np.ndarray, start: float, stop: float) -> np.ndarray:
    """Minimum-jerk progress (...) at `frames` (...) of a movement from frame `start` to `stop`."""
    return minimum_jerk((np.asarray(frames, float) - start) / (stop - start))


def through(frames: np.ndarray, times: Sequence[float], points: np.ndarray) -> np.ndarray:
    """Positions (T, n) at `frames` (T,) of the minimum-jerk path through `points` (k, n) at frames `times` (k,).

    At rest at and beyond both ends. The least integrated squared jerk through via points is the quintic spline.
    """
    rest = [(order, np.zeros(np.shape(points)[1:])) for order, _ in _AT_REST]
    spline = make_interp_spline(times, points, k=5, bc_type=(rest, rest))
    return spline(np.clip(frames, times[0], times[-1]))
