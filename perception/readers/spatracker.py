"""SpaTrackerV2 (Xiao et al. 2025): points in 2D and 3D, and depth, from `results/<video>_result.npz`.

Layout from its `inference.py`: `coords` (T, N, 3) in a world of its own, `extrinsics` (T, 4, 4) world to camera,
`intrinsics` (T, 3, 3) of the small picture `video` (T, 3, h, w), `depths` (T, h, w) with 0 where unsure, `visibs`
(T, N[, 1]). Scale is relative. Its `--fps` is a stride over frames, so only 1 fits the video.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from perception.contracts import Depth, EstimateError, Origin, PointTracks
from perception.readers import foreign
from perception.readers.points import first, point_tracks
from perception.readers.shot import Shot

LICENCE = "SpaTrackerV2: no licence given; its predecessor's is CC-BY-NC-4.0"
ASPECT = 0.06
"""The small picture may be so much wider or higher: it is made of 14 px blocks. More means it was cropped."""


def read_spatracker(path: Path, shot: Shot) -> PointTracks:
    """Tracks in the whole picture and, up to one factor, in the camera's frame of each time.

    Raises:
        EstimateError: the file lacks something, is of another video, or holds what are no tracks.
    """
    where = str(path)
    values = foreign.arrays(path)
    world = foreign.require_array(values, "coords", (None, None, 3), where)
    frames, points = world.shape[:2]
    shot.check_length(frames, where)
    pose = foreign.require_array(values, "extrinsics", (frames, 4, 4), where)
    K = foreign.require_array(values, "intrinsics", (frames, 3, 3), where)
    scale = _scale(values, shot, where)
    xyz = np.einsum("tij,tnj->tni", pose[:, :3, :3], world) + pose[:, None, :3, 3]
    pixels = np.einsum("tij,tnj->tni", K, xyz)
    xy = pixels[..., :2] / np.maximum(pixels[..., 2:], 1e-9) * scale
    seen = values.get("visibs", np.zeros(0))
    seen = first(
        {"visibs": seen[..., 0] if seen.shape[-1:] == (1,) and seen.ndim == 3 else seen}, ("visibs",), where, 2
    )
    if seen.shape != (frames, points):
        raise EstimateError(f"'visibs' has shape {seen.shape}", where=where, valid=f"({frames}, {points})")
    conf = np.clip(seen.astype(float), 0, 1)
    visible = (conf > 0.5) & (xyz[..., 2] > 0)
    origin = Origin("SpaTrackerV2", LICENCE, {"file": path.name, "scale": "relative"})
    tracks = point_tracks(xy, visible, conf, values, shot, origin, where)
    tracks = replace(tracks, xyz=xyz.astype(np.float32), scale="relative")
    tracks.validate(where)
    return tracks


def read_spatracker_depth(path: Path, shot: Shot) -> Depth:
    """Depth of the small picture, up to one factor for the video. Raises as `read_spatracker` does."""
    where = str(path)
    values = foreign.arrays(path)
    depth = foreign.require_array(values, "depths", (None, None, None), where).astype(np.float32)
    shot.check_length(len(depth), where)
    _scale(values, shot, where)
    origin = Origin("SpaTrackerV2", LICENCE, {"file": path.name})
    out = Depth(fps=shot.fps, size_px=shot.size_px, origin=origin, depth=depth, valid=depth > 0, kind="scale")
    out.validate(where)
    return out


def _scale(values: dict[str, np.ndarray], shot: Shot, where: str) -> np.ndarray:
    """From pixels of the small picture to those of the whole, (2,)."""
    height, width = foreign.require_array(values, "video", (None, 3, None, None), where).shape[2:]
    scale = np.array([shot.width / width, shot.height / height])
    if abs(scale[0] / scale[1] - 1) > ASPECT:
        raise EstimateError(
            f"the tool saw {width} x {height} pixels of a video of {shot.width} x {shot.height}: it was cropped",
            where=where,
            valid="a picture of the video's aspect ratio",
            fix="give the tool a video that is wider than high",
        )
    return scale
