"""Single-shot detection as MediaPipe's graphs do it: anchors, decoding, weighted non-maximum suppression."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from perception.landmarks.network import Network
from perception.landmarks.roi import Roi, crop

OVERLAP = 0.3
"""Boxes that share more than this part of their union are one thing (`min_suppression_threshold`)."""


@dataclass(frozen=True)
class DetectorSpec:
    """What a detection network was trained with: input `pixels` a side scaled to `low`..1, strides of its layers."""

    pixels: int
    low: float
    strides: tuple[int, ...]


@dataclass(frozen=True)
class Detection:
    """One thing found: `score`, the axis-aligned `box` (2, 2) of least and greatest pixel, its `points` (P, 2)."""

    score: float
    box: np.ndarray
    points: np.ndarray


def anchors(pixels: int, strides: Sequence[int]) -> np.ndarray:
    """Centres of the anchors (A, 2) in units of the image: two for each layer in each cell of its grid.

    Layers of equal stride share a grid, and cells of one grid keep their anchors together (`SsdAnchorsCalculator` with
    fixed size, offset 0.5, one aspect ratio and its interpolated one).
    """
    out = []
    for stride in dict.fromkeys(strides):
        cells = -(-pixels // stride)
        y, x = np.mgrid[:cells, :cells]
        grid = np.stack([x, y], axis=-1).reshape(-1, 2)
        out.append(np.repeat((grid + 0.5) / cells, 2 * strides.count(stride), axis=0))
    return np.concatenate(out)


def detect(
    network: Network, spec: DetectorSpec, image: np.ndarray, roi: Roi, least: float = 0.5
) -> tuple[Detection, ...]:
    """What the network finds in the unturned square `roi` of a picture (H, W, 3) uint8, in its pixels, best first."""
    patch = crop(image, roi, spec.pixels).astype(np.float32) * ((1 - spec.low) / 255) + spec.low
    raw, logits = network(patch)
    scores = expit(logits[:, 0])
    good = scores >= least
    centres = anchors(spec.pixels, spec.strides)[good]
    boxes, points = decode(raw[good] / spec.pixels, centres)
    found = suppress(scores[good], boxes, points)
    return tuple(Detection(d.score, roi.to_picture(d.box), roi.to_picture(d.points)) for d in found)


def decode(raw: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (N, 2, 2) and points (N, P, 2) of outputs (N, 4 + 2P): centre, size, points, relative to anchors (N, 2)."""
    middle, half = raw[:, :2] + centres, raw[:, 2:4] / 2
    points = raw[:, 4:].reshape(len(raw), raw.shape[1] // 2 - 2, 2) + centres[:, None]
    return np.stack([middle - half, middle + half], axis=1), points


def suppress(scores: np.ndarray, boxes: np.ndarray, points: np.ndarray) -> list[Detection]:
    """One detection for each group of overlapping boxes: the mean of the group weighted by score, best group first."""
    out, rest = [], np.argsort(-scores)
    while len(rest):
        same = overlap(boxes[rest[0]], boxes[rest]) > OVERLAP
        same[0] = True
        group, weight = rest[same], scores[rest[same]] / scores[rest[same]].sum()
        box, point = np.tensordot(weight, boxes[group], 1), np.tensordot(weight, points[group], 1)
        out.append(Detection(float(scores[rest[0]]), box, point))
        rest = rest[~same]
    return out


def overlap(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Intersection over union of a box (2, 2) and others (N, 2, 2): (N,)."""
    low, high = np.maximum(box[0], boxes[:, 0]), np.minimum(box[1], boxes[:, 1])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    return shared / np.maximum((box[1] - box[0]).prod() + (boxes[:, 1] - boxes[:, 0]).prod(axis=1) - shared, 1e-12)
