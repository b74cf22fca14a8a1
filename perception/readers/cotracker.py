"""CoTracker3 (Karaev et al. 2024): point tracks from what its predictor returns; its demo writes only a video.

Layout: `tracks` (or `pred_tracks`) (1, T, N, 2) pixels, whole numbers at pixel centres, `visibility` (or
`pred_visibility`) (1, T, N) bool, with `queries` (1, N, 3: t, x, y), the batch axis or not, in `.npz` or `.pt`; the
pair as the predictor returns it in `.pt`; or `.npy` tracks with `<name>_visibility.npy` beside them.
"""

from pathlib import Path
from typing import Any

import numpy as np

from perception.contracts import EstimateError, Origin, PointTracks
from perception.readers import foreign
from perception.readers.points import HALF_PIXEL, first, point_tracks
from perception.readers.shot import Shot

LICENCE = "CoTracker3: code and weights CC-BY-NC-4.0"


def read_cotracker(path: Path, shot: Shot) -> PointTracks:
    """Tracks in the whole picture. CoTracker hands no confidence on: it is 1 where a point is visible, else 0.

    Raises:
        EstimateError: the file lacks something, is of another video, or holds what are no tracks.
        ClipError: it is damaged or wants to run code.
    """
    where = str(path)
    values = foreign.flatten_arrays(_named(foreign.load_content(path), path), where)
    foreign.check_video(values, shot, where)
    xy = first(values, ("tracks", "pred_tracks"), where, 3)
    visible = _visible(values, where)
    if xy.shape[-1] != 2 or visible.shape != xy.shape[:2]:
        raise EstimateError(
            f"tracks of shape {xy.shape} and visibility of shape {visible.shape}",
            where=where,
            valid="(T, N, 2) and (T, N)",
        )
    origin = Origin("CoTracker3", LICENCE, {"file": path.name})
    return point_tracks(xy + HALF_PIXEL, visible, visible.astype(float), values, shot, origin, where)


def _visible(values: dict[str, np.ndarray], where: str) -> np.ndarray:
    """(T, N) bool; its README has a last axis of one, which the code has not."""
    names = ("visibility", "pred_visibility", "visible")
    key = next((n for n in names if n in values), names[0])
    squeezed = values | {key: values[key][..., 0]} if key in values and values[key].shape[-1:] == (1,) else values
    visible = first(squeezed, names, where, 2)
    if visible.dtype.kind != "b":
        raise EstimateError(
            f"'{key}' is of type {visible.dtype}", where=where, valid="booleans, as the predictor returns them"
        )
    return visible


def _named(content: Any, path: Path) -> Any:
    """Tracks and visibility by name, from a pair, or from an array and the file beside it."""
    if isinstance(content, tuple | list) and len(content) >= 2:
        return {"tracks": content[0], "visibility": content[1]}
    if isinstance(content, np.ndarray):
        beside = path.with_name(f"{path.stem}_visibility.npy")
        return {"tracks": content, "visibility": foreign.load_content(beside)}
    return content
