"""From detections of hands in crops, any number in a frame, to one left and one right hand in the whole picture."""

from dataclasses import dataclass

import numpy as np

from perception.contracts import HandMotion, Origin, Side
from perception.readers.shot import Shot


@dataclass(frozen=True)
class Detections:
    """D hands found in a video, not mirrored any more.

    `frame` (D,) from 0, `right` (D,) bool, `score` (D,), `centre` (D, 2) and `size` (D,) of the box in pixels; the rest
    as in `HandMotion`, a row a hand.
    """

    frame: np.ndarray
    right: np.ndarray
    score: np.ndarray
    centre: np.ndarray
    size: np.ndarray
    global_orient: np.ndarray
    hand_pose: np.ndarray
    betas: np.ndarray
    joints3d: np.ndarray
    joints2d: np.ndarray


def uncrop_translation(cam: np.ndarray, centre: np.ndarray, size: np.ndarray, K: np.ndarray) -> np.ndarray:
    """Translations (D, 3) in metres from a crop's weak-perspective cameras (D, 3: scale, x, y).

    `centre` (D, 2) and `size` (D,) are the crops' in pixels. Depth follows from the focal length of `K`: the true one
    makes it metric (HaMeR's `cam_crop_to_full`, with any principal point).
    """
    z = 2 * K[0, 0] / (size * cam[:, 0])
    offset = (centre - K[:2, 2]) / [K[0, 0], K[1, 1]]
    return np.stack([cam[:, 1] + offset[:, 0] * z, cam[:, 2] + offset[:, 1] * z, z], axis=1)


def mirror_rotvec(rotvec: np.ndarray) -> np.ndarray:
    """Rotation vectors (..., 3) seen in a mirror across the picture's vertical: S R S with S = diag(-1, 1, 1)."""
    return rotvec * np.array([1.0, -1.0, -1.0])


def hands_over_time(found: Detections, shot: Shot, K: np.ndarray, origin: Origin, where: str) -> dict[str, HandMotion]:
    """One validated hand a side; a side that is never seen is left out.

    Of several hands of a side in a frame the surest counts, and among equals the one nearest to the last seen.
    """
    shot.check_frames(found.frame, where)
    hands: dict[str, HandMotion] = {}
    for side in ("left", "right"):
        rows = _choose(found, found.right == (side == "right"), shot.frames)
        if (rows >= 0).any():
            hands[side] = _hand(found, rows, side, shot, K, origin)
            hands[side].validate(where)
    return hands


def _choose(found: Detections, mine: np.ndarray, frames: int) -> np.ndarray:
    """The row of each frame, (T,), -1 where there is none."""
    rows = np.full(frames, -1)
    last: np.ndarray | None = None
    for t in range(frames):
        here = np.flatnonzero(mine & (found.frame == t))
        if len(here):
            far = -found.size[here] if last is None else np.linalg.norm(found.centre[here] - last, axis=1)
            rows[t] = here[np.lexsort((far, -found.score[here]))[0]]
            last = found.centre[rows[t]]
    return rows


def _hand(found: Detections, rows: np.ndarray, side: Side, shot: Shot, K: np.ndarray, origin: Origin) -> HandMotion:
    valid = rows >= 0

    def spread(values: np.ndarray) -> np.ndarray:
        out = np.zeros((len(rows), *values.shape[1:]))
        out[valid] = values[rows[valid]]
        return out

    sure = np.broadcast_to(found.score[:, None, None], (*found.joints2d.shape[:2], 1))
    return HandMotion(
        fps=shot.fps,
        size_px=shot.size_px,
        origin=origin,
        side=side,
        valid=valid,
        global_orient=spread(found.global_orient),
        hand_pose=spread(found.hand_pose),
        joints2d=spread(np.concatenate([found.joints2d, sure], axis=-1)),
        joints3d=spread(found.joints3d),
        betas=np.median(found.betas[rows[valid]], axis=0),
        K_used=K,
        crop=True,
    )
