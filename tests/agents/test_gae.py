from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from brax.training.agents.ppo.losses import compute_gae

from agents.gae import Trajectory, advantages

GAMMA, LAMBDA = 0.97, 0.9


def random_trajectory(steps=12, environments=5, ends=0.2, seed=0):
    random = np.random.default_rng(seed)
    shape = (steps, environments)
    reward, value, next_value = (jnp.asarray(random.normal(size=shape), jnp.float32) for _ in range(3))
    terminated, truncated = (jnp.asarray(random.random(shape) < ends) for _ in range(2))
    return Trajectory(reward, value, next_value, terminated, truncated)


def test_agrees_with_a_plain_loop():
    trajectory = random_trajectory()
    reward, value, next_value, terminated, truncated = map(np.asarray, vars(trajectory).values())
    assert terminated.any() and truncated.any() and (terminated & truncated).any()
    expected = np.zeros_like(reward)
    for n in range(reward.shape[1]):
        following = 0.0
        for k in reversed(range(reward.shape[0])):
            target = reward[k, n] + (0 if terminated[k, n] else GAMMA * next_value[k, n])
            if terminated[k, n] or truncated[k, n]:
                following = 0.0
            following = target - value[k, n] + GAMMA * LAMBDA * following
            expected[k, n] = following
    np.testing.assert_allclose(advantages(trajectory, GAMMA, LAMBDA), expected, rtol=1e-4, atol=1e-5)


def test_agrees_with_brax_where_nothing_is_truncated():
    t = random_trajectory(seed=1)
    bootstrap = jnp.asarray(np.random.default_rng(2).normal(size=5), jnp.float32)
    next_value = jnp.concatenate([t.value[1:], bootstrap[None]])
    t = replace(t, next_value=next_value, truncated=jnp.zeros_like(t.truncated))
    zeros = jnp.zeros_like(t.reward)
    # brax's targets follow GAE(lambda); its advantages take another step from them and differ by design.
    targets, _ = compute_gae(zeros, t.terminated.astype(jnp.float32), t.reward, t.value, bootstrap, LAMBDA, GAMMA)
    np.testing.assert_allclose(advantages(t, GAMMA, LAMBDA) + t.value, targets, rtol=1e-4, atol=1e-5)


def test_constant_reward_without_values_is_a_geometric_sum():
    steps, zeros, never = 20, jnp.zeros((20, 1)), jnp.zeros((20, 1), bool)
    t = Trajectory(jnp.ones((20, 1)), zeros, zeros, never, never)
    decay = GAMMA * LAMBDA
    expected = (1 - decay ** np.arange(steps, 0, -1)) / (1 - decay)
    np.testing.assert_allclose(advantages(t, GAMMA, LAMBDA)[:, 0], expected, rtol=1e-5)


def test_true_values_leave_no_advantage_across_truncations_but_do_across_terminations():
    ends = jnp.zeros((9, 1), bool).at[4].set(True)
    never, value = jnp.zeros_like(ends), jnp.full((9, 1), 1 / (1 - GAMMA))
    endless = Trajectory(jnp.ones((9, 1)), value, value, terminated=never, truncated=ends)
    np.testing.assert_allclose(advantages(endless, GAMMA, LAMBDA), 0, atol=1e-4)
    failing = Trajectory(jnp.ones((9, 1)), value, value, terminated=ends, truncated=never)
    lost = -GAMMA / (1 - GAMMA) * (GAMMA * LAMBDA) ** np.arange(4, -1, -1)
    np.testing.assert_allclose(advantages(failing, GAMMA, LAMBDA)[:, 0], [*lost, 0, 0, 0, 0], rtol=1e-4, atol=1e-4)
