"""Points followed through a video, in the picture and, where a tool lifts them, in 3D."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from perception.contracts import checks
from perception.contracts.estimate import Estimate

FAR = 2.0
"""Tracks further outside the picture than so many diagonals are no tracks."""


@dataclass(frozen=True, kw_only=True)
class PointTracks(Estimate):
    """N points over T frames.

    `xy` (T, N, 2) pixels, `visible` (T, N), `conf` (T, N) in 0..1, `query_t` (N,) the frame a point was asked for in,
    `vertex_id` (N,) its vertex of the object's mesh or -1. `xyz` (T, N, 3): in the camera's frame of each time, in
    metres where `scale` is "metric", else up to one factor for the whole video.
    """

    xy: np.ndarray
    visible: np.ndarray
    conf: np.ndarray
    query_t: np.ndarray
    vertex_id: np.ndarray
    xyz: np.ndarray | None = None
    scale: Literal["metric", "relative"] = "metric"

    UNITS: ClassVar[dict[str, str]] = {
        **{"xy": "px", "visible": "bool", "conf": "1", "query_t": "frame", "vertex_id": "index, -1: none"},
        **{"xyz": "m, or as `scale` says"},
    }

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return len(self.xy)

    def validate(self, where: str = "points") -> None:
        """See `Estimate.validate`."""
        super().validate(where)
        sizes: dict[str, int] = {}
        checks.shaped(self.xy, ("T", "N", 2), "f", f"{where}: xy", sizes)
        checks.shaped(self.visible, ("T", "N"), "b", f"{where}: visible", sizes)
        checks.shaped(self.conf, ("T", "N"), "f", f"{where}: conf", sizes)
        checks.shaped(self.query_t, ("N",), "iu", f"{where}: query_t", sizes)
        checks.shaped(self.vertex_id, ("N",), "iu", f"{where}: vertex_id", sizes)
        if not self.xy.shape[1]:
            raise checks.EstimateError("there are no points", where=f"{where}: xy", valid="one point or more")
        checks.finite(self.xy, f"{where}: xy")
        checks.finite(self.conf, f"{where}: conf")
        self._check_ranges(where)
        if self.xyz is not None:
            checks.shaped(self.xyz, ("T", "N", 3), "f", f"{where}: xyz", sizes)
            checks.finite(np.where(self.visible[..., None], self.xyz, 0.0), f"{where}: xyz")
        if self.scale not in ("metric", "relative"):
            raise checks.EstimateError(
                f"scale is {self.scale!r}", where=f"{where}: scale", valid="'metric' or 'relative'"
            )

    def _check_ranges(self, where: str) -> None:
        if self.conf.min() < 0 or self.conf.max() > 1:
            raise checks.EstimateError(
                f"confidences reach from {self.conf.min():.3g} to {self.conf.max():.3g}",
                where=f"{where}: conf",
                valid="0 to 1",
                fix="take the sigmoid of logits",
            )
        if self.query_t.min() < 0 or self.query_t.max() >= self.frames:
            raise checks.EstimateError(
                f"points are asked for in frame {self.query_t.min()} to {self.query_t.max()}",
                where=f"{where}: query_t",
                valid=f"0 to {self.frames - 1}",
            )
        if self.vertex_id.min() < -1:
            raise checks.EstimateError(
                f"vertex {self.vertex_id.min()}", where=f"{where}: vertex_id", valid="a vertex, or -1 for none"
            )
        centre = np.asarray(self.size_px) / 2
        far = np.linalg.norm(self.xy - centre, axis=-1) / np.hypot(*self.size_px)
        if far[self.visible].max(initial=0.0) > FAR:
            raise checks.EstimateError(
                f"a visible point is {far[self.visible].max():.1f} diagonals from the picture's centre",
                where=f"{where}: xy",
                valid=f"pixels of a picture of {self.size_px[0]} x {self.size_px[1]}",
                fix="check that the tracks are in pixels of the whole picture, x before y",
            )
