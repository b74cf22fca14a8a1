from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from agents.algorithm import Rollout
from agents.distribution import Gaussian, log_prob
from agents.gae import Trajectory, advantages
from agents.minibatch import group_samples, shuffle, take_minibatch
from agents.networks import Networks
from agents.ppo import Ppo, PpoRecord, actor_loss, adapt_learning_rate, compute_targets, widened
from agents.rollout import rollout_metrics
from agents.state import first_episodes
from devi_jax.core.errors import ConfigError

T, N = 8, 4
LOG_STD = jnp.log(0.5)

LINEAR = Networks(
    init=lambda key: ({"w": jnp.zeros(2)}, {"w": jnp.zeros(2)}),
    actor=lambda p, c, o: (c, Gaussian((o["x"] @ p["w"])[..., None], jnp.full((*o["x"].shape[:-1], 1), LOG_STD))),
    critic=lambda p, c, o: (c, o["x"] @ p["w"]),
)
"""Actor and critic linear in one token of length 2."""


def config(**changes):
    base = Ppo(environments=N, horizon=T, minibatch=16, epochs=2, gamma=0.9, value_clip=None)
    return replace(base, **changes)


@pytest.fixture(scope="module")
def state():
    return begin(config())


def begin(settings):
    """The algorithm's state before the first iteration."""
    return settings.init(LINEAR, {"x": 2}, jax.random.key(0))


def learn(settings, state, rollout, iteration=0):
    return settings.update(LINEAR, state, rollout, jax.random.key(1), jnp.asarray(iteration))


@pytest.fixture(scope="module")
def rollout(state):
    random = np.random.default_rng(0)

    def normal(*shape):
        return jnp.asarray(random.normal(size=shape), jnp.float32)

    observation = {"x": normal(T, N, 2)}
    _, behaviour = LINEAR.actor(state.actor, (), observation)
    never = jnp.zeros((T, N), bool)
    reward, value, next_value = normal(T, N), normal(T, N), normal(T, N)
    invalid = never.at[3, 1].set(True)
    return Rollout(
        observation=observation,
        carry=((), ()),
        action=0.5 * normal(T, N, 1),
        record=PpoRecord(behaviour, jnp.zeros((T, N)), value),
        bootstrap=next_value,
        reward=reward,
        terminated=never.at[3, 1].set(True),
        truncated=never.at[5, 2].set(True),
        invalid=invalid,
        metrics={"error_m": jnp.where(invalid, 0, 2.0)},
    )


def flat(settings, state, rollout):
    """The samples of a rollout one after the other, time first."""
    batch = compute_targets(settings, state, rollout)
    return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), batch)


def test_targets_are_advantage_plus_old_value_and_samples_stay_together(state, rollout):
    batch = flat(config(normalise_advantage=False, reward_scale=0.1), state, rollout)
    value = rollout.record.value
    scaled = Trajectory(0.1 * rollout.reward, value, rollout.bootstrap, rollout.terminated, rollout.truncated)
    expected = advantages(scaled, 0.9, 0.95)
    np.testing.assert_allclose(batch.advantage, expected.ravel(), rtol=1e-5)
    np.testing.assert_allclose(batch.target, (expected + value).ravel(), rtol=1e-5)
    np.testing.assert_allclose(batch.observation["x"][N + 2], rollout.observation["x"][1, 2], rtol=1e-4)
    np.testing.assert_array_equal(batch.action[N + 2], rollout.action[1, 2])


def test_normalised_advantages_do_not_touch_the_targets(state, rollout):
    plain, normalised = (flat(config(normalise_advantage=n), state, rollout) for n in (False, True))
    np.testing.assert_allclose([normalised.advantage.mean(), normalised.advantage.std()], [0, 1], atol=1e-5)
    np.testing.assert_array_equal(normalised.target, plain.target)


def test_the_first_gradient_is_the_plain_policy_gradient(state, rollout):
    batch = flat(config(), state, rollout)
    gradient, metrics = jax.grad(actor_loss, has_aux=True)(state.actor, LINEAR, config(), batch)
    x, error = np.asarray(batch.observation["x"]), np.asarray(batch.action - batch.behaviour.mean)
    score = x * error / np.exp(2 * LOG_STD)
    np.testing.assert_allclose(gradient["w"], -(score * np.asarray(batch.advantage)[:, None]).mean(0), rtol=1e-4)
    np.testing.assert_allclose([metrics["policy/kl"], metrics["policy/clip_fraction"]], 0, atol=1e-6)


def test_bound_and_entropy_enter_the_actor_loss_with_their_weights(state, rollout):
    wide = {"w": jnp.array([2.0, -1.0])}
    batch = flat(config(), state, rollout)
    (plain, metrics), (weighted, _) = (
        actor_loss(wide, LINEAR, config(bound_weight=b, entropy_weight=e), batch) for b, e in ((0.0, 0.0), (3.0, 0.5))
    )
    mean = np.asarray(batch.observation["x"]) @ np.array([2.0, -1.0])
    bound = np.mean(np.maximum(np.abs(mean) - 1, 0) ** 2)
    spread = 0.5 * np.log(2 * np.pi * np.e * 0.25)
    np.testing.assert_allclose(weighted - plain, 3 * bound - 0.5 * spread, rtol=1e-4)
    np.testing.assert_allclose(metrics["loss/policy"], plain, rtol=1e-6)


def test_one_full_batch_step_is_adam_on_each_loss_with_its_own_rate(state, rollout):
    settings = config(minibatch=T * N, epochs=1, actor_learning_rate=1e-3, critic_learning_rate=2e-2)
    state = begin(settings)
    after, _ = learn(settings, state, rollout)
    batch = flat(settings, state, rollout)
    residual = np.asarray(LINEAR.critic(state.critic, (), batch.observation)[1] - batch.target)
    critic_gradient = (residual[:, None] * np.asarray(batch.observation["x"])).mean(0)
    actor_gradient = jax.grad(actor_loss, has_aux=True)(state.actor, LINEAR, settings, batch)[0]["w"]
    # Adam's first step has the size of its rate in every component.
    np.testing.assert_allclose(after.critic["w"] - state.critic["w"], -2e-2 * np.sign(critic_gradient), rtol=1e-3)
    np.testing.assert_allclose(after.actor["w"] - state.actor["w"], -1e-3 * np.sign(actor_gradient), rtol=1e-3)


def test_all_minibatches_see_the_statistics_of_the_rollout_which_change_only_afterwards(state, rollout):
    settings = config()
    after, _ = learn(settings, state, rollout)
    x = np.asarray(rollout.observation["x"]).reshape(-1, 2)
    np.testing.assert_allclose(after.normaliser.mean["x"], x.mean(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(after.normaliser.variance["x"], x.var(0), rtol=1e-4)
    batch = flat(settings, state, rollout)
    np.testing.assert_allclose(batch.observation["x"], np.clip(x, -10, 10), rtol=1e-4)


def test_metrics_are_means_over_valid_steps(state, rollout):
    settings = config()
    _, metrics = learn(settings, state, rollout)
    metrics, batch = metrics | rollout_metrics(rollout, first_episodes(N)), flat(settings, state, rollout)
    assert metrics["environment/error_m"] == pytest.approx(2.0)
    assert metrics["episode/nan_environments"] == 1
    assert metrics["episode/terminated"] == pytest.approx(1 / (T * N))
    assert metrics["episode/truncated"] == pytest.approx(1 / (T * N))
    assert metrics["episode/reward"] == pytest.approx(float(rollout.reward.mean()))
    explained = 1 - float((batch.target - batch.value).var() / batch.target.var())
    assert metrics["value/explained_variance"] == pytest.approx(explained, rel=1e-4)


def test_minibatches_take_every_sample_once_and_as_many_of_each_group(state, rollout):
    settings = config(minibatch=8, epochs=1)
    assert settings.groups == 4
    assert Ppo(environments=12, horizon=6, minibatch=18).groups == 6
    batch = compute_targets(settings, state, rollout)
    whole, chosen = group_samples(batch, settings), shuffle(jax.random.key(0), 4, T, 4)
    minibatches = [np.asarray(take_minibatch(whole, c).observation["x"]) for c in chosen]
    x = np.asarray(batch.observation["x"])
    for minibatch in minibatches:
        assert minibatch.shape == (8, 2)
        owners = [[n for n in range(N) if (x[:, n] == row).all(-1).any()] for row in minibatch]
        np.testing.assert_array_equal(np.bincount(np.ravel(owners)), 2)
    np.testing.assert_array_equal(np.unique(np.concatenate(minibatches), axis=0), np.unique(x.reshape(-1, 2), axis=0))
    assert (shuffle(jax.random.key(1), 4, T, 4) != chosen).any()


def test_likelihoods_of_the_batch_are_those_of_the_behaviour(state, rollout):
    batch = flat(config(), state, rollout)
    np.testing.assert_array_equal(batch.log_prob, log_prob(rollout.record.behaviour, rollout.action).ravel())


def test_environments_explore_by_their_factor_and_are_learned_from_as_they_acted(state, rollout):
    settings = config(exploration_range=(0.25, 4.0))
    keys = jax.random.split(jax.random.key(3), N)
    observation = jax.tree.map(lambda x: x[0], rollout.observation)
    acted = settings.act(LINEAR, state, ((), ()), observation, None, jnp.arange(N), keys)
    factor = 0.25 * 16 ** (np.arange(N) / (N - 1))
    np.testing.assert_allclose(np.exp(acted.record.behaviour.log_std[:, 0]), 0.5 * factor, rtol=1e-5)
    alike = config().act(LINEAR, state, ((), ()), observation, None, jnp.arange(N), keys)
    np.testing.assert_allclose(acted.action - acted.record.behaviour.mean, factor[:, None] * alike.action, rtol=1e-4)
    widening = jnp.broadcast_to(acted.record.widening, (T, N))
    behaviour = widened(rollout.record.behaviour, widening)
    batch = compute_targets(
        settings, state, replace(rollout, record=PpoRecord(behaviour, widening, rollout.record.value))
    )
    np.testing.assert_allclose(batch.log_prob, log_prob(behaviour, rollout.action), rtol=1e-6)
    # the policy that acted is no other than itself: every ratio is 1, and no divergence is left
    _, metrics = actor_loss(state.actor, LINEAR, settings, batch)
    assert metrics["policy/clip_fraction"] == 0 and metrics["policy/kl"] == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(metrics["loss/policy"], -batch.advantage.mean(), atol=1e-6)
    # a change of the mean is the same divergence however far environments explore
    moved = {"w": jnp.ones(2)}
    plain = compute_targets(config(), state, rollout)
    far, near = (actor_loss(moved, LINEAR, config(), b)[1]["policy/kl"] for b in (batch, plain))
    np.testing.assert_allclose(far, near, rtol=1e-5)
    for wrong in ((0.0, 1.0), (2.0, 1.0), (0.5, float("nan"))):
        with pytest.raises(ConfigError, match="exploration_range"):
            config(exploration_range=wrong)


def test_the_learning_rate_is_adapted_to_the_wanted_divergence(state, rollout):
    """A target far above what an iteration reaches raises the rate by half, one far below divides it, None keeps it."""
    for target, factor in ((1e3, 1.5), (1e-12, 1 / 1.5), (None, 1.0)):
        settings = config(target_kl=target, actor_learning_rate=1e-3)
        _, metrics = learn(settings, begin(settings), rollout)
        np.testing.assert_allclose(metrics["policy/learning_rate"], 1e-3 * factor, rtol=1e-5)


def test_the_learning_rate_stays_within_a_factor_of_ten():
    settings = config(target_kl=1.0, actor_learning_rate=1e-3)
    optimiser = begin(settings).actor_optimiser
    for divergence, bound in ((0.0, 1e-2), (10.0, 1e-4)):
        now = optimiser
        for _ in range(20):
            now = adapt_learning_rate(settings, now, jnp.asarray(divergence))
        np.testing.assert_allclose(optax.tree.get(now, "learning_rate"), bound, rtol=1e-5)


def test_while_the_critic_warms_up_the_actor_stays(state, rollout):
    settings = config(critic_warmup=1, critic_learning_rate=1e-2, target_kl=0.01)
    after, metrics = learn(settings, state, rollout)
    assert (after.actor["w"] == state.actor["w"]).all() and (after.critic["w"] != state.critic["w"]).any()
    # and its rate too: no divergence is no reason to hurry
    np.testing.assert_allclose(metrics["policy/learning_rate"], settings.actor_learning_rate, rtol=1e-6)
    later, _ = learn(settings, after, rollout, iteration=1)
    assert (later.actor["w"] != after.actor["w"]).any()


@pytest.mark.parametrize("decay", [0.0, 0.75])
def test_the_averaged_actor_follows_with_its_decay(decay, state, rollout):
    settings = config(actor_ema=decay)
    after, _ = learn(settings, state, rollout)
    wanted = decay * state.actor_ema["w"] + (1 - decay) * after.actor["w"]
    np.testing.assert_allclose(after.actor_ema["w"], wanted, rtol=1e-6)
