"""Environments and samples shared out among devices: the same results as on one, and nothing said that need not be."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents import Learner, NetworkConfig, Ppo
from agents.sharding import env_mesh, replicate, to_local
from devi_jax.core.errors import ConfigError
from tests.agents.reach import Reach

PPO = Ppo(
    environments=16,
    horizon=8,
    minibatch=32,
    epochs=2,
    gamma=0.9,
    value_clip=None,
    target_kl=0.01,
    exploration_range=(0.3, 2.0),
)
NETWORK = NetworkConfig(
    token_width=4, token_layers=1, transformer_layers=0, heads=1, actor_widths=(8,), critic_widths=(8,)
)


def learner(devices: int) -> Learner:
    return Learner(Reach(5), PPO, NETWORK, env_mesh(jax.devices()[:devices]) if devices else None)


def numbers(tree) -> list[np.ndarray]:
    def plain(x):
        return np.asarray(jax.random.key_data(x) if jnp.issubdtype(x.dtype, jax.dtypes.prng_key) else x)

    return [plain(x) for x in jax.tree.leaves(tree)]


def trained(devices: int):
    one = learner(devices)
    state = one.init(jax.random.key(0))
    for _ in range(2):
        state, metrics = one.update(state)
    return state, metrics


def check_same(devices: int) -> None:
    """Two iterations on so many devices and without a mesh, to float tolerance."""
    for a, b in zip(numbers(trained(0)), numbers(trained(devices)), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)


def test_two_devices_learn_what_one_learns():
    check_same(2)


@pytest.fixture(scope="module")
def two():
    """A learner on two devices, the state it begins with, that after acting, and what it saw."""
    pair = learner(2)
    state = pair.init(jax.random.key(0))
    return pair, state, *pair.collect(state)


def test_each_device_holds_its_share_and_all_parameters(two):
    pair, _, after, rollout = two
    for state in (after, pair.learn(after, rollout)[0]):
        for leaf in jax.tree.leaves((state.environments, state.observation, state.episodes)):
            assert {s.data.shape[0] for s in leaf.addressable_shards} == {PPO.environments // 2}
        for leaf in jax.tree.leaves((state.algorithm, state.iteration)):
            assert leaf.is_fully_replicated and len(leaf.addressable_shards) == 2


def test_acting_needs_no_word_between_devices_and_learning_only_sums(two):
    """Samples stay where they were collected: nothing is gathered or sent, and what is summed is small."""
    pair, state, after, rollout = two
    acting = pair.collect.func.lower(pair.environment, state).compile().as_text()
    learning = pair.learn.lower(after, rollout).compile().as_text()
    exchanges = ("all-gather", "all-to-all", "collective-permute")
    assert not any(f" {word}(" in acting for word in (*exchanges, "all-reduce"))
    assert not any(f" {word}(" in learning for word in exchanges)
    assert " all-reduce(" in learning


def test_devices_that_do_not_divide_are_refused():
    with pytest.raises(ConfigError, match="2 devices"):
        Learner(Reach(), replace(PPO, environments=15, minibatch=15), NETWORK, env_mesh(jax.devices()[:2]))
    with pytest.raises(ConfigError, match="a number of devices that divides both, such as 1, 3, 5"):
        Learner(Reach(), replace(PPO, minibatch=15, environments=15), NETWORK, env_mesh(jax.devices()[:2]))


def test_what_is_replicated_has_a_local_copy():
    tree = {"x": jnp.arange(4.0), "key": jax.random.key(3)}
    back = to_local(replicate(tree, env_mesh(jax.devices()[:2])))
    assert all(leaf.devices() == {jax.devices()[0]} for leaf in jax.tree.leaves(back))
    for a, b in zip(numbers(tree), numbers(back), strict=True):
        np.testing.assert_array_equal(a, b)
