"""What point trackers' files have in common: a batch axis or none, queries or none, confidence or none."""

import numpy as np

from perception.contracts import EstimateError, Origin, PointTracks
from perception.readers import foreign
from perception.readers.shot import Shot

HALF_PIXEL = 0.5
"""From a tool that counts pixel centres as whole numbers to one where (0, 0) is a corner."""


def first(values: dict[str, np.ndarray], names: tuple[str, ...], where: str, rank: int) -> np.ndarray:
    """The first of `names` that is there, without a batch axis, of `rank` dimensions.

    Raises:
        EstimateError: none is there, there are several batches, or the array has other dimensions.
    """
    key = next((n for n in names if n in values), names[0])
    foreign.require_array(values, key, [None] * np.ndim(values.get(key, 0)), where)
    value = values[key]
    if value.ndim == rank + 1 and value.shape[0] == 1:
        value = value[0]
    if value.ndim != rank:
        raise EstimateError(
            f"'{key}' has shape {values[key].shape}",
            where=where,
            valid=f"{rank} dimensions, and a batch of one or none",
        )
    return value


def point_tracks(
    xy: np.ndarray,
    visible: np.ndarray,
    conf: np.ndarray,
    values: dict[str, np.ndarray],
    shot: Shot,
    origin: Origin,
    where: str,
) -> PointTracks:
    """Validated tracks of time-first arrays.

    From the file's `values`, where they are there: `queries` (N, 3), frame first, and `vertex_id` (N,).
    """
    shot.check_length(len(xy), where)
    asked = first(values, ("queries",), where, 2)[:, 0] if "queries" in values else np.zeros(xy.shape[1])
    vertices = values.get("vertex_id", np.full(xy.shape[1], -1))
    tracks = PointTracks(
        fps=shot.fps,
        size_px=shot.size_px,
        origin=origin,
        xy=xy.astype(np.float32),
        visible=visible.astype(bool),
        conf=conf.astype(np.float32),
        query_t=np.rint(asked).astype(np.int32),
        vertex_id=vertices.astype(np.int32),
    )
    tracks.validate(where)
    return tracks
