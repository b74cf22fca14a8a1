import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.ppo import Ppo, bound_loss, ppo_loss, value_loss
from devi_jax.core.errors import ConfigError

numbers = st.floats(-5, 5, width=32)


def slope(loss, x, step=1e-6):
    """Central differences of a scalar function of a vector, in double precision."""
    eye = step * np.eye(len(x))
    return np.array([(loss(x + e) - loss(x - e)) / (2 * step) for e in eye])


def test_policy_loss_agrees_with_numpy():
    random = np.random.default_rng(0)
    log_ratio, advantage = random.normal(0, 0.3, 200), random.normal(size=200)
    ratio = np.exp(log_ratio)
    expected = -np.mean(np.minimum(ratio * advantage, np.clip(ratio, 0.8, 1.2) * advantage))
    np.testing.assert_allclose(ppo_loss(jnp.asarray(log_ratio), jnp.asarray(advantage), 0.2), expected, rtol=1e-5)


def test_policy_gradient_is_cut_only_where_it_would_leave_the_trust_region():
    log_ratio = jnp.log(jnp.array([1.5, 1.5, 0.5, 0.5, 1.1]))
    advantage = jnp.array([1.0, -1.0, 1.0, -1.0, 1.0])
    gradient = jax.grad(ppo_loss)(log_ratio, advantage, 0.2)
    np.testing.assert_allclose(gradient, -np.array([0, -1.5, 0.5, 0, 1.1]) / 5, rtol=1e-5)


def test_policy_loss_survives_ratios_beyond_float32():
    loss, gradient = jax.value_and_grad(ppo_loss)(jnp.array([500.0, 0.0]), jnp.array([-1.0, 1.0]), 0.2)
    assert np.isfinite(loss) and np.isfinite(gradient).all()


def test_gradients_agree_with_finite_differences():
    random = np.random.default_rng(1)
    with jax.enable_x64(True):
        advantage, old, target = (jnp.asarray(random.normal(size=12)) for _ in range(3))
        cases = {
            "policy": lambda x: ppo_loss(x, advantage, 0.2),
            "bound": lambda x: bound_loss(x.reshape(4, 3)),
            "value": lambda x: value_loss(x, old, target, 0.2),
        }
        for name, loss in cases.items():
            x = jnp.asarray(random.normal(0, 1.5, 12))
            np.testing.assert_allclose(jax.grad(loss)(x), slope(loss, x), rtol=1e-5, atol=1e-8, err_msg=name)


def test_bound_loss_in_closed_form():
    mean = jnp.array([[0.5, -1.0, 1.0], [1.5, -3.0, 0.0]])
    np.testing.assert_allclose(bound_loss(mean), (0 + 0.5**2 + 2.0**2) / 2, rtol=1e-6)


def test_value_loss_agrees_with_numpy_and_clips_in_its_own_unit():
    random = np.random.default_rng(2)
    value, old, target = (jnp.asarray(random.normal(0, 3, 100), jnp.float32) for _ in range(3))
    clipped = np.clip(value, old - 0.7, old + 0.7)
    expected = 0.5 * np.mean(np.maximum((value - target) ** 2, (clipped - target) ** 2))
    np.testing.assert_allclose(value_loss(value, old, target, 0.7), expected, rtol=1e-5)


@given(numbers, numbers, numbers, st.floats(0.0078125, 2, width=32))
def test_clipping_never_lowers_the_value_loss(value, old, target, epsilon):
    value_, old_, target_ = (jnp.full(1, x) for x in (value, old, target))
    plain, clipped = value_loss(value_, old_, target_, None), value_loss(value_, old_, target_, epsilon)
    assert clipped >= plain * (1 - 1e-6)
    if abs(value - old) < epsilon:
        np.testing.assert_allclose(clipped, plain, rtol=1e-4, atol=1e-6)


def test_minibatches_must_divide_the_samples_and_the_error_offers_some_that_do():
    with pytest.raises(ConfigError) as caught:
        Ppo(environments=100, horizon=10, minibatch=300)
    assert "250" in caught.value.valid and "divisor of 1000" in caught.value.valid
    assert Ppo(environments=100, horizon=10, minibatch=250).minibatch == 250
    with pytest.raises(ConfigError, match="environments is 0"):
        Ppo(environments=0)


def test_defaults_are_the_papers():
    config = Ppo()
    assert (config.environments, config.horizon, config.minibatch) == (4096, 32, 1024)
    assert (config.actor_learning_rate, config.critic_learning_rate) == (2e-5, 1e-4)
