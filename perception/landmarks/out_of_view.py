"""Where a hand is before it comes into view, and after: before its person, above what things stand on, out of view.

Nothing of it is seen; what counts is that the way from there is free: an arm that hangs beside a table comes through.
"""

import numpy as np

from devi_jax.core.camera import Camera, project

BACK_M = tuple(float(x) for x in np.arange(0.05, 0.5, 0.05))
"""So far towards the shoulder from where it is first or last seen, as little as brings it out of the picture."""
BEFORE_SHOULDER_M = 0.15
"""It stays so far before the shoulder, ..."""
ABOVE_M = 0.1
"""... and so far above the support."""

EDGE_PART = 0.03
"""A hand whose wrist is so near to the picture's edge, over its shorter side, is cut off: its network invents the rest.
"""
COME_S = 0.4
"""So long a hand that comes into view, or leaves it, may be cut off."""


def cut_off(wrist: np.ndarray, size_px: tuple[int, int], fps: float) -> np.ndarray:
    """Frames (T,) bool of a hand that comes into the picture or leaves it, in which the picture's edge cuts it off.

    Args:
        wrist: its pixels (T, 2), NaN where it is not seen.
    """
    seen = np.isfinite(wrist).all(axis=1)
    none = np.zeros(len(wrist), bool)
    if not seen.any():
        return none
    near = EDGE_PART * min(size_px)
    cut = seen & ((wrist < near) | (wrist > np.array(size_px) - near)).any(axis=1)
    t, shown, out = np.arange(len(wrist)), np.flatnonzero(seen), none.copy()
    for since in (t - shown[0], shown[-1] - t):
        at_end = seen & (since >= 0) & (since <= COME_S * fps)
        if (cut & at_end).any():
            out |= at_end & (since <= since[cut & at_end].max())
    return out if (seen & ~out).any() else none


def resting_place(
    wrist: np.ndarray, shoulder: np.ndarray, camera: Camera, support_m: float | None = None
) -> np.ndarray:
    """Where a wrist (3,) rests that is first or last seen there; world, metres.

    Args:
        shoulder: of the same arm (3,).
        support_m: the height of what things stand on.
    """
    level = (shoulder - wrist) * [1.0, 1.0, 0.0]
    reach = float(np.linalg.norm(level))
    way = level / max(reach, 1e-9)
    place = wrist
    for back in BACK_M:
        place = wrist + min(back, max(0.0, reach - BEFORE_SHOULDER_M)) * way
        if support_m is not None:
            place = np.array([place[0], place[1], max(place[2], support_m + ABOVE_M)])
        px, depth = project(place[None], camera.K, camera.T_camera_world)
        if depth[0] <= 0 or not ((px[0] >= 0) & (px[0] < (camera.width, camera.height))).all():
            break
    return place


def with_rests(
    wrists: np.ndarray, seen: np.ndarray, shoulder: np.ndarray, camera: Camera, frames: float, support_m: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Wrists (T, 3) that come from their resting place within so many `frames`, and go back; and where that is (T,).

    Args:
        seen: frames (T,) in which the hand is in view; in between, wrists stay as they are.
    """
    out, shown = wrists.copy(), np.flatnonzero(seen)
    first, last, t = int(shown[0]), int(shown[-1]), np.arange(len(wrists))
    unseen = (t < first) | (t > last)
    for at, gone in ((first, first - t), (last, t - last)):
        part = np.clip(gone / max(frames, 1.0), 0.0, 1.0)[:, None]
        part = part**2 * (3 - 2 * part)
        rest = resting_place(wrists[at], shoulder, camera, support_m)
        out = np.where((gone > 0)[:, None], (1 - part) * wrists[at] + part * rest, out)
    return out, unseen
