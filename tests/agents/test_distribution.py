import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats

from agents.distribution import Gaussian, entropy, kl, log_prob, sample

MEAN = np.array([[0.3, -1.2, 0.0], [2.0, 0.1, -0.7]], np.float32)
LOG_STD = np.array([-0.5, 0.2, -1.5], np.float32)


@pytest.fixture
def gaussian():
    return Gaussian(jnp.asarray(MEAN), jnp.asarray(LOG_STD))


def test_log_prob_and_entropy_agree_with_scipy(gaussian):
    action = MEAN + np.array([0.2, -0.4, 0.05], np.float32)
    expected = stats.norm.logpdf(action, MEAN, np.exp(LOG_STD)).sum(-1)
    np.testing.assert_allclose(log_prob(gaussian, jnp.asarray(action)), expected, rtol=1e-5)
    np.testing.assert_allclose(
        entropy(gaussian), np.full(2, stats.norm.entropy(scale=np.exp(LOG_STD)).sum()), rtol=1e-5
    )


def test_kl_agrees_with_quadrature_and_vanishes_on_itself(gaussian):
    other = Gaussian(gaussian.mean + 0.4, gaussian.log_std + 0.3)

    def divergence(m, s, m2, s2):
        def integrand(x):
            return stats.norm.pdf(x, m, s) * (stats.norm.logpdf(x, m, s) - stats.norm.logpdf(x, m2, s2))

        return integrate.quad(integrand, m - 12 * s, m + 12 * s)[0]

    std = np.exp(LOG_STD)
    expected = [sum(divergence(m, s, m + 0.4, s * np.exp(0.3)) for m, s in zip(row, std, strict=True)) for row in MEAN]
    np.testing.assert_allclose(kl(gaussian, other), expected, rtol=1e-4)
    np.testing.assert_allclose(kl(gaussian, gaussian), 0, atol=1e-6)


def test_samples_have_the_mean_and_spread_asked_for(gaussian):
    draws = jax.vmap(lambda key: sample(gaussian, key))(jax.random.split(jax.random.key(0), 20_000))
    error = np.exp(LOG_STD) / np.sqrt(20_000)
    np.testing.assert_array_less(np.abs(draws.mean(0) - MEAN), np.broadcast_to(5 * error, MEAN.shape))
    np.testing.assert_allclose(draws.std(0), np.broadcast_to(np.exp(LOG_STD), MEAN.shape), rtol=0.03)
