"""A video's facts, and known geometry to write into foreign files."""

import numpy as np
import pytest

from perception.readers.shot import Shot

T, WIDTH, HEIGHT, FOCAL = 5, 1024, 576, 900.0


@pytest.fixture
def shot() -> Shot:
    """Five frames at Wan's rate, with the camera known."""
    K = np.array([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]])
    return Shot(16.0, T, WIDTH, HEIGHT, K)


def project(points: np.ndarray, K: np.ndarray) -> np.ndarray:
    """Pixels (..., 2) of camera points (..., 3)."""
    pixels = points @ K.T
    return pixels[..., :2] / pixels[..., 2:]
