"""Hands in a video that shows no body: at most two, each followed from frame to frame and looked for where it is lost.

Without wrists of a body, which hand is which is told by what the hand's network says of it over all frames.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from perception.contracts.checks import EstimateError
from perception.contracts.estimate import Origin
from perception.contracts.hand import Side
from perception.contracts.keypoints import Keypoints
from perception.landmarks import weights
from perception.landmarks.estimate import TOOL, PersonLandmarks, hand_keypoints, load_networks
from perception.landmarks.follow import SIDES, Networks
from perception.landmarks.hands import Hand, find_hand, find_palms
from perception.landmarks.out_of_view import cut_off
from perception.landmarks.pose import POSE33
from perception.landmarks.roi import Roi


@dataclass(frozen=True)
class HandsAloneConfig:
    """When a hand counts as found."""

    every: int = 3
    """A hand that is not in view is looked for once in so many frames: it may never come."""
    sure: float = 0.8
    """Presence of a hand that is found anew; followed ones may be less sure."""
    apart: float = 0.5
    """Two hands that share more than this part of the smaller one's box are one hand: a thumb is seen as another."""
    window: float = 3.0
    """Side of the square about its last place in which a lost hand is looked for first, in the hand's sizes."""
    least: float = 0.1
    """A hand that is seen in fewer of the frames is none."""


Slots = list[Hand | None]


def estimate_hands(
    frames: Iterable[np.ndarray],
    fps: float,
    one_side: Side | None = None,
    config: HandsAloneConfig | None = None,
    networks: Networks | None = None,
    progress: Callable[[int], None] | None = None,
) -> PersonLandmarks:
    """Hands in `frames`, uint8 RGB (H, W, 3), in order; of the body nothing is seen.

    Args:
        one_side: which hand it is, where the video shows one; by default the network says.
        progress: called with the number of frames done.

    Raises:
        EstimateError: no frames, or no hand in enough of them.
        DeviceError: the networks cannot be had.
    """
    config, networks = config or HandsAloneConfig(), networks or load_networks()
    seen: list[Slots] = []
    last: Slots = [None, None]
    size = (0, 0)
    for t, image in enumerate(frames):
        size = (image.shape[1], image.shape[0])
        now = _follow(networks, image, seen[-1] if seen else [None, None])
        if None in now and (t % config.every == 0 or (seen and _lost(seen[-1], now))):
            now = _search(networks, image, now, last, config)
        now = without_doubles(now, config)
        last = [hand or before for hand, before in zip(now, last, strict=True)]
        seen.append(now)
        if progress is not None:
            progress(t + 1)
    if not seen:
        raise EstimateError("there are no frames", where="the video", valid="one frame or more")
    by_side = {
        side: without_cut_off(hands, size, fps) for side, hands in name_sides(seen, one_side, config.least).items()
    }
    share = {side: float(np.mean([h is not None for h in hands])) for side, hands in by_side.items()}
    if not any(share.values()):
        raise EstimateError(
            "neither a person nor a hand is seen",
            where="the video",
            valid=f"a hand in {100 * config.least:.0f} % of the frames or more",
            fix="film the hand nearer and in more light; extract also takes other tools, by --body and --hands",
        )
    note = {"hands_alone": True, "body_seen": 0.0, **{f"{side}_hand_seen": part for side, part in share.items()}}
    origin = Origin(TOOL, weights.LICENCE, note)
    nobody = np.zeros((len(seen), len(POSE33), 2))
    body = Keypoints(
        fps=fps,
        size_px=size,
        origin=origin,
        names=POSE33,
        xy=nobody,
        conf=nobody[..., 0],
        xyz=np.zeros((*nobody.shape[:2], 3)),
    )
    return PersonLandmarks(body, {side: hand_keypoints(by_side[side], side, fps, size, origin) for side in SIDES})


def name_sides(seen: Sequence[Slots], one_side: Side | None, least: float) -> dict[Side, list[Hand | None]]:
    """The hand of each side in each frame. Two hands are told apart by which looks more like a right one."""
    tracks = [[slots[k] for slots in seen] for k in (0, 1)]
    tracks = [track for track in tracks if sum(hand is not None for hand in track) >= least * len(seen)]
    nothing: list[Hand | None] = [None] * len(seen)
    out: dict[Side, list[Hand | None]] = {"left": nothing, "right": nothing}
    if len(tracks) == 1:
        out[one_side or ("right" if _rightness(tracks[0]) > 0 else "left")] = tracks[0]
    if len(tracks) == 2:
        out["left"], out["right"] = sorted(tracks, key=_rightness)
    return out


def without_cut_off(hands: list[Hand | None], size_px: tuple[int, int], fps: float) -> list[Hand | None]:
    """A hand without the frames in which it comes in or goes out, cut off by the picture's edge (`cut_off`)."""
    cut = cut_off(np.array([(np.nan, np.nan) if hand is None else hand.px[0] for hand in hands]), size_px, fps)
    return [None if gone else hand for hand, gone in zip(hands, cut, strict=True)]


def without_doubles(slots: Slots, config: HandsAloneConfig) -> Slots:
    """One hand that both slots follow, be it as a part of it, stays with the surer of them."""
    a, b = slots
    if a is None or b is None or _shared(a.px, b.px) < config.apart:
        return slots
    return [a, None] if a.presence >= b.presence else [None, b]


def _shared(a: np.ndarray, b: np.ndarray) -> float:
    """Part of the smaller of two boxes about points (N, 2) that is in the other."""
    sides = np.minimum(a.max(axis=0), b.max(axis=0)) - np.maximum(a.min(axis=0), b.min(axis=0))
    least = min(np.ptp(points, axis=0).prod() for points in (a, b))
    return float(np.clip(sides, 0, None).prod() / max(least, 1e-9))


def _rightness(track: Sequence[Hand | None]) -> float:
    return sum(hand.presence * (hand.right - 0.5) for hand in track if hand is not None)


def _follow(networks: Networks, image: np.ndarray, before: Slots) -> Slots:
    return [None if hand is None else find_hand(networks.hand, image, hand.roi) for hand in before]


def _lost(before: Slots, now: Slots) -> bool:
    return any(was is not None and hand is None for was, hand in zip(before, now, strict=True))


def _search(networks: Networks, image: np.ndarray, now: Slots, last: Slots, config: HandsAloneConfig) -> Slots:
    """The slots with hands that are found anew; each goes to the free slot whose last hand was nearest."""
    slots = list(now)
    for square in _squares(image, [hand for hand in last if hand is not None], config):
        for roi in find_palms(networks.palm, image, square):
            hand = find_hand(networks.hand, image, roi)
            free = [k for k, held in enumerate(slots) if held is None]
            if hand is None or hand.presence < config.sure or not free:
                continue
            if any(o is not None and without_doubles([o, hand], config) != [o, hand] for o in slots):
                continue
            away = [_away(hand, last[k]) for k in free]
            slots[free[int(np.argmin(away))]] = hand
    return slots


def _away(hand: Hand, last: Hand | None) -> float:
    """Pixels from where a slot's hand was; further than any for a slot that never had one."""
    return 1e9 if last is None else float(np.linalg.norm(hand.px.mean(axis=0) - last.px.mean(axis=0)))


def _squares(image: np.ndarray, last: Sequence[Hand], config: HandsAloneConfig) -> list[Roi]:
    """Where hands are looked for: about their last places, then in three squares along the picture's longer side."""
    height, width = image.shape[:2]
    side = float(min(height, width))
    along = np.linspace(side / 2, max(height, width) - side / 2, 3)
    centres = [np.array([x, side / 2] if width >= height else [side / 2, x]) for x in along]
    near = [Roi(hand.px.mean(axis=0), config.window * hand.size_px) for hand in last]
    return near + [Roi(centre, side) for centre in centres]
