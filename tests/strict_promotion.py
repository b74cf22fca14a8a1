"""Arrays gain neither types nor axes unasked, in every test: what of it is let off is listed here.

`jax_numpy_dtype_promotion` is `strict` and `jax_numpy_rank_promotion` is `raise`.
"""

import contextlib
from collections.abc import Iterator
from functools import wraps

import jax
import optax

LENIENT: dict[str, str] = {
    "tests/agents/test_networks.py::test_half_precision": "flax's LayerNorm promotes bfloat16",
    "tests/agents/test_normaliser.py::test_agrees_with_brax": "brax, the oracle, promotes ranks and integers",
    "tests/core/test_rotations.py": "jaxlie, the oracle, promotes ranks and integers",
    "tests/envs/adapters/test_brax_env.py": "brax's wrappers compare floats with integers",
    "tests/envs/adapters/test_examples.py::test_brax": "brax's wrappers compare floats with integers",
    "tests/evaluation/test_metrics.py": "what it asks is NumPy; the rollouts it makes up are added to as NumPy's",
    "tests/evaluation/test_success.py": "what it asks is NumPy; the rollouts it makes up are added to as NumPy's",
}
"""Tests let off, by how their names begin, and whose promotion it is; beside them those of the engine `[mjx]`."""


def install() -> None:
    """From now on and in all threads; Adam, which raises a float to the power of an integer, is let off."""
    jax.config.update("jax_numpy_dtype_promotion", "strict")
    jax.config.update("jax_numpy_rank_promotion", "raise")
    correct = optax.tree.bias_correction

    @wraps(correct)
    def bias_correction(*arguments, **options):
        with _lenient():
            return correct(*arguments, **options)

    optax.tree.bias_correction = bias_correction


@contextlib.contextmanager
def context(name: str) -> Iterator[None]:
    """What a test runs under, by its name."""
    # MJX-JAX adds floats to truth values wherever it is stepped
    lenient = name.startswith(tuple(LENIENT)) or name.endswith("[mjx]")
    with _lenient() if lenient else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def _lenient() -> Iterator[None]:
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield
