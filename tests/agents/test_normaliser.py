import jax
import jax.numpy as jnp
import numpy as np
from brax.training.acme import running_statistics

from agents import normaliser

SIZES = {"human": 5, "object": 2}


def batches(count):
    random = np.random.default_rng(0)
    scale = {"human": np.array([1e-2, 1, 30, 2, 5]), "object": np.array([4.0, 0.1])}
    offset = {"human": np.array([0, 10, -50, 3, 1]), "object": np.array([-7.0, 2])}
    return [
        {
            name: (offset[name] + scale[name] * random.normal(size=(6 + k, 7, size))).astype(np.float32)
            for name, size in SIZES.items()
        }
        for k in range(count)
    ]


def test_merging_batches_equals_the_statistics_of_all_samples():
    state = normaliser.init(SIZES)
    for batch in batches(5):
        state = normaliser.update(state, jax.tree.map(jnp.asarray, batch))
    for name, size in SIZES.items():
        samples = np.concatenate([b[name].reshape(-1, size) for b in batches(5)]).astype(np.float64)
        assert state.count == len(samples)
        np.testing.assert_allclose(state.mean[name], samples.mean(0), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(state.variance[name], samples.var(0), rtol=1e-4)


def test_agrees_with_brax():
    ours = normaliser.init(SIZES)
    theirs = running_statistics.init_state({name: jnp.zeros(size) for name, size in SIZES.items()})
    for batch in batches(3):
        batch = jax.tree.map(jnp.asarray, batch)
        ours, theirs = normaliser.update(ours, batch), running_statistics.update(theirs, batch)
    probe = jax.tree.map(jnp.asarray, batches(1)[0])
    expected = running_statistics.normalize(probe, theirs, max_abs_value=normaliser.CLIP)
    actual = normaliser.normalise(ours, probe)
    for name in SIZES:
        # The floor of 1e-5 under the variance shows in the component of standard deviation 1e-2.
        tolerance = 0.06 * np.abs(expected[name]) if name == "human" else 1e-3
        np.testing.assert_array_less(np.abs(actual[name] - expected[name]), tolerance + 1e-3)
        np.testing.assert_allclose(actual[name][..., 1:], expected[name][..., 1:], rtol=1e-3, atol=1e-4)


def test_float32_statistics_do_not_drift_over_many_batches():
    batch = {"x": jnp.asarray(np.random.default_rng(1).normal(100, 1, (4096, 1)), jnp.float32)}
    state = jax.lax.fori_loop(0, 20_000, lambda _, s: normaliser.update(s, batch), normaliser.init({"x": 1}))
    exact = np.asarray(batch["x"], np.float64)
    np.testing.assert_allclose(state.mean["x"], exact.mean(0), rtol=1e-6)
    np.testing.assert_allclose(state.variance["x"], exact.var(0), rtol=1e-3)


def test_clips_and_is_the_identity_before_the_first_batch():
    fresh = normaliser.init({"x": 2})
    observation = {"x": jnp.array([[3.0, -4.0], [1e6, -1e6]])}
    np.testing.assert_allclose(normaliser.normalise(fresh, observation)["x"], [[3, -4], [10, -10]], rtol=1e-5)


def test_a_constant_component_stays_finite():
    state = normaliser.update(normaliser.init({"x": 1}), {"x": jnp.full((8, 1), 2.5)})
    np.testing.assert_array_equal(normaliser.normalise(state, {"x": jnp.full((1,), 2.5)})["x"], [0.0])
