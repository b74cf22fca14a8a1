"""TAPIR, BootsTAPIR and TAPNext (Google DeepMind, Apache-2.0): point tracks from what their models return.

Layout: `tracks` (1, N, T, 2: x, y) in pixels of a picture of `size` (width, height), (0, 0) its corner; either
`occlusion` and `expected_dist` (1, N, T), logits, or `visibles` (1, N, T); `queries` (1, N, 3: t, y, x); the batch axis
or not. `tools/scripts/tapir_points.py` writes it. Settled from the code of `tapnet`, not from a file: it writes none.
"""

from pathlib import Path

import numpy as np

from perception.contracts import EstimateError, Origin, PointTracks
from perception.readers import foreign
from perception.readers.points import first, point_tracks
from perception.readers.shot import Shot

LICENCE = "tapnet: code and weights Apache-2.0"
SURE = 0.5
"""A point is visible where neither occlusion nor doubt about its place takes more than this (TAPIR, section 3.4)."""


def read_tapir(path: Path, shot: Shot) -> PointTracks:
    """Tracks in the whole picture, with the confidence that the model's logits give.

    Raises:
        EstimateError: the file lacks something, is of another video, or holds what are no tracks.
        ClipError: it is damaged or wants to run code.
    """
    where = str(path)
    values = foreign.arrays(path)
    tracks = first(values, ("tracks",), where, 3)
    if tracks.shape[-1] != 2:
        raise EstimateError(f"'tracks' has shape {tracks.shape}", where=where, valid="(N, T, 2)")
    size = foreign.require_array(values, "size", (2,), where) if "size" in values else np.array(shot.size_px, float)
    conf = _confidence(values, where)
    if conf.shape != tracks.shape[:2]:
        raise EstimateError(
            f"tracks of shape {tracks.shape} and occlusion of shape {conf.shape}",
            where=where,
            valid="(N, T, 2), (N, T)",
        )
    xy = np.swapaxes(tracks, 0, 1) * (np.array(shot.size_px) / size)
    origin = Origin("TAPIR", LICENCE, {"file": path.name, "raster": size.tolist()})
    return point_tracks(xy, conf.T > SURE, conf.T, values, shot, origin, where)


def _confidence(values: dict[str, np.ndarray], where: str) -> np.ndarray:
    """(N, T): how likely a point is visible and its place right."""
    if "visibles" in values:
        return first(values, ("visibles",), where, 2).astype(float)
    occluded, far = (first(values, (key,), where, 2).astype(float) for key in ("occlusion", "expected_dist"))
    if occluded.shape != far.shape:
        raise EstimateError(
            f"'occlusion' of shape {occluded.shape}, 'expected_dist' of {far.shape}", where=where, valid="both (N, T)"
        )
    with np.errstate(over="ignore"):  # exp of a large logit is infinite, and its inverse zero, which is right
        return 1 / (1 + np.exp(occluded)) / (1 + np.exp(far))
