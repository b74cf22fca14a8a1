"""The real networks, where they can be had, and a rendered person to show them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from devi_jax.core.errors import DeviceError
from perception.landmarks.estimate import load_networks
from perception.landmarks.follow import Networks


@pytest.fixture(scope="session")
def networks() -> Networks:
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    try:
        return load_networks()
    except DeviceError as error:
        pytest.skip(f"no networks in the cache, and none to be fetched: {error.what}")


@pytest.fixture(scope="session")
def person() -> np.ndarray:
    """A rendered person who stands at a table, uint8 (576, 512, 3)."""
    return np.asarray(Image.open(Path(__file__).parent.parent / "data" / "person.jpg"))
