"""How far away a thing is, and so how large: its axis is where the hand that is about to take it closes around it."""

from dataclasses import dataclass

import numpy as np

from perception.contracts.checks import EstimateError
from perception.contracts.hand import HAND21
from perception.landmarks.network_palm import PALM_POINTS

BEFORE_S = 0.4
"""So long before the thing leaves its place the hand is at it."""
IN_FIST_M, ACROSS_M, GAP_M = 0.1, 0.008, 0.02
"""A thing's axis is so far from the wrist towards the fingers and the thumb, its surface so far from the palm."""
WIDEST_M = 0.06
"""Around what has a larger radius a hand does not close: there the thing is between fingertips and thumb."""


@dataclass(frozen=True)
class HandAtThing:
    """Depth of the thing's foot along the optical axis, metres, and how much that differs over the frames used."""

    foot_m: float
    spread_m: float
    frames: int


def distance_by_hand(
    points: np.ndarray, side: str, taken: int, fps: float, ray: np.ndarray, up: np.ndarray, radius: float
) -> HandAtThing:
    """The distance of a thing that a hand takes at frame `taken`.

    Args:
        points: of the hand, (T, 21, 3) metres in the camera's frame, NaN where it is not seen.
        ray: the thing's foot one metre away (3,).
        up: the vertical (3,).
        radius: of the thing, of which the foot is one metre away.

    Raises:
        EstimateError: the hand is not seen there.
    """
    start = max(0, taken - round(BEFORE_S * fps))
    there = points[start : taken + 1]
    there = there[np.isfinite(there).all(axis=(1, 2))]
    if not len(there):
        raise EstimateError(
            f"the hand is not seen in frames {start} to {taken}, in which it takes the thing: nothing tells its size",
            where="the film",
            valid="a hand in view while it grasps",
            fix="--height-m=HEIGHT of the thing",
        )
    found = np.array([_around_axis(hand, side, ray, up, radius) for hand in there])
    if radius * np.median(found) > WIDEST_M:
        found = np.array([_foot_depth(_between_tips(hand), ray, up) for hand in there])
    return HandAtThing(float(np.median(found)), float(np.std(found)), len(found))


def _around_axis(hand: np.ndarray, side: str, ray: np.ndarray, up: np.ndarray, radius: float) -> float:
    """Depth of the foot of a thing that the hand (21, 3) closes around: its palm lies along the thing's surface."""
    wrist, index, _, _, pinky = hand[PALM_POINTS]
    along = hand[PALM_POINTS[1:]].mean(axis=0) - wrist
    along /= np.linalg.norm(along)
    across = (index - pinky) - ((index - pinky) @ along) * along
    across /= np.linalg.norm(across)
    palm = np.cross(across, along) if side == "right" else np.cross(along, across)
    return _foot_depth(wrist + IN_FIST_M * along + ACROSS_M * across + GAP_M * palm, ray - radius * palm, up)


def _between_tips(hand: np.ndarray) -> np.ndarray:
    """The middle (3,) between the thumb's tip and those of two fingers, of a hand (21, 3)."""
    thumb, index, middle = hand[[HAND21.index(f"{finger}_tip") for finger in ("thumb", "index", "middle")]]
    return (thumb + (index + middle) / 2) / 2


def _foot_depth(at: np.ndarray, ray: np.ndarray, up: np.ndarray) -> float:
    """The depth d with which the line d `ray` + h `up` comes nearest to a point (3,)."""
    return float(np.linalg.lstsq(np.stack([ray, up], axis=1), at, rcond=None)[0][0])
