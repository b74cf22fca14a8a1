"""The bundled clip on the C engine, assembled once a worker."""

import pytest

from devi_jax.core.clip import Clip
from devi_jax.datasets.load import resolve
from devi_jax.systems import Assembly, assemble, devi


@pytest.fixture(scope="session")
def lift_can() -> Clip:
    """The bundled clip."""
    return resolve("lift_can")


@pytest.fixture(scope="session")
def assembly(lift_can: Clip) -> Assembly:
    """The bundled clip on its own feet."""
    return assemble(devi("cpu"), lift_can, "c", "free")
