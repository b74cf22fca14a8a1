"""What the object's poses say of contact that speeds in the picture do not: in the air it is held, and at rest let go.

A camera that drifts makes things at rest seem to move; a hand that is misplaced for a moment ends a hold in mid-air.
"""

import numpy as np

from devi_jax.core.intervals import true_runs

UP_M = 0.02
"""An object this far above its first place is in the air."""
AIR_S = 0.5
"""A hold that is interrupted in the air for no longer goes on."""
LET_GO_S = 0.5
"""An object that has rested for so long at its last place, no higher than its first, is held by nobody any more."""
STILL_M = 0.004
"""An object at rest stays this near to its place."""
GRAVITY = 9.81


def by_object_poses(held: np.ndarray, positions: np.ndarray, found: np.ndarray, fps: float) -> np.ndarray:
    """Holds (T, S) bool, closed in the air, ended at rest, and none that begin there.

    Args:
        held: frames in which each of S hands holds the object, (T, S) bool.
        positions: of the object, (T, 3), metres, z up.
        found: frames (T,) bool in which these are known.
        fps: frames a second.
    """
    out = np.array(held, bool)
    if not found.any():
        return out
    for side in range(out.shape[1]):
        runs = true_runs(out[:, side])
        for before, after in zip(runs[:-1], runs[1:], strict=True):
            if _in_a_hand(positions, found, int(before[-1]), int(after[0]), fps):
                out[before[-1] : after[0], side] = True
    rests = _rests_from(positions, found)
    if positions[np.flatnonzero(found)[-1], 2] > positions[found.argmax(), 2] + UP_M:
        return out  # on something higher, or held still in the air: from here nobody can tell
    for side in range(out.shape[1]):
        for run in true_runs(out[:, side]):
            if run[0] >= rests:
                out[run, side] = False
    out[rests + round(LET_GO_S * fps) :] = False
    return out


def _in_a_hand(positions: np.ndarray, found: np.ndarray, last: int, first: int, fps: float) -> bool:
    """Whether an object is in the air from frame `last` to `first`, and does not fly: it sags less than half as far
    below the straight line between them as in free fall, g t^2 / 8."""
    seconds = (first - last) / fps
    if seconds > AIR_S or not (found[last] and found[first]):
        return False
    between = np.arange(last, first + 1)
    known = between[found[between]]
    height = positions[known, 2]
    chord = np.interp(known, [last, first], positions[[last, first], 2])
    up = height.min() > positions[found.argmax(), 2] + UP_M
    middle = np.abs(known - (last + first) / 2).argmin()
    return bool(up and abs(height[middle] - chord[middle]) < GRAVITY * seconds**2 / 16 + STILL_M)


def _rests_from(positions: np.ndarray, found: np.ndarray) -> int:
    """The frame from which on the object stays at its last place; the last frame where it never does."""
    last = positions[np.flatnonzero(found)[-1]]
    away = found & (np.linalg.norm(positions - last, axis=1) > STILL_M)
    return int(np.flatnonzero(away)[-1]) + 1 if away.any() else len(found)
