"""Several seeds in one program learn what each learns alone, on one device or shared out among two."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents.multi_seed import Seeds, keys
from agents.sharding import env_mesh
from devi_jax.core.errors import ConfigError
from tests.agents.test_sharding import learner, numbers

FIRST = 3
ITERATIONS = 2


@pytest.fixture(scope="module")
def one():
    return learner(0)


@pytest.fixture(scope="module")
def alone(one):
    """State and last metrics of a training by seed, each without the others."""

    def train(seed):
        state = one.init(jax.random.key(seed))
        for _ in range(ITERATIONS):
            state, metrics = one.update(state)
        return state, metrics

    return {seed: train(seed) for seed in (FIRST, FIRST + 2, FIRST + 3)}


def check_same(expected, found) -> None:
    for a, b in zip(numbers(expected), numbers(found), strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize(("count", "devices"), [(3, 1), (4, 2)])
def test_each_seed_learns_what_it_learns_alone_and_goes_on_alone(one, alone, count, devices):
    seeds = Seeds(one, count, env_mesh(jax.devices()[:devices]) if devices > 1 else None)
    stacked = seeds.init(keys(range(FIRST, FIRST + count)))
    for _ in range(ITERATIONS):
        stacked, metrics = seeds.update(stacked)
    states = seeds.unstack(stacked)
    assert len(states) == count and all(x.shape == (count,) for x in jax.tree.leaves(metrics))
    for i in (0, count - 1):
        expected, measured = alone[FIRST + i]
        check_same(expected, states[i])
        for name, value in measured.items():
            np.testing.assert_allclose(metrics[name][i], value, rtol=2e-3, atol=2e-5)
        # an update uses its state up
        check_same(*(one.update(jax.tree.map(jnp.copy, state))[0] for state in (expected, states[i])))
    first, last = (numbers(states[i].algorithm.actor) for i in (0, count - 1))
    assert any(not np.allclose(a, b) for a, b in zip(first, last, strict=True))


def test_seeds_that_devices_cannot_share_are_refused(one):
    with pytest.raises(ConfigError) as caught:
        Seeds(one, 3, env_mesh(jax.devices()[:2]))
    assert "3 seeds" in str(caught.value) and caught.value.where == "--seeds, --devices"
    with pytest.raises(ValueError, match="not both"):
        Seeds(learner(2), 2)
