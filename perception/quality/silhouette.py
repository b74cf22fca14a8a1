"""The object's silhouette in a frame, by the colours that the first frame shows on it and around it.

GrabCut (Rother, Kolmogorov and Blake 2004) with mixtures learnt where the object is known and then kept: where the
object is not, its colours are not either, and the silhouette is empty.
"""

from dataclasses import dataclass

import cv2
import numpy as np

WINDOW = 0.75
"""Pictures are cut out around the object by this part of its size on every side."""
LONGEST_PX = 160
"""Cut-outs are made so small: the graph cut takes long on large ones."""
ROUNDS = 3


@dataclass(frozen=True)
class SilhouetteColours:
    """GrabCut's mixtures (1, 65) of the object and of what is around it, and the cut-out's `scale` of a picture."""

    inside: np.ndarray
    outside: np.ndarray
    scale: float


def learn_colours(image: np.ndarray, outline: np.ndarray) -> SilhouetteColours:
    """Colours of the object, whose `outline` (H, W) bool covers some pixels of an RGB `image` (H, W, 3)."""
    box = window(outline)
    scale = min(1.0, LONGEST_PX / max(*(s.stop - s.start for s in box), 1))
    cut, known = _cut(image, box, scale), _cut(outline.astype(np.uint8), box, scale, cv2.INTER_NEAREST)
    inside, outside = np.zeros((1, 65)), np.zeros((1, 65))
    mask = np.where(known > 0, cv2.GC_FGD, cv2.GC_BGD).astype(np.uint8)
    cv2.setRNGSeed(0)
    cv2.grabCut(cut, mask, (0, 0, 1, 1), outside, inside, 1, cv2.GC_INIT_WITH_MASK)
    return SilhouetteColours(inside, outside, scale)


def silhouette(image: np.ndarray, expected: np.ndarray, colours: SilhouetteColours) -> np.ndarray:
    """Pixels (H, W) bool near those `expected` (H, W) that have the object's colours rather than the others'."""
    box = window(expected)
    cut = _cut(image, box, colours.scale)
    out = np.zeros(expected.shape, bool)
    if min(cut.shape[:2]) < 2:
        return out
    mask = np.full(cut.shape[:2], cv2.GC_PR_BGD, np.uint8)
    mask[_cut(expected.astype(np.uint8), box, colours.scale, cv2.INTER_NEAREST) > 0] = cv2.GC_PR_FGD
    cv2.setRNGSeed(0)
    models = colours.outside.copy(), colours.inside.copy()
    cv2.grabCut(cut, mask, (0, 0, 1, 1), *models, ROUNDS, cv2.GC_EVAL_FREEZE_MODEL)
    found = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.uint8)
    whole = tuple(s.stop - s.start for s in box)
    out[box] = cv2.resize(found, whole[::-1], interpolation=cv2.INTER_NEAREST) > 0
    return out


def overlap(a: np.ndarray, b: np.ndarray, counted: np.ndarray) -> float:
    """Intersection over union of two masks, of the pixels `counted`; zero where both are empty."""
    both = (a & b & counted).sum()
    return float(both / max((((a | b) & counted).sum()), 1))


def window(outline: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns around the pixels of `outline`, which has some, within the picture."""
    out = []
    for axis, size in enumerate(outline.shape):
        on = np.flatnonzero(outline.any(axis=1 - axis))
        margin = int(np.ceil(WINDOW * (on[-1] - on[0] + 1)))
        out.append(slice(max(on[0] - margin, 0), min(on[-1] + 1 + margin, size)))
    return out[0], out[1]


def _cut(image: np.ndarray, box: tuple[slice, slice], scale: float, method: int = cv2.INTER_AREA) -> np.ndarray:
    part = np.ascontiguousarray(image[box])
    return cv2.resize(part, None, fx=scale, fy=scale, interpolation=method) if scale < 1 else part
