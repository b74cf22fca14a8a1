"""The body in a picture: 33 landmarks of BlazePose, in the picture and in metres (Bazarevsky et al. 2020)."""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.special import expit

from perception.landmarks.detect import Detection, DetectorSpec, detect
from perception.landmarks.network import Network
from perception.landmarks.roi import Roi, crop, upright, whole

DETECTOR = DetectorSpec(224, -1.0, (8, 16, 32, 32, 32))
PIXELS = 256
PRESENT = 0.5
"""Below this the network says that no person is there."""

ROI_SCALE = 1.25

REFINE_CELLS, REFINE_LEAST = 7, 0.5
"""A landmark moves to the mean of its heat within so many cells, if the heat is somewhere as high as this."""

POSE33: tuple[str, ...] = (
    "nose",
    *(f"{side}_eye{part}" for side in ("left", "right") for part in ("_inner", "", "_outer")),
    *("left_ear", "right_ear", "left_mouth", "right_mouth"),
    *(
        f"{side}_{name}"
        for name in ("shoulder", "elbow", "wrist", "pinky1", "index1", "thumb2", "hip", "knee", "ankle", "heel")
        for side in ("left", "right")
    ),
    *("left_big_toe", "right_big_toe"),
)
"""BlazePose's landmarks by the names of `LANDMARKS` where it has them; its pinky, index and thumb are knuckles."""

CENTRE, RIM = 33, 34
"""Two more: the middle of the hips, and a point on the circle around the whole body."""


@dataclass(frozen=True)
class Pose:
    """`px` (33, 2), `confidence` (33,) that a point is in the picture and not hidden, `world` (33, 3) metres.

    `world` has the axes of the camera and its origin between the hips. `roi`: where to look in the next frame.
    """

    px: np.ndarray
    confidence: np.ndarray
    world: np.ndarray
    presence: float
    roi: Roi


def find_people(network: Network, image: np.ndarray) -> tuple[Detection, ...]:
    """Persons in a picture (H, W, 3) uint8: boxes of the face, points of which the first two span the body."""
    return detect(network, DETECTOR, image, whole(image))


def body_roi(centre: np.ndarray, rim: np.ndarray) -> Roi:
    """The square for the landmarks, upright along the body, of its `centre` and a point on the circle around it."""
    return Roi(centre, 2 * ROI_SCALE * float(np.linalg.norm(rim - centre)), upright(centre, rim))


def find_pose(network: Network, image: np.ndarray, roi: Roi) -> Pose | None:
    """The landmarks in the square `roi`, or None where the network sees nobody."""
    patch = crop(image, roi, PIXELS, cv2.BORDER_REPLICATE).astype(np.float32) / 255
    raw, presence, _, heat, world = network(patch)
    if presence[0] < PRESENT:
        return None
    points = raw.reshape(-1, 5)
    local = refine(points[:, :2] / PIXELS, heat)
    px = roi.to_picture(local)
    metres = world.reshape(-1, 3)[:33].astype(float)
    metres[:, :2] = metres[:, :2] @ roi.axes.T
    seen = expit(points[:33, 3:].astype(float))
    return Pose(px[:33], seen.min(axis=1), metres, float(presence[0]), body_roi(px[CENTRE], px[RIM]))


def refine(points: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Points (N, 2) in units of the square, moved to the mean of their heat logits (h, w, N) around them."""
    rows, columns = heat.shape[:2]
    out, half = points.astype(float), REFINE_CELLS // 2
    for i, (x, y) in enumerate(points):
        column, row = int(x * columns), int(y * rows)
        if not (0 <= column < columns and 0 <= row < rows):
            continue
        c, r = max(0, column - half), max(0, row - half)
        part = expit(heat[r : row + half + 1, c : column + half + 1, i])
        if part.max() >= REFINE_LEAST:
            at_row, at_column = np.mgrid[r : r + part.shape[0], c : c + part.shape[1]]
            out[i] = np.array([(at_column * part).sum() / columns, (at_row * part).sum() / rows]) / part.sum()
    return out
