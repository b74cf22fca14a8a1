"""The object found again in a whole frame by its features (SIFT) and the motion they agree on."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from perception.object_tracks.template import Template, apply_transform


@dataclass(frozen=True)
class RedetectConfig:
    """How a lost object is looked for."""

    every_frames: int = 2
    """A lost object is looked for in every so manieth frame."""
    ratio: float = 0.8
    """A feature's best match is nearer than the second best times this (Lowe 2004)."""
    agree_px: float = 3.0
    least: int = 6
    """At least so many features agree."""


class Detector:
    """The features of one template."""

    def __init__(self, template: Template, config: RedetectConfig):
        """Describe the template's object."""
        self._config = config
        self._sift = cv2.SIFT.create(contrastThreshold=0.02)
        mask = template.inside.astype(np.uint8)
        points, self._described = self._sift.detectAndCompute(template.gray, mask)
        self._points = apply_transform(template.to_video, _places(points))

    def find(self, image: np.ndarray) -> np.ndarray | None:
        """The motion (2, 3) from the first frame to this one (H, W) uint8 grey, or None."""
        points, described = self._sift.detectAndCompute(image, None)
        if self._described is None or described is None or len(points) < 2:
            return None
        pairs = cv2.BFMatcher().knnMatch(self._described, described, k=2)
        good = [best for best, second in pairs if best.distance < self._config.ratio * second.distance]
        if len(good) < self._config.least:
            return None
        source = self._points[[m.queryIdx for m in good]]
        target = _places(points)[[m.trainIdx for m in good]]
        motion, inliers = cv2.estimateAffinePartial2D(source, target, ransacReprojThreshold=self._config.agree_px)
        return motion if motion is not None and inliers.sum() >= self._config.least else None


def _places(points: Sequence[cv2.KeyPoint]) -> np.ndarray:
    return np.array([p.pt for p in points], float).reshape(-1, 2) + 0.5
