from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents.networks import PAPER, NetworkConfig
from devi_jax.core.errors import ConfigError

DEVI = {"human": 778, "object": 15, "goal": 468}
SIZES = {"human": 4, "object": 3, "goal": 2}
TINY = NetworkConfig(
    token_width=8, transformer_layers=1, heads=2, feedforward_width=16, actor_widths=(16,), critic_widths=(16,)
)


def observation(*leading, seed=0):
    random = np.random.default_rng(seed)
    return {name: jnp.asarray(random.normal(size=(*leading, size)), jnp.float32) for name, size in SIZES.items()}


def random_like(shapes):
    random = np.random.default_rng(1)
    return jax.tree.map(lambda x: jnp.asarray(0.3 * random.normal(size=x.shape), x.dtype), shapes)


def compiled(config):
    """Actor and critic for three actions, with random parameters, as one compiled function of the observation."""
    networks = config.build(SIZES, 3)
    actor, critic = random_like(jax.eval_shape(networks.init, jax.random.key(0)))
    return jax.jit(lambda o: (networks.actor(actor, (), o)[1], networks.critic(critic, (), o)[1]))


def parameters(tree):
    return sum(x.size for x in jax.tree.leaves(tree))


def dense(*widths):
    return sum(a * b + b for a, b in zip(widths[:-1], widths[1:], strict=True))


def test_paper_networks_have_the_papers_layers():
    networks = PAPER.build(DEVI, 153)
    actor, critic = jax.eval_shape(networks.init, jax.random.key(0))
    width, norm = 256, 2 * 256
    tokens = sum(dense(size, width, width) for size in DEVI.values()) + len(DEVI) * width
    layer = 4 * dense(width, width) + dense(width, 512, width) + 2 * norm
    head = dense(len(DEVI) * width, 1024, 1024, 1024, 153)
    assert parameters(actor) == tokens + 2 * layer + norm + head
    assert parameters(critic) == dense(sum(DEVI.values()), 1024, 1024, 1024, 1024, 1)
    assert parameters(actor) == pytest.approx(4.6e6, rel=0.01)
    assert parameters(critic) == pytest.approx(4.4e6, rel=0.01)


def test_any_leading_dimensions_mean_the_same():
    run, batch = compiled(TINY), observation(6, 2)
    policy, value = run(batch)
    assert policy.mean.shape == (6, 2, 3) and value.shape == (6, 2)
    one_policy, one_value = run({name: token[4, 1] for name, token in batch.items()})
    np.testing.assert_allclose(one_policy.mean, policy.mean[4, 1], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(one_value, value[4, 1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("transformer_layers", [0, 1])
def test_every_component_reaches_every_output_whatever_the_order_of_names(transformer_layers):
    run = compiled(replace(TINY, transformer_layers=transformer_layers))
    policy, value = jax.jit(jax.jacobian(run))(observation())
    for block in jax.tree.leaves((policy.mean, value)):
        assert (jnp.abs(block) > 0).all()
    for here, there in zip(*map(jax.tree.leaves, map(run, (observation(), turned(observation())))), strict=True):
        np.testing.assert_array_equal(here, there)


def turned(tokens):
    return dict(reversed(tokens.items()))


def test_every_parameter_is_used():
    networks = TINY.build(SIZES, 3)
    shapes, _ = jax.eval_shape(networks.init, jax.random.key(0))
    actor = random_like(shapes)
    gradient = jax.jit(jax.grad(lambda p: (networks.actor(p, (), observation(5))[1].mean ** 2).sum()))(actor)
    # A bias on all keys shifts all attention scores alike, and softmax does not see it.
    del gradient["mean"]["encoder"]["layers"][0]["attention"]["key"]["bias"]
    assert all(np.any(x) for x in jax.tree.leaves(gradient))


@pytest.fixture(scope="module")
def learned():
    """Networks that start with a mean of zero and learn their log standard deviations, and their parameters."""
    config = replace(TINY, output_scale=0.0, log_std=(-1.0, -2.0, -3.0), learn_log_std=True, transformer_layers=0)
    networks = config.build(SIZES, 3)
    return networks, jax.jit(networks.init)(jax.random.key(0))


def test_zero_output_scale_starts_with_a_mean_of_zero(learned):
    networks, (actor, _) = learned
    np.testing.assert_array_equal(jax.jit(networks.actor)(actor, (), observation(7))[1].mean, np.zeros((7, 3)))


def test_a_learned_log_std_is_a_parameter_for_each_action(learned):
    networks, (actor, _) = learned
    total = jax.jit(jax.value_and_grad(lambda p: networks.actor(p, (), observation(2))[1].log_std.sum()))
    log_std, gradient = total(actor)
    assert log_std == pytest.approx(2 * (-1 - 2 - 3))
    np.testing.assert_array_equal(gradient.pop("log_std"), [2, 2, 2])
    assert not any(np.any(x) for x in jax.tree.leaves(gradient))


def test_a_bounded_log_std_stays_in_its_range_and_can_return():
    config = replace(TINY, log_std=-2.0, learn_log_std=True, log_std_range=0.5)
    networks = config.build(SIZES, 3)
    actor, _ = networks.init(jax.random.key(0))

    def log_std(parameter):
        return networks.actor({**actor, "log_std": parameter}, (), observation(1))[1].log_std[0]

    np.testing.assert_allclose(log_std(actor["log_std"]), -2.0, rtol=1e-6)
    # in a layer's steps: 64 times the parameter's own, and in closed form -2 + 0.5 tanh(64 d / 0.5)
    moved = log_std(jnp.array([-2.0 + 1e-3, -2.0 - 4e-3, -2.0 + 1.0]))
    np.testing.assert_allclose(moved, -2 + 0.5 * np.tanh(64 * np.array([1e-3, -4e-3, 1.0]) / 0.5), rtol=1e-4)
    slope = jax.grad(lambda p: log_std(p).sum())(jnp.full(3, -2.0 - 0.02))
    assert (slope > 0).all()
    with pytest.raises(ConfigError, match="log_std_range is 0"):
        replace(TINY, log_std_range=0.0)


def test_a_fixed_log_std_is_as_given_and_no_parameter():
    networks = replace(TINY, log_std=-1.5).build(SIZES, 3)
    shapes, _ = jax.eval_shape(networks.init, jax.random.key(0))
    assert set(shapes) == {"mean"}
    policy, _ = compiled(replace(TINY, log_std=-1.5))(observation(2))
    np.testing.assert_array_equal(policy.log_std, np.full((2, 3), -1.5))


def test_wrong_sizes_name_what_would_fit():
    with pytest.raises(ConfigError, match="2 log standard deviations for 3 actions"):
        replace(TINY, log_std=(-1.0, -2.0)).build(SIZES, 3)
    with pytest.raises(ConfigError) as caught:
        replace(TINY, heads=3)
    assert caught.value.valid == "1, 2, 4, 8"
    with pytest.raises(ConfigError, match="token_layers is 0"):
        replace(TINY, token_layers=0)


def test_half_precision_is_of_the_arithmetic_alone():
    half = replace(TINY, precision="bfloat16")
    shapes = jax.eval_shape(half.build(SIZES, 3).init, jax.random.key(0))
    assert {x.dtype for x in jax.tree.leaves(shapes)} == {jnp.dtype("float32")}
    batch = observation(64)
    (exact, value), (policy, rough) = compiled(TINY)(batch), compiled(half)(batch)
    assert policy.mean.dtype == rough.dtype == jnp.float32
    for a, b in ((exact.mean, policy.mean), (value, rough)):
        error = np.abs(a - b).max() / np.std(a)
        assert 1e-4 < error < 0.2  # eight bits: rounded, and not wrong
