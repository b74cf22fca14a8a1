"""What is learned of episodes: failures by time, good own states, a scale of bounds that ends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from envs.tracking.config import CurriculumConfig
from envs.tracking.curriculum import AHEAD, Where, draw_bin, first_curriculum, learned, termination_scale

CONFIG = CurriculumConfig(bin_frames=10, uniform=0.2, rate=0.5, termination_scale=3.0, decay=10)
STEPS, COUNT = 32, 4
ONLY, LENGTH = jnp.zeros((), jnp.int32), jnp.array([40])


@pytest.fixture
def start():
    return first_curriculum(CONFIG, 1, 40, {"x": jnp.zeros(2)})


def rollout(t0, reward, ends=()):
    """Four environments from frames `t0` on; `ends`: (step, environment) that fail."""
    t = np.arange(STEPS)[:, None] + np.asarray(t0)[None]
    x = np.stack([t, np.broadcast_to(np.arange(COUNT), t.shape)], axis=-1)
    terminated = np.zeros(t.shape, bool)
    for step, n in ends:
        terminated[step, n] = True
    where = Where(1, jnp.zeros(t.shape, jnp.int32), jnp.asarray(t))
    return {"x": jnp.asarray(x, jnp.float32)}, where, jnp.asarray(reward), jnp.asarray(terminated)


def test_nothing_learned_draws_every_time_alike(start):
    bins = jax.vmap(lambda k: draw_bin(k, CONFIG, start, ONLY, LENGTH))(jax.random.split(jax.random.key(0), 4000))
    counts = np.bincount(bins, minlength=4) / 4000
    np.testing.assert_allclose(counts, 0.25, atol=4 * np.sqrt(0.1875 / 4000))


def test_failures_are_counted_by_time_and_draw_starts(start):
    states, t, reward, terminated = rollout([0] * COUNT, np.ones((STEPS, COUNT)), ends=((15, 0), (15, 1)))
    after = learned(CONFIG, start, states, t, reward, terminated, terminated)
    # 2 of the 40 steps in frames 10 to 19 failed; the rate is a half
    np.testing.assert_allclose(after.failures, [0, 0.5 * 2 / 40, 0, 0], atol=1e-6)
    bins = jax.vmap(lambda k: draw_bin(k, CONFIG, after, ONLY, LENGTH))(jax.random.split(jax.random.key(1), 4000))
    np.testing.assert_allclose(np.bincount(bins, minlength=4) / 4000, [0.05, 0.85, 0.05, 0.05], atol=0.025)


def test_the_best_state_that_was_lived_on_from_is_kept(start):
    reward = np.full((STEPS, COUNT), 0.2)
    reward[:, 2], reward[:, 3] = 0.6, 0.9
    # the best environment fails at step 17, so its states from step 2 on have not been lived on from for 16 steps
    states, t, reward, terminated = rollout([0] * COUNT, reward, ends=((17, 3),))
    after = learned(CONFIG, start, states, t, reward, terminated, terminated)
    assert after.visited["x"][0].tolist()[1] == 3 and after.visited["x"][0, 0] <= 1
    np.testing.assert_allclose(after.visited_score[:2], [0.9, 0.6], rtol=1e-5)
    assert after.visited["x"][1, 1] == 2 and 10 <= after.visited["x"][1, 0] < STEPS - AHEAD
    # later bins have not been visited long enough
    assert np.isneginf(after.visited_score[2:]).all()


def test_a_worse_state_does_not_replace_a_better_one_at_once(start):
    good = learned(CONFIG, start, *_with_done(rollout([0] * COUNT, np.full((STEPS, COUNT), 0.9))))
    same = learned(CONFIG, good, *_with_done(rollout([1] * COUNT, np.full((STEPS, COUNT), 0.5))))
    assert (same.visited["x"][0] == good.visited["x"][0]).all() and same.visited_score[0] < good.visited_score[0]


def _with_done(parts):
    return (*parts, parts[-1])


def test_the_scale_of_bounds_decays_to_one(start):
    states, t, reward, terminated = rollout([0] * COUNT, np.ones((STEPS, COUNT)))
    factors, now = [], start
    for _ in range(21):
        factors.append(float(termination_scale(CONFIG, now)))
        now = learned(CONFIG, now, states, t, reward, terminated, terminated)
    np.testing.assert_allclose(factors[::10], [3.0, 1 + 2 / np.e, 1 + 2 / np.e**2], rtol=1e-5)
