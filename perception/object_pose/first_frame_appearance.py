"""What the first frame shows of an object's surface: points, which way they face, and their colours."""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.spatial import KDTree

from perception.object_pose.jacobians import PoseOrigin, project_poses

MARGIN_PX = 12
"""A cut-out reaches this far beyond the points."""

NEIGHBOURS = 12
"""So many points about one tell which way the surface faces."""


@dataclass(frozen=True)
class SurfaceAppearance:
    """Points about the object's origin (N, 3), outward normals (N, 3), and colours (N, 3) at each blur."""

    points: np.ndarray
    normals: np.ndarray
    colours: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class ImageCrop:
    """Part of a picture: colours and their slopes along x and y in `layers` (3, h, w, 3); `corner` (2,) pixels."""

    layers: np.ndarray
    corner: np.ndarray


def sample_appearance(
    image: np.ndarray,
    setting: PoseOrigin,
    surface: np.ndarray,
    visible: np.ndarray,
    blurs: list[float],
    slant: float,
    samples: int,
) -> SurfaceAppearance:
    """Colours of at most `samples` points of the `surface` (P, 3) that are `visible` (N,) under a cosine of `slant`."""
    points = surface[visible]
    _, near = KDTree(surface).query(points, k=min(NEIGHBOURS, len(surface)))
    about = surface[near] - surface[near].mean(axis=1, keepdims=True)
    normals = np.linalg.eigh(about.transpose(0, 2, 1) @ about)[1][..., 0]
    to_eye = setting.camera.position_world - (points + setting.start)
    facing = (normals * to_eye).sum(-1) / np.linalg.norm(to_eye, axis=-1)
    kept = np.flatnonzero(np.abs(facing) >= slant)
    if len(kept) > samples:
        kept = np.random.default_rng(0).choice(kept, samples, replace=False)
    points, normals = points[kept], normals[kept] * np.sign(facing[kept])[:, None]
    px = project_poses(setting, points, np.zeros((1, 6)))[0][0]
    return SurfaceAppearance(
        points, normals, tuple(sample_crop(crop_with_gradients(image, px, blur), px)[:, 0] for blur in blurs)
    )


def crop_with_gradients(image: np.ndarray, px: np.ndarray, blur: float) -> ImageCrop:
    """The picture about pixels (N, 2), blurred; those outside of it are moved to its edge."""
    size = np.array(image.shape[1::-1])
    inside = np.clip(px, 0, size - 1)
    low = np.maximum(np.floor(inside.min(axis=0)).astype(int) - MARGIN_PX, 0)
    high = np.minimum(np.ceil(inside.max(axis=0)).astype(int) + MARGIN_PX, size)
    part = image[low[1] : high[1], low[0] : high[0]].astype(np.float32)
    smooth = cv2.GaussianBlur(part, (0, 0), blur)
    down, right = np.gradient(smooth, axis=(0, 1))
    return ImageCrop(np.stack([smooth, right, down]), low.astype(float))


def sample_crop(cut: ImageCrop, px: np.ndarray) -> np.ndarray:
    """Colours and their slopes along x and y (N, 3, 3: which, colour) at pixels (N, 2), corner origin."""
    x, y = (px - cut.corner - 0.5).astype(np.float32).T[:, :, None]
    at = [cv2.remap(layer, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0] for layer in cut.layers]
    return np.stack(at, axis=1)
