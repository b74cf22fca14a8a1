"""Turned squares of a picture: cut out for a network, and its points brought back.

Pixels have their origin at the corner of the first pixel, so the centre of the first pixel is (0.5, 0.5).
"""

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Roi:
    """A square of side `size` pixels about `centre` (2,), turned clockwise (as seen) by `angle` radians."""

    centre: np.ndarray
    size: float
    angle: float = 0.0

    @property
    def axes(self) -> np.ndarray:
        """Unit vectors along the square's width and height, as columns (2, 2)."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        return np.array([[c, -s], [s, c]])

    def to_picture(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 2) in units of the square, (0, 0) to (1, 1), as pixels of the picture."""
        return self.centre + self.size * (points - 0.5) @ self.axes.T


def whole(image: np.ndarray) -> Roi:
    """The smallest square around a picture (H, W, 3)."""
    height, width = image.shape[:2]
    return Roi(np.array([width / 2, height / 2]), float(max(width, height)))


def crop(image: np.ndarray, roi: Roi, pixels: int, border: int = cv2.BORDER_CONSTANT) -> np.ndarray:
    """The square as an image (pixels, pixels, 3) of the picture's type; beyond the picture it is black by default.

    Landmark networks were trained with the picture's rim repeated instead, `cv2.BORDER_REPLICATE`.
    """
    scale = roi.size / pixels * roi.axes
    corner = roi.to_picture(np.full(2, 0.5 / pixels)) - 0.5
    to_source = np.concatenate([scale, corner[:, None]], axis=1)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, to_source, (pixels, pixels), flags=flags, borderMode=border)


def upright(start: np.ndarray, end: np.ndarray) -> float:
    """The angle of a square in which the way from `start` to `end` (both (2,) pixels) points up."""
    dx, dy = end - start
    angle = np.pi / 2 - np.arctan2(-dy, dx)
    return float((angle + np.pi) % (2 * np.pi) - np.pi)


def around(points: np.ndarray, angle: float, scale: float, shift: float) -> Roi:
    """The square about points (N, 2): their box along `angle`, its longer side times `scale`.

    The centre is moved by `shift` of the box's height along its height.
    """
    axes = Roi(np.zeros(2), 1.0, angle).axes
    local = points @ axes
    low, high = local.min(axis=0), local.max(axis=0)
    centre = (low + high) / 2 + [0.0, shift * (high[1] - low[1])]
    return Roi(axes @ centre, scale * float((high - low).max()), angle)
