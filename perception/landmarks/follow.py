"""One person's body and two hands through a video: each looked for where it was a frame before, found again if lost.

Which hand is which is told by the body's wrists: the hand network's own label fails on cut-out hands.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from perception.contracts.checks import EstimateError
from perception.contracts.hand import Side
from perception.landmarks.detect import Detection
from perception.landmarks.hands import Hand, find_hand, find_palms
from perception.landmarks.network import Network
from perception.landmarks.pose import POSE33, Pose, body_roi, find_people, find_pose
from perception.landmarks.roi import Roi

SIDES: tuple[Side, Side] = ("left", "right")


@dataclass(frozen=True)
class Networks:
    """The four networks."""

    person: Network
    pose: Network
    palm: Network
    hand: Network


@dataclass(frozen=True)
class PersonTrackerConfig:
    """When a hand counts as found. Lengths are parts of the side of the body's square, 1.25 times its circle's."""

    near: float = 0.09
    """A hand's wrist lies this near to the body's wrist, else it is another hand."""
    window: float = 0.34
    """Side of the square about the body's wrist in which a lost hand is looked for."""
    apart: float = 0.5
    """Two hands whose landmarks are on average nearer than this part of the hand's size are one hand."""
    doubt: float = 0.9
    """A hand followed with less confidence than this is looked for anew, and the surer of the two is taken."""


@dataclass(frozen=True)
class FrameLandmarks:
    """What one frame shows; None where nothing was found. `renewed`: sides that were found anew, not followed."""

    pose: Pose | None
    hands: dict[Side, Hand | None]
    renewed: frozenset[Side] = field(default_factory=frozenset)


NO_LANDMARKS = FrameLandmarks(None, {"left": None, "right": None})


def choose_person(found: Sequence[Detection], expected_px: np.ndarray | None, where: str) -> Detection:
    """The person to follow: the only one, or the one whose hips are nearest to where the scene has them (2,).

    Raises:
        EstimateError: nobody, or several persons and no place to expect the right one at.
    """
    if not found:
        raise EstimateError(
            "no person is seen",
            where=where,
            valid="one person, seen at least from the head to the hips",
            fix="check the video's first frame; a body from another tool can be given instead",
        )
    if len(found) > 1 and expected_px is None:
        raise EstimateError(
            f"{len(found)} persons are seen",
            where=where,
            valid="one person",
            fix="cut the video to one person, or give the scene, whose human says which one is meant",
        )
    if expected_px is None:
        return found[0]
    return min(found, key=lambda person: float(np.linalg.norm(person.points[0] - expected_px)))


def track_person(
    networks: Networks,
    image: np.ndarray,
    before: FrameLandmarks,
    config: PersonTrackerConfig,
    person: Detection | None = None,
) -> FrameLandmarks:
    """What a picture (H, W, 3) uint8 shows of the person seen in the frame before, or of the `person` detected."""
    pose = _pose(networks, image, before.pose, person)
    if pose is None:
        return NO_LANDMARKS
    followed: dict[Side, Hand | None] = {side: _again(networks, image, before.hands[side]) for side in SIDES}
    held = assign(followed, pose, config)
    hands, renewed = dict(held), set[Side]()
    for side in SIDES:
        now = held[side]
        if now is None or now.presence < config.doubt:
            fresh = _search(networks, image, pose, side, config)
            if fresh is not None and (now is None or fresh.presence > now.presence):
                hands[side] = fresh
                renewed.add(side)
    kept = assign(hands, pose, config)
    return FrameLandmarks(pose, kept, frozenset(side for side in renewed if kept[side] is hands[side]))


def wrist_px(pose: Pose, side: Side) -> np.ndarray:
    """The body's wrist (2,)."""
    return pose.px[POSE33.index(f"{side}_wrist")]


def assign(found: dict[Side, Hand | None], pose: Pose, config: PersonTrackerConfig) -> dict[Side, Hand | None]:
    """Hands by side: the assignment that puts most hands `near` the body's wrists, then the one of least distance.

    One hand found twice is given to one side only.
    """
    hands = [hand for hand in found.values() if hand is not None]
    limit = config.near * pose.roi.size
    best, least = NO_LANDMARKS.hands, 0.0
    for left, right in product([None, *hands], repeat=2):
        pair: dict[Side, Hand | None] = {"left": left, "right": right}
        if left is not None and right is not None and _same(left, right, config):
            continue
        gaps = [float(np.linalg.norm(h.px[0] - wrist_px(pose, side))) for side, h in pair.items() if h is not None]
        cost = sum(gap - limit for gap in gaps)
        if all(gap <= limit for gap in gaps) and cost < least:
            best, least = pair, cost
    return best


def _same(a: Hand, b: Hand, config: PersonTrackerConfig) -> bool:
    gap = float(np.linalg.norm(a.px - b.px, axis=-1).mean())
    return gap < config.apart * max(a.size_px, b.size_px)


def _pose(networks: Networks, image: np.ndarray, before: Pose | None, person: Detection | None) -> Pose | None:
    if before is not None and person is None:
        pose = find_pose(networks.pose, image, before.roi)
        if pose is not None:
            return pose
    found = (person,) if person is not None else find_people(networks.person, image)
    return find_pose(networks.pose, image, body_roi(*found[0].points[:2])) if found else None


def _again(networks: Networks, image: np.ndarray, before: Hand | None) -> Hand | None:
    return None if before is None else find_hand(networks.hand, image, before.roi)


def _search(networks: Networks, image: np.ndarray, pose: Pose, side: Side, config: PersonTrackerConfig) -> Hand | None:
    """The surest hand near the body's wrist, among palms detected in a window about it."""
    wrist = wrist_px(pose, side)
    window = Roi(wrist, config.window * pose.roi.size)
    found = [find_hand(networks.hand, image, roi) for roi in find_palms(networks.palm, image, window)]
    near = [h for h in found if h is not None and np.linalg.norm(h.px[0] - wrist) <= config.near * pose.roi.size]
    return max(near, key=lambda hand: hand.presence, default=None)
