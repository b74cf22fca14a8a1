"""What every test runs under: two virtual CPU devices, a compilation cache that lasts, offscreen GL, fixed seeds."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

CACHE = Path(__file__).parent.parent / ".cache" / "jax"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(CACHE))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
os.environ.setdefault("MUJOCO_GL", "egl")

import hypothesis  # noqa: E402
import jax  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402

from devi_jax.runs.devices import use_older_fusion_emitters  # noqa: E402
from tests import strict_promotion, type_checks  # noqa: E402
from tests.simulated import JITTER, jitter_starts  # noqa: E402

use_older_fusion_emitters()
strict_promotion.install()
type_checks.install()

jax.config.update("jax_num_cpu_devices", 2)

hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None, max_examples=50)
hypothesis.settings.load_profile("fixed")

if os.environ.get(JITTER):
    jitter_starts()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, so that the workers end together."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests marked `gpu` on a machine without an NVIDIA GPU."""
    if item.get_closest_marker("gpu") and shutil.which("nvidia-smi") is None:
        pytest.skip("no NVIDIA GPU on this machine")


@pytest.fixture(autouse=True)
def promotion(request: pytest.FixtureRequest) -> Iterator[None]:
    """Arrays gain neither types nor axes unasked, but in tests that `strict_promotion.LENIENT` lists."""
    with strict_promotion.context(request.node.nodeid):
        yield


@pytest.fixture
def rng() -> np.random.Generator:
    """NumPy's generator with a fixed seed."""
    return np.random.default_rng(0)


@pytest.fixture
def key() -> jax.Array:
    """A JAX key with a fixed seed."""
    return jax.random.key(0)


@pytest.fixture(scope="session")
def lift_can():
    """The bundled clip (`devi_jax.core.clip.Clip`)."""
    from devi_jax.datasets.load import resolve

    return resolve("lift_can")


@pytest.fixture(scope="session")
def assembly(lift_can):
    """The bundled clip on its own feet, on the C engine (`devi_jax.systems.Assembly`), assembled once a worker."""
    from devi_jax.systems import assemble, devi

    return assemble(devi("cpu"), lift_can, "c", "free")
