"""A hand in a picture: 21 landmarks of MediaPipe Hands, in the picture and in metres (Zhang et al. 2020)."""

from dataclasses import dataclass

import cv2
import numpy as np

from perception.landmarks.detect import DetectorSpec, detect
from perception.landmarks.network import Network
from perception.landmarks.roi import Roi, around, crop, upright

DETECTOR = DetectorSpec(192, 0.0, (8, 16, 16, 16))
PIXELS = 224
PRESENT = 0.5
"""Below this the network says that no hand is there."""

PALM_WRIST, PALM_MIDDLE = 0, 2
"""Points of a detected palm between which it points up."""

KNUCKLES = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)
"""Landmarks that hold still when fingers bend: the next frame's square is theirs."""


@dataclass(frozen=True)
class Hand:
    """`px` (21, 2) and `world` (21, 3) in the order of `HAND21`; `roi`: where to look in the next frame.

    `world`: metres, axes of the camera, origin in the hand. `presence` is the network's, in 0..1; so is `right`, how
    much it looks like a right hand rather than a left one, which a cut-out picture often tells wrongly.
    """

    px: np.ndarray
    world: np.ndarray
    presence: float
    roi: Roi
    right: float = 0.5

    @property
    def size_px(self) -> float:
        """From the wrist to the knuckle of the middle finger."""
        return float(np.linalg.norm(self.px[9] - self.px[0]))


def find_palms(network: Network, image: np.ndarray, roi: Roi, least: float = 0.5) -> tuple[Roi, ...]:
    """Squares for the landmarks, one for each palm in the square `roi` (not turned) of a picture, surest first."""
    out = []
    for palm in detect(network, DETECTOR, image, roi, least):
        angle = upright(palm.points[PALM_WRIST], palm.points[PALM_MIDDLE])
        centre, size = palm.box.mean(axis=0), float((palm.box[1] - palm.box[0]).max())
        out.append(Roi(centre + Roi(centre, 1.0, angle).axes @ [0.0, -0.5 * size], 2.6 * size, angle))
    return tuple(out)


def find_hand(network: Network, image: np.ndarray, roi: Roi) -> Hand | None:
    """The landmarks in the square `roi`, or None where the network sees no hand."""
    patch = crop(image, roi, PIXELS, cv2.BORDER_REPLICATE).astype(np.float32) / 255
    raw, presence, right, world = network(patch)
    if presence[0] < PRESENT:
        return None
    px = roi.to_picture(raw.reshape(21, 3)[:, :2].astype(float) / PIXELS)
    metres = world.reshape(21, 3).astype(float)
    metres[:, :2] = metres[:, :2] @ roi.axes.T
    return Hand(px, metres, float(presence[0]), next_roi(px), float(right[0]))


def next_roi(px: np.ndarray) -> Roi:
    """Where the hand with landmarks (21, 2) is looked for in the next frame."""
    towards = (px[5] + px[13]) / 4 + px[9] / 2
    return around(px[list(KNUCKLES)], upright(px[0], towards), 2.0, -0.1)
