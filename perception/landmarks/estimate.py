"""The landmark networks over a whole video: 2D and relative 3D points of the body and of each hand."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from perception.contracts.checks import EstimateError
from perception.contracts.estimate import Origin
from perception.contracts.hand import HAND21, Side
from perception.contracts.keypoints import Keypoints
from perception.landmarks import weights
from perception.landmarks.follow import (
    NO_LANDMARKS,
    SIDES,
    FrameLandmarks,
    Networks,
    PersonTrackerConfig,
    choose_person,
    track_person,
)
from perception.landmarks.hands import Hand
from perception.landmarks.network import TfliteNetwork
from perception.landmarks.pose import POSE33, find_people

TOOL = f"networks of {weights.RELEASE}, run by ai-edge-litert"


@dataclass(frozen=True)
class LandmarkConfig:
    """How landmarks are followed and when a video is refused."""

    follow: PersonTrackerConfig = PersonTrackerConfig()
    least_body: float = 0.9
    """A video in which the body is seen in fewer of the frames is refused."""
    threads: int = 2


@dataclass(frozen=True)
class PersonLandmarks:
    """One person: `body` in the order of `POSE33`, hands in the order of `HAND21`; frames without them have conf 0."""

    body: Keypoints
    hands: dict[Side, Keypoints] = field(default_factory=dict)


def load_networks(threads: int = 2) -> Networks:
    """The four networks, fetched if they are not in the cache.

    Raises:
        DeviceError: see `weights.network_path`; ai-edge-litert is not installed.
    """
    names: tuple[weights.NetworkName, ...] = (
        "pose_detection",
        "pose_landmark_full",
        "palm_detection_full",
        "hand_landmark_full",
    )
    return Networks(*(TfliteNetwork(weights.network_path(name), threads) for name in names))


def estimate_landmarks(
    frames: Iterable[np.ndarray],
    fps: float,
    config: LandmarkConfig | None = None,
    networks: Networks | None = None,
    expected_px: np.ndarray | None = None,
    progress: Callable[[int], None] | None = None,
) -> PersonLandmarks:
    """Landmarks of one person in `frames`, uint8 RGB (H, W, 3), in order.

    Args:
        expected_px: where the person's hips are in the first frame (2,), as the scene says: it chooses among several.
        progress: called with the number of frames done.

    Raises:
        EstimateError: nobody, or several persons, in the first frame; the body is lost for too long; no frames.
        DeviceError: the networks cannot be had.
    """
    config = config or LandmarkConfig()
    networks = networks or load_networks(config.threads)
    seen: list[FrameLandmarks] = []
    size, persons = (0, 0), 1
    for t, image in enumerate(frames):
        person = None
        if t == 0:
            found = find_people(networks.person, image)
            person, persons = choose_person(found, expected_px, "the video's first frame"), len(found)
            size = (image.shape[1], image.shape[0])
        seen.append(track_person(networks, image, seen[-1] if seen else NO_LANDMARKS, config.follow, person))
        if progress is not None:
            progress(t + 1)
    if not seen:
        raise EstimateError("there are no frames", where="the video", valid="one frame or more")
    chosen = "the only one" if persons == 1 else "nearest to where the scene has its human"
    note = {"persons_in_first_frame": persons, "person": chosen, **_shares(seen)}
    if note["body_seen"] < config.least_body:
        raise EstimateError(
            f"the body is seen in {100 * note['body_seen']:.0f} % of the frames",
            where="the video",
            valid=f"{100 * config.least_body:.0f} % or more",
            fix="film the person from the head to the hips, or give a body from another tool",
        )
    origin = Origin(TOOL, weights.LICENCE, note)
    hands: dict[Side, Keypoints] = {
        side: hand_keypoints([s.hands[side] for s in seen], side, fps, size, origin) for side in SIDES
    }
    return PersonLandmarks(_body(seen, fps, size, origin), hands)


def _body(seen: list[FrameLandmarks], fps: float, size: tuple[int, int], origin: Origin) -> Keypoints:
    rows = [None if s.pose is None else (s.pose.px, s.pose.confidence, s.pose.world) for s in seen]
    return Keypoints(fps=fps, size_px=size, origin=origin, names=POSE33, **_stacked(rows, len(POSE33)))


def hand_keypoints(
    hands: Sequence[Hand | None], side: Side, fps: float, size: tuple[int, int], origin: Origin
) -> Keypoints:
    """The landmarks of one hand over the frames, None where it was not seen."""
    rows = [None if h is None else (h.px, np.full(len(HAND21), h.presence), h.world) for h in hands]
    names = tuple(f"{side}_{name}" for name in HAND21)
    return Keypoints(fps=fps, size_px=size, origin=origin, names=names, **_stacked(rows, len(names)))


def _stacked(rows: list[tuple[np.ndarray, ...] | None], points: int) -> dict[str, np.ndarray]:
    nothing = (np.zeros((points, 2)), np.zeros(points), np.zeros((points, 3)))
    xy, conf, xyz = zip(*(nothing if row is None else row for row in rows), strict=True)
    return {"xy": np.stack(xy), "conf": np.clip(np.stack(conf), 0, 1), "xyz": np.stack(xyz)}


def _shares(seen: list[FrameLandmarks]) -> dict[str, Any]:
    """Parts of the frames in which body and hands were found, and hands found anew; hands never seen are named."""
    out: dict[str, Any] = {"body_seen": float(np.mean([s.pose is not None for s in seen]))}
    for side in SIDES:
        out[f"{side}_hand_seen"] = float(np.mean([s.hands[side] is not None for s in seen]))
        out[f"{side}_hand_renewed"] = float(np.mean([side in s.renewed for s in seen]))
    out["hands_never_seen"] = [side for side in SIDES if out[f"{side}_hand_seen"] == 0]
    return out
