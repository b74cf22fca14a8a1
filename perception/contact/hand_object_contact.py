"""When and by which hands the object is touched, from 2D alone: what visual HOI alignment has to know beforehand."""

from collections.abc import Sequence

import numpy as np

from devi_jax.core.skeleton import HAND_BODIES, SIDES, TIPS
from perception.contact.contact_labels import REFERENCE_DIAGONAL_PX, ContactConfig, contact_labels
from perception.contracts import PointTracks
from perception.generate.parse_prompt import Side
from perception.human.evidence import Landmarks2D, ReachTarget
from perception.human.interpolate import fill_positions
from perception.human.skeleton_points import N_JOINTS

MOVED_PX = 2.0
"""An object whose visible points are this far from where they began has moved; in a picture of 1024 x 576."""

LASTING = 3
"""Frames that it has to stay away: one misplaced frame is no motion."""

BESIDE_PX = 40.0
"""A hand that holds an object stays this near to its place beside it, in a picture of 1024 x 576."""

FAR_PX = 1e6
"""Where a hand is that is nowhere seen: nearer to nothing than the other."""


def find_reach_target(
    points: PointTracks,
    hands: Landmarks2D,
    surface: np.ndarray,
    who: Sequence[Side],
    config: ContactConfig | None = None,
) -> ReachTarget | None:
    """What hands reach for, or None where the object never moves.

    Args:
        points: the object's.
        hands: their 2D points; frames in which a hand is not seen are bridged.
        surface: the object before it moves, (P, 3), world metres.
        who: the hands that the prompt names; without any, those that Algorithm 1 finds.
        config: Algorithm 1's, which tells the first contact.
    """
    moves = first_motion(points)
    labels = hand_labels(points, hands, config)
    held = [side for side in (0, 1) if labels[:, side].any()]
    sides = [SIDES.index(side) for side in who] or held
    if moves is None or not sides:
        return None
    start = np.flatnonzero(labels[:, sides].any(axis=1))
    onset = int(start[0]) if len(start) and start[0] <= moves else None
    return ReachTarget(surface, sides, moves, onset)


def first_motion(points: PointTracks) -> int | None:
    """The frame from which the object's visible points are away from where they began; None if they never are."""
    limit = MOVED_PX * float(np.hypot(*points.size_px)) / REFERENCE_DIAGONAL_PX
    gap = np.linalg.norm(points.xy - points.xy[0], axis=-1)
    away = np.array([np.median(g[v]) > limit if v.any() else False for g, v in zip(gap, points.visible, strict=True)])
    for t in np.flatnonzero(away):
        if away[t : t + LASTING].all():
            return int(t)
    return None


def hand_labels(points: PointTracks, hands: Landmarks2D, config: ContactConfig | None = None) -> np.ndarray:
    """Algorithm 1's labels (T, 2) from the hands' own 2D points; a hand that is nowhere seen touches nothing."""
    paths = [_path(hands, side) for side in (0, 1)]
    count = min((path.shape[1] for path in paths if path is not None), default=0)
    if not count:
        return np.zeros((points.frames, 2))
    nowhere = np.full((points.frames, count, 2), FAR_PX)
    px = np.stack([nowhere if path is None else path[:, :count] for path in paths], axis=1)
    diagonal = float(np.hypot(*points.size_px))
    labels = contact_labels(points.xy, points.visible, px, diagonal, points.fps, config)
    return labels * [path is not None for path in paths]


def held_frames(labels: np.ndarray, points: PointTracks, hands: Landmarks2D, who: Sequence[int]) -> np.ndarray:
    """Frames (T, 2) bool in which the hands `who` hold the object.

    Those of the labels (T, 2), and those after a hand's first in which another hand holds it while this one stays where
    it was beside it: two hands of one hold let go together, though one may seem to move.
    """
    near = BESIDE_PX * float(np.hypot(*points.size_px)) / REFERENCE_DIAGONAL_PX
    held = np.zeros(labels.shape, bool)
    for side in who:
        own, path = labels[:, side] > 0.5, _path(hands, side)
        if not own.any() or path is None:
            continue
        beside = path.mean(axis=1) - np.median(points.xy, axis=1)
        stays = np.linalg.norm(beside - np.median(beside[own], axis=0), axis=-1) <= near
        after = np.arange(len(own)) >= np.flatnonzero(own)[0]
        held[:, side] = own | ((labels.max(axis=1) > 0.5) & stays & after)
    return held


def _path(hands: Landmarks2D, side: int) -> np.ndarray | None:
    """Pixels (T, J, 2) of one hand's points, bridged where it is not seen; None if it is nowhere."""
    tips = len(TIPS) // 2
    own = {*HAND_BODIES[side], *range(N_JOINTS + side * tips, N_JOINTS + (side + 1) * tips)}
    columns = [k for k, point in enumerate(hands.points) if point in own]
    seen = np.asarray((hands.confidence[:, columns] > 0).any(axis=1))
    return fill_positions(hands.px[:, columns], seen) if seen.any() else None
