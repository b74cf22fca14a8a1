"""A known shape laid by its outline over the edges of a picture, and whether the picture shows it there.

An object that a hand carries, without a texture or half out of view, has neither tracks nor looks; it has an outline.
At the right pose the strongest edges around are on it; a pose that is off by a few pixels has them elsewhere. Distances
are measured along the outline's normals (RAPID, Harris and Stennett 1990), Gauss and Newton with Tukey's weights.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import map_coordinates

from devi_jax.core import rotations as rot
from devi_jax.core.camera import Camera, project
from perception.object_tracks.visible import outline


@dataclass(frozen=True)
class OutlineConfig:
    """How edges are looked for, and what counts. Pixels are those of a picture 1024 wide."""

    search_px: tuple[float, ...] = (24.0, 16.0, 10.0, 6.0, 6.0)
    """So far on both sides of the outline its edge is looked for, in each step."""
    pixel: float = 4.0
    """Standard deviation of an edge that is the outline's, all those of one side being off alike."""
    moves_m: float = 0.006
    """Standard deviation of how far the start is off."""
    turns_rad: float = 0.03
    """The same of how it is turned."""
    weakest: float = 12.0
    """Shades of grey by which a blurred picture changes over two pixels at an edge."""
    around_px: float = 14.0
    """To be shown, an outline is on the strongest edge within so much of it, ..."""
    on_px: float = 4.0
    """... no further from it than this, ..."""
    supports: float = 0.6
    """... in this part of it. By chance it would be 0.3."""
    least_part: float = 0.25
    """So much of the outline is in view and before no hand, or nothing is told."""


@dataclass(frozen=True, eq=False)
class Shape:
    """A mesh: `vertices` (V, 3), metres, and `faces` (F, 3)."""

    vertices: np.ndarray
    faces: np.ndarray

    def at(self, pose: np.ndarray) -> np.ndarray:
        """The vertices (V, 3) at a pose (7,): position, then quaternion."""
        return rot.rotate(np.broadcast_to(pose[3:], (len(self.vertices), 4)), self.vertices) + pose[:3]


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture in grey, blurred, (H, W); `hidden` (H, W) bool: hands, at which no edge is the object's."""

    grey: np.ndarray
    hidden: np.ndarray

    @property
    def scale(self) -> float:
        """Its pixels in one of a picture 1024 wide."""
        return self.grey.shape[1] / 1024


def picture(image: np.ndarray, hidden: np.ndarray) -> Picture:
    """Of uint8 RGB (H, W, 3)."""
    return Picture(cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1.2), hidden)


def fit_outline(
    seen: Picture, camera: Camera, shape: Shape, start: np.ndarray, config: OutlineConfig | None = None
) -> tuple[np.ndarray, float]:
    """The pose (7,) near `start` (7,) whose outline lies on edges, and by which part; 0 where none is in view."""
    config = config or OutlineConfig()
    pose, off = start.copy(), np.zeros(6)
    prior = np.array([config.moves_m] * 3 + [config.turns_rad] * 3) ** -2.0
    for search in config.search_px:
        found = _edges(seen, outline(shape.at(pose), shape.faces, camera), search, config)
        if found is None:
            return start, 0.0
        at, way, gap, strong = found
        slopes = _slopes(shape.at(pose), pose[:3], camera, at, way)
        weight = np.where(strong, np.clip(1 - (gap / (search * seen.scale)) ** 2, 0, None) ** 2, 0.0)
        # edges of one side err alike: as many as count, they are no more than some tens
        weight *= (config.pixel * seen.scale) ** -2.0 * min(1.0, 40 / max(len(gap), 1))
        H = slopes.T @ (weight[:, None] * slopes) + np.diag(prior)
        step = np.linalg.solve(H, slopes.T @ (weight * gap) - prior * off)
        off += step
        pose = np.concatenate([pose[:3] + step[:3], rot.quat_mul(rot.quat_exp(step[3:]), pose[3:])])
    return pose, shown_part(seen, camera, shape, pose, config)


def shown_part(
    seen: Picture, camera: Camera, shape: Shape, pose: np.ndarray, config: OutlineConfig | None = None
) -> float:
    """The part of an outline in view that lies on the strongest edge around it; 0 where too little is in view."""
    part = _part(seen, camera, shape, pose, config or OutlineConfig())
    return 0.0 if part is None else part


def is_elsewhere(
    seen: Picture, camera: Camera, shape: Shape, pose: np.ndarray, config: OutlineConfig | None = None
) -> bool:
    """Whether enough of an outline is in view to tell that the object is not there."""
    config = config or OutlineConfig()
    part = _part(seen, camera, shape, pose, config)
    return part is not None and part < config.supports


def _part(seen: Picture, camera: Camera, shape: Shape, pose: np.ndarray, config: OutlineConfig) -> float | None:
    found = _edges(seen, outline(shape.at(pose), shape.faces, camera), config.around_px, config)
    return None if found is None else float((found[3] & (np.abs(found[2]) <= config.on_px * seen.scale)).mean())


def _edges(
    seen: Picture, covers: np.ndarray, search: float, config: OutlineConfig
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
    """Of an outline's points in view: pixels (N, 2), normals inwards (N, 2), pixels along these to the strongest edge
    (N,), and whether that is strong (N,); None where too few are in view."""
    shape = covers.astype(np.uint8)
    contours, _ = cv2.findContours(shape, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    at = max(contours, key=len)[:, 0].astype(float)
    blurred = cv2.GaussianBlur(shape.astype(np.float32), (0, 0), 3.0 * seen.scale)
    way = np.stack([_sampled(cv2.Sobel(blurred, cv2.CV_32F, *order), at) for order in ((1, 0), (0, 1))], axis=1)
    length, reach = np.linalg.norm(way, axis=1), search * seen.scale
    inside = (at > reach).all(axis=1) & (at < np.array(covers.shape[::-1]) - 1 - reach).all(axis=1)
    good = inside & (length > 1e-6) & ~seen.hidden[at[:, 1].astype(int), at[:, 0].astype(int)]
    if good.sum() < config.least_part * len(at):
        return None
    at, way = at[good], way[good] / length[good, None]
    off = np.arange(-reach, reach + 1e-6, 1.0)
    there = at[:, None] + off[:, None] * way[:, None]
    slope = np.abs(_sampled(seen.grey, there + way[:, None]) - _sampled(seen.grey, there - way[:, None]))
    return at + 0.5, way, off[slope.argmax(axis=1)], slope.max(axis=1) >= config.weakest


def _slopes(vertices: np.ndarray, centre: np.ndarray, camera: Camera, at: np.ndarray, way: np.ndarray) -> np.ndarray:
    """By how many pixels along `way` (N, 2) the outline at `at` (N, 2) goes as the object moves and turns, (N, 6)."""
    px, depth = project(vertices, camera.K, camera.T_camera_world)
    nearest = ((at[:, None] - px) ** 2).sum(axis=-1).argmin(axis=1)
    there, z = vertices[nearest] - centre, depth[nearest]
    turn = camera.T_camera_world[:3, :3]
    ray = np.concatenate([(at - camera.K[:2, 2]) / camera.K[[0, 1], [0, 1]], np.ones((len(at), 1))], axis=1)
    image = way * camera.K[[0, 1], [0, 1]] / z[:, None]
    moves = (image @ turn[:2]) - (image * ray[:, :2]).sum(axis=1, keepdims=True) * turn[2]
    return np.concatenate([moves, np.cross(there, moves)], axis=1)


def _sampled(image: np.ndarray, at: np.ndarray) -> np.ndarray:
    """A picture (H, W) between its pixels, at points (..., 2)."""
    return np.asarray(map_coordinates(image, [at[..., 1], at[..., 0]], order=1, mode="nearest"))
