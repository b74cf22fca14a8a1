"""Value normalisation: statistics by NumPy, PopArt's property, and what a clipped critic then learns."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents import NetworkConfig, value_scale
from agents.algorithm import Rollout
from agents.distribution import Gaussian
from agents.networks import Networks
from agents.ppo import Ppo, PpoRecord, compute_targets, rescale_values

T, N = 16, 8
SIZES = {"x": 3}
SMALL = NetworkConfig(token_width=4, heads=1, feedforward_width=4, actor_widths=(4,), critic_widths=(16,))


def config(**changes) -> Ppo:
    return replace(Ppo(environments=N, horizon=T, minibatch=32, epochs=2), **changes)


def returns_of(seed: int, mean: float, std: float):
    return jnp.asarray(np.random.default_rng(seed).normal(mean, std, 500), jnp.float32)


def test_statistics_of_a_few_batches_are_those_of_all_their_returns():
    batches = [returns_of(seed, 3.0 * seed, 1 + seed) for seed in range(5)]
    scale = value_scale.init()
    for batch in batches:
        scale = value_scale.update(scale, batch)
    pooled = np.concatenate(batches).astype(float)
    np.testing.assert_allclose([scale.mean, scale.variance], [pooled.mean(), pooled.var()], rtol=1e-5)


def test_returns_of_long_ago_are_forgotten():
    """After 100 more iterations an old batch has the weight (1 - 0.05)^100, 0.6 %."""
    scale = value_scale.update(value_scale.init(), returns_of(0, -50.0, 1.0))
    for seed in range(100):
        scale = value_scale.update(scale, returns_of(seed, 70.0, 4.0))
    np.testing.assert_allclose(scale.mean, 70, atol=1.0)
    np.testing.assert_allclose(np.sqrt(scale.variance), 4, atol=6.0)


def test_values_are_in_standard_deviations_and_back():
    scale = value_scale.update(value_scale.init(), returns_of(1, 70.0, 12.0))
    again = value_scale.normalise(scale, returns_of(1, 70.0, 12.0))
    np.testing.assert_allclose([again.mean(), again.std()], [0, 1], atol=1e-4)
    np.testing.assert_allclose(value_scale.denormalise(scale, again), returns_of(1, 70.0, 12.0), rtol=1e-5)
    assert value_scale.denormalise(None, again) is again


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_critic_says_the_same_before_and_after_the_statistics_change(precision):
    """PopArt's property, with returns that jump from about 0 to 70 within one iteration."""
    networks = replace(SMALL, precision=precision).build(SIZES, 2)
    _, critic = networks.init(jax.random.key(0))
    observation = {"x": jax.random.normal(jax.random.key(1), (50, 3))}
    old = value_scale.update(value_scale.init(), returns_of(0, 0.5, 0.3))
    new = value_scale.update(old, returns_of(1, 70.0, 20.0))
    assert networks.rescale_critic is not None
    rescaled = networks.rescale_critic(critic, *value_scale.correction(old, new))
    before, after = (
        value_scale.denormalise(scale, networks.critic(parameters, (), observation)[1])
        for scale, parameters in ((old, critic), (new, rescaled))
    )
    assert np.ptp(before) > 0.1
    # within the arithmetic's rounding of the last layer's sum, whose bias is now some standard deviations
    np.testing.assert_allclose(after, before, atol=1e-4 if precision == "float32" else 0.5)
    untouched = networks.critic(critic, (), observation)[1]
    assert np.abs(value_scale.denormalise(new, untouched) - before).max() > 10


@pytest.fixture(scope="module")
def networks() -> Networks:
    return SMALL.build(SIZES, 2)


def rollout_of(networks: Networks, state, level: float) -> Rollout:
    """Rewards of about `level` a step, which a critic can tell from the observation."""
    x = jax.random.normal(jax.random.key(2), (T, N, 3))
    never = jnp.zeros((T, N), bool)
    behaviour = networks.actor(state.actor, (), {"x": x})[1]
    value = value_scale.denormalise(state.value_scale, networks.critic(state.critic, (), {"x": x})[1])
    reward = level * (1 + x[..., 0])
    record = PpoRecord(behaviour, jnp.zeros((T, N)), value)
    return Rollout({"x": x}, ((), ()), behaviour.mean, record, value, reward, ~never, never, never, {})


def test_learning_happens_in_standard_deviations_and_says_so_in_returns(networks):
    settings = config(gamma=0.9)
    state = settings.init(networks, SIZES, jax.random.key(0))
    rollout = rollout_of(networks, state, 70.0)
    batch = compute_targets(settings, state, rollout)
    after, scaled = rescale_values(networks, state, batch)
    assert after.value_scale is not None
    np.testing.assert_allclose(scaled.target.mean(), 0, atol=1e-4)
    np.testing.assert_allclose(scaled.target.std(), 1, rtol=1e-4)
    np.testing.assert_allclose(value_scale.denormalise(after.value_scale, scaled.value), batch.value, atol=1e-3)
    # what the new critic says of the samples is what the old one said, to the clip as to the loss
    said = networks.critic(after.critic, (), scaled.observation)[1]
    np.testing.assert_allclose(said, scaled.value, atol=1e-4)
    np.testing.assert_array_equal(scaled.advantage, batch.advantage)


def test_acting_records_values_in_units_of_return(networks):
    settings = config()
    state = settings.init(networks, SIZES, jax.random.key(0))
    scale = value_scale.update(value_scale.init(), returns_of(0, 70.0, 12.0))
    state, observation = replace(state, value_scale=scale), {"x": jnp.ones((2, 3))}
    decision = settings.act(
        networks, state, ((), ()), observation, (), jnp.arange(2), jax.random.split(jax.random.key(0), 2)
    )
    wanted = scale.mean + jnp.sqrt(scale.variance) * networks.critic(state.critic, (), observation)[1]
    np.testing.assert_allclose(decision.record.value, wanted, rtol=1e-5)
    np.testing.assert_allclose(settings.bootstrap(networks, state, ((), ()), observation), wanted, rtol=1e-5)


def test_without_it_nothing_is_added_to_the_state(networks):
    settings = config(normalise_value=False)
    state = settings.init(networks, SIZES, jax.random.key(0))
    assert len(jax.tree.leaves(state)) == len(jax.tree.leaves(config().init(networks, SIZES, jax.random.key(0)))) - 3
    batch = compute_targets(settings, state, rollout_of(networks, state, 70.0))
    assert rescale_values(networks, state, batch) == (state, batch)


def explained(networks: Networks, iterations: int, **changes) -> float:
    """Share of the variance of returns of about 70 that a critic explains after some iterations."""
    settings = config(critic_learning_rate=3e-3, **changes)
    state, metrics = settings.init(networks, SIZES, jax.random.key(0)), {}
    step = jax.jit(lambda s, r, k: settings.update(networks, s, r, k, jnp.asarray(0)))
    collect = jax.jit(lambda s: rollout_of(networks, s, 70.0))
    for i in range(iterations):
        state, metrics = step(state, collect(state), jax.random.key(i))
    return float(metrics["value/explained_variance"])


def test_clipped_values_reach_large_returns_only_when_normalised(networks):
    """Of returns of 70 +- 70; a clip of 0.2 is 0.3 % of their spread in one unit and 20 % in the other."""
    assert explained(networks, 30) > 0.9
    assert explained(networks, 30, normalise_value=False) < 0.2


def test_networks_that_cannot_be_rescaled_are_normalised_by_running_statistics():
    linear = Networks(
        init=lambda key: ({"w": jnp.zeros(3)}, {"w": jnp.zeros(3)}),
        actor=lambda p, c, o: (c, Gaussian((o["x"] @ p["w"])[..., None], jnp.zeros((*o["x"].shape[:-1], 1)))),
        critic=lambda p, c, o: (c, o["x"] @ p["w"]),
    )
    settings = config()
    state = settings.init(linear, SIZES, jax.random.key(0))
    batch = compute_targets(settings, state, rollout_of(linear, state, 5.0))
    after, scaled = rescale_values(linear, state, batch)
    np.testing.assert_array_equal(after.critic["w"], state.critic["w"])
    np.testing.assert_allclose([scaled.target.mean(), scaled.target.std()], [0, 1], atol=1e-4)
