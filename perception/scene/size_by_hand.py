"""How far away a thing is, and so how large: as far as the hand that is about to take it."""

from dataclasses import dataclass

import numpy as np

from perception.contracts.checks import EstimateError
from perception.contracts.hand import HAND21

BEFORE_S = 0.4
"""So long before the thing leaves its place the hand is at it."""
HOLDING = ("thumb_tip", "index_tip", "middle_tip")


@dataclass(frozen=True)
class HandAtThing:
    """Where the fingers are along the optical axis, metres, and how much that differs over the frames used."""

    distance_m: float
    spread_m: float
    frames: int


def hand_at_thing(points: np.ndarray, taken: int, fps: float) -> HandAtThing:
    """The distance of a hand that takes a thing at frame `taken`.

    Args:
        points: of the hand, (T, 21, 3) metres in the camera's frame, NaN where it is not seen.

    Raises:
        EstimateError: it is not seen there.
    """
    start = max(0, taken - round(BEFORE_S * fps))
    tips = points[start : taken + 1, [HAND21.index(name) for name in HOLDING], 2]
    depth = tips[np.isfinite(tips).all(axis=1)].mean(axis=1)
    if not len(depth):
        raise EstimateError(
            f"the hand is not seen in frames {start} to {taken}, in which it takes the thing: nothing tells its size",
            where="the film",
            valid="a hand in view while it grasps",
            fix="--height-m=HEIGHT of the thing",
        )
    return HandAtThing(float(np.median(depth)), float(np.std(depth)), len(depth))


def distance_by_hand(hand: HandAtThing, middle: np.ndarray) -> float:
    """Depth of the thing's foot, metres, whose fingers are at its middle (3,), seen from one metre of its foot."""
    return hand.distance_m / float(middle[2])
