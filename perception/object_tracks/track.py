"""Object points through a video: every frame is matched to the first, so nothing drifts and fingers drag nothing."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field

import numpy as np

from perception.contracts.checks import EstimateError
from perception.contracts.estimate import Origin
from perception.contracts.tracks import PointTracks
from perception.object_tracks.match import Match, MatchConfig, match
from perception.object_tracks.redetect import Detector, RedetectConfig
from perception.object_tracks.template import (
    Template,
    TemplateConfig,
    apply_transform,
    gray,
    invert_transform,
    make_template,
)

IDENTITY = np.array([[1.0, 0, 0], [0, 1, 0]])


@dataclass(frozen=True)
class TrackConfig:
    """How points are followed, and which are kept."""

    template: TemplateConfig = field(default_factory=TemplateConfig)
    match: MatchConfig = field(default_factory=MatchConfig)
    redetect: RedetectConfig = field(default_factory=RedetectConfig)
    reach_px: float = 8.0
    """A point takes part in what corners this near do beside the common motion (turning out of the picture's plane)."""
    least_visible: float = 0.1
    """Points that are visible in a smaller part of the frames are left out."""


def track_points(
    frames: Iterable[np.ndarray],
    fps: float,
    queries_px: np.ndarray,
    vertex_id: np.ndarray,
    inside: np.ndarray,
    config: TrackConfig | None = None,
    progress: Callable[[int], None] | None = None,
) -> PointTracks:
    """Points of the first frame in all frames, uint8 RGB (H, W, 3).

    Hidden points are carried by the object's motion; while the whole object is hidden, by what lies between its last
    place and its next.

    Args:
        queries_px: points (N, 2) on the object in the first frame, pixels.
        vertex_id: their vertices (N,), or -1.
        inside: pixels (H, W) bool that show the object in the first frame.
        progress: called with the number of frames done.

    Raises:
        EstimateError: no frames or points; nothing to hold on to; no point is visible for long enough.
    """
    config = config or TrackConfig()
    source = iter(frames)
    first = next(source, None)
    if first is None or len(queries_px) == 0:
        lacking = "frames" if first is None else "points of the object in view"
        raise EstimateError(f"there are no {lacking}", where="tracks", valid="one or more")
    template = make_template(gray(first), inside, config.template)
    detector = Detector(template, config.redetect)
    found: list[Match | None] = []
    motion, lost = IDENTITY, 0
    for t, image in enumerate(_chain(first, source)):
        now = match(template, gray(image), motion, config.match, config.template)
        if now is None and lost % config.redetect.every_frames == 0:
            now = _again(template, detector, gray(image), config)
        lost = 0 if now is not None else lost + 1
        motion = motion if now is None else now.motion
        found.append(now)
        if progress is not None:
            progress(t + 1)
    size = (first.shape[1], first.shape[0])
    return _tracks(found, template, queries_px, vertex_id, config, fps=fps, size=size)


def _chain(first: np.ndarray, rest: Iterable[np.ndarray]) -> Iterable[np.ndarray]:
    yield first
    yield from rest


def _again(template: Template, detector: Detector, image: np.ndarray, config: TrackConfig) -> Match | None:
    guess = detector.find(image)
    return None if guess is None else match(template, image, guess, config.match, config.template)


def _tracks(
    found: list[Match | None],
    template: Template,
    queries: np.ndarray,
    vertex_id: np.ndarray,
    config: TrackConfig,
    *,
    fps: float,
    size: tuple[int, int],
) -> PointTracks:
    motions = bridge_gaps([None if m is None else m.motion for m in found])
    xy = np.stack([apply_transform(motion, queries) for motion in motions])
    conf = np.zeros(xy.shape[:2])
    pixel = np.floor(apply_transform(invert_transform(template.to_video), queries)).astype(int)
    high = np.array(template.gray.shape[::-1]) - 1
    column, row = np.clip(pixel, 0, high).T
    for t, m in enumerate(found):
        if m is not None:
            xy[t] += beside_match(m, queries, config.reach_px)
            conf[t] = np.clip(m.similarity[row, column], 0, 1)
    in_view = ((xy >= 0) & (xy < size)).all(axis=-1)
    visible = (conf >= config.template.correlation) & in_view
    kept = visible.mean(axis=0) >= config.least_visible
    if not kept.any():
        raise EstimateError(
            "no point of the object is visible for long enough",
            where="tracks",
            valid=f"a point that is seen in {100 * config.least_visible:.0f} % of the frames",
            fix="take another view, or tracks from another tool",
        )
    note = {
        "object_found": float(np.mean([m is not None for m in found])),
        "points_left_out": int((~kept).sum()),
        "config": asdict(config),
    }
    return PointTracks(
        fps=fps,
        size_px=size,
        origin=Origin("Lucas-Kanade to the first frame, OpenCV", "Apache-2.0", note),
        xy=xy[:, kept],
        visible=visible[:, kept],
        conf=conf[:, kept],
        query_t=np.zeros(int(kept.sum()), dtype=int),
        vertex_id=np.asarray(vertex_id, dtype=int)[kept],
    )


def bridge_gaps(motions: list[np.ndarray | None]) -> np.ndarray:
    """Motions (T, 2, 3) where None is filled linearly in time between its neighbours, and held at both ends."""
    known = [t for t, m in enumerate(motions) if m is not None]
    if not known:
        return np.tile(IDENTITY, (len(motions), 1, 1))
    values = np.stack([m for m in motions if m is not None]).reshape(len(known), -1)
    every = np.arange(len(motions))
    return np.stack([np.interp(every, known, column) for column in values.T], axis=-1).reshape(-1, 2, 3)


def beside_match(found: Match, points: np.ndarray, reach_px: float) -> np.ndarray:
    """By how much points (N, 2) of the first frame leave the common motion: the mean of corners near them, (N, 2).

    Corners weigh by a Gaussian of `reach_px`; with few near, a point keeps to the common motion.
    """
    gap = ((points[:, None] - found.corners) ** 2).sum(-1)
    weight = np.exp(-gap / (2 * reach_px**2))
    return weight @ found.residual / (weight.sum(axis=1, keepdims=True) + 1.0)
