"""Films made ready to be looked at: of another size, or each frame laid over the first where the camera drifts."""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d


def resized(frames: Iterable[np.ndarray], width: int, height: int) -> Iterator[np.ndarray]:
    """Frames, uint8 (H, W, 3), of another size; smaller ones by area."""
    for image in frames:
        same = image.shape[:2] == (height, width)
        yield image if same else cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def steadied(frames: Iterable[np.ndarray], paths: np.ndarray, smooth: float = 2.0) -> Iterator[np.ndarray]:
    """Frames, uint8 (H, W, 3), with similarities (T, 2, 3) from the first frame to each taken back.

    What a frame does not show at its rim is the nearest that it shows. Similarities are smoothed over `smooth` frames:
    a camera drifts, and what is measured of it trembles.
    """
    even = np.asarray(gaussian_filter1d(paths, smooth, axis=0, mode="nearest"))
    for image, path in zip(frames, [*even], strict=True):
        # corner origin to OpenCV's centre of the first pixel
        shift = path.copy()
        shift[:, 2] += path[:, :2] @ [0.5, 0.5] - 0.5
        size = (image.shape[1], image.shape[0])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        yield cv2.warpAffine(image, shift, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
