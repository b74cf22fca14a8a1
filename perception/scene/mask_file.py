"""Which pixels of a picture show the thing, from an image file. Without OpenCV, so that commands may name it."""

from pathlib import Path

import numpy as np
from PIL import Image

from devi_jax.core.errors import ConfigError

LEAST_PX, MOST_PART = 20, 0.8


def read_mask(path: Path, shape: tuple[int, ...], where: str) -> np.ndarray:
    """Pixels (H, W) bool that are white in a picture of the same proportions as `shape` (H, W).

    Raises:
        ConfigError: it cannot be read, has other proportions, or shows next to nothing or nearly all as white.
    """
    try:
        image = Image.open(path).convert("L")
    except (OSError, ValueError) as error:
        valid = "a picture that is white where the thing is, black elsewhere"
        raise ConfigError(f"no picture can be read ({error})", where=f"{where}: {path}", valid=valid) from error
    height, width = shape[:2]
    if abs(image.width * height - image.height * width) > 2 * max(width, height):
        raise ConfigError(
            f"the mask has {image.width} x {image.height} pixels",
            where=f"{where}: {path}",
            valid=f"the proportions of the film, {width} x {height}",
        )
    mask = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR)) > 127
    if not LEAST_PX <= mask.sum() < MOST_PART * mask.size:
        what = f"{100 * mask.mean():.1f} % of the picture are white"
        raise ConfigError(what, where=f"{where}: {path}", valid="white where the thing is, black elsewhere")
    return mask
