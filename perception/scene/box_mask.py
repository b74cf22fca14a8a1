"""Which pixels of a box show the thing and which the ground: colours of inside and outside, cut where edges are."""

import cv2
import numpy as np

from perception.contracts.checks import EstimateError
from perception.scene.moved_thing import Box, box_of

SIDE_PX = 240
"""The cut is made in a picture of the box so large."""
ROUNDS, WIDENINGS = 6, 4


def mask_in_box(image: np.ndarray, box: Box, beyond: bool = False) -> np.ndarray:
    """Pixels (H, W) bool of a picture (H, W, 3) uint8 that show what the box is around, in one piece without holes.

    GrabCut (Rother et al. 2004): what is outside of the box is ground, or likely so where the thing may reach `beyond`.

    Raises:
        EstimateError: the box is beside the picture, or no thing stands out from its ground.
    """
    height, width = image.shape[:2]
    around = box.grown(0.4)
    rows, columns = around.slices(height, width)
    inner = box.grown(0.03).slices(height, width)
    if min(s.stop - s.start for s in (rows, columns, *inner)) < 8:
        raise EstimateError(
            f"the box at {box.x:.0f}, {box.y:.0f} of {box.width:.0f} x {box.height:.0f} px is no part of the picture",
            where="--box",
            valid=f"a box of 8 px and more within {width} x {height}",
        )
    part = np.ascontiguousarray(image[rows, columns])
    scale = SIDE_PX / max(part.shape[:2])
    small = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    top, left = ((s.start - o.start) * scale for s, o in zip(inner, (rows, columns), strict=True))
    tall, wide = ((s.stop - s.start) * scale for s in inner)
    frame = (slice(round(top), round(top + tall)), slice(round(left), round(left + wide)))
    label = np.full(small.shape[:2], cv2.GC_PR_BGD if beyond else cv2.GC_BGD, np.uint8)
    label[[0, -1]] = label[:, [0, -1]] = cv2.GC_BGD
    label[frame] = cv2.GC_PR_FGD
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(small[..., ::-1].copy(), label, (0, 0, 1, 1), *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
    thing = whole_piece((label == cv2.GC_FGD) | (label == cv2.GC_PR_FGD))
    share = float(thing.sum()) / (tall * wide)
    if share < 0.15:
        raise EstimateError(
            f"no thing stands out in the box: {100 * share:.0f} % of it differ from the ground",
            where="--box",
            valid="15 % or more: a box that fits closely around the thing",
            fix="--box=X,Y,WIDTH,HEIGHT, or a mask of a segmenter: --mask=FILE.png",
        )
    out = np.zeros((height, width), bool)
    out[rows, columns] = cv2.resize(thing.astype(np.float32), part.shape[1::-1], interpolation=cv2.INTER_LINEAR) > 0.5
    return out


def mask_about_box(image: np.ndarray, box: Box) -> np.ndarray:
    """Pixels (H, W) bool of what the box shows a part of: the box is widened to what is found until that ends.

    Raises what `mask_in_box` raises.
    """
    piece = mask_in_box(image, box, beyond=True)
    for _ in range(WIDENINGS):
        wider = box_of(piece)
        if wider.width <= 1.2 * box.width and wider.height <= 1.2 * box.height:
            break
        box, piece = wider, mask_in_box(image, wider, beyond=True)
    return piece


def whole_piece(mask: np.ndarray) -> np.ndarray:
    """The largest piece of a mask (H, W) bool, without holes and hair."""
    smooth = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    outlines, _ = cv2.findContours(smooth, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    out = np.zeros(mask.shape, np.uint8)
    if outlines:
        cv2.drawContours(out, [max(outlines, key=cv2.contourArea)], 0, 1, cv2.FILLED)
    return out > 0
