"""Pictures with something to hold on to."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def textured():
    """Smooth noise with corners at several scales: `textured(width, height, seed)` -> uint8 (height, width, 3)."""

    def draw(width: int, height: int, seed: int = 0) -> np.ndarray:
        rng = np.random.default_rng(seed)
        out = np.zeros((height, width, 3))
        for cell in (64, 24, 8):
            coarse = rng.integers(0, 256, size=(height // cell + 2, width // cell + 2, 3), dtype=np.uint8)
            out += np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), float) / 3
        return out.clip(0, 255).astype(np.uint8)

    return draw
