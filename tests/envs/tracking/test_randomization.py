"""What a randomization draws: its bounds, its distribution, its key, and what it leaves alone."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from devi_jax.core.scene import SceneSpec
from envs.tracking.randomization import Randomization, randomize

COUNT = 1000
NONE = Randomization(object_m=0.0, object_rad=0.0, mass=(1.0, 1.0), friction=(1.0, 1.0))


@pytest.fixture(scope="module")
def state(standing):
    return standing.environment.start(jnp.zeros((), jnp.int32)).physics


def many(standing, state, by: Randomization, seed: int = 0, count: int = COUNT):
    keys = jax.random.split(jax.random.key(seed), count)
    return jax.vmap(lambda key: randomize(standing.environment.physics, state, key, by))(keys)


def test_the_object_moves_on_its_support_within_bounds(standing, state):
    by = Randomization()
    after, before = np.asarray(many(standing, state, by).qpos, float), np.asarray(state.qpos, float)
    assert (after[:, :-7] == before[:-7]).all() and (after[:, -5] == before[-5]).all()
    shift = after[:, -7:-5] - before[-7:-5]
    assert 0.98 * by.object_m < np.abs(shift).max() <= by.object_m + 1e-6
    # uniform: mean 0, standard deviation of the bound over the root of three, axes independent
    np.testing.assert_allclose(shift.mean(axis=0), 0, atol=4 * by.object_m / np.sqrt(3 * COUNT))
    np.testing.assert_allclose(shift.std(axis=0), by.object_m / np.sqrt(3), rtol=0.05)
    assert abs(np.corrcoef(shift.T)[0, 1]) < 4 / np.sqrt(COUNT)


def test_the_object_turns_about_the_vertical_through_itself(standing, state):
    by = Randomization()
    # an object that lies on its side already
    lying = Rotation.from_rotvec([np.pi / 2, 0, 0])
    state = replace(state, qpos=state.qpos.at[-4:].set(jnp.asarray(lying.as_quat(scalar_first=True), jnp.float32)))
    after = Rotation.from_quat(np.asarray(many(standing, state, by).qpos[:, -4:], float), scalar_first=True)
    about = (after * lying.inv()).as_rotvec()
    assert np.abs(about[:, :2]).max() < 1e-5
    assert 0.98 * by.object_rad < np.abs(about[:, 2]).max() <= by.object_rad + 1e-5
    assert about[:, 2].std() == pytest.approx(by.object_rad / np.sqrt(3), rel=0.05)


def test_mass_is_uniform_in_its_logarithm_and_friction_is_uniform(standing, state):
    variation = many(standing, state, Randomization()).variation
    doublings = np.log2(np.asarray(variation.mass, float))
    assert np.abs(doublings).max() <= 1 + 1e-5 and doublings.mean() == pytest.approx(0, abs=4 / np.sqrt(3 * COUNT))
    assert doublings.std() == pytest.approx(1 / np.sqrt(3), rel=0.05)
    friction = np.asarray(variation.friction, float)
    assert 0.7 <= friction.min() and friction.max() <= 1.3
    assert friction.mean() == pytest.approx(1.0, abs=4 * 0.3 / np.sqrt(3 * COUNT))
    assert friction.std() == pytest.approx(0.3 / np.sqrt(3), rel=0.05)


def test_the_same_key_draws_the_same_and_another_draws_another(standing, state):
    first, again, other = (many(standing, state, Randomization(), seed, 4) for seed in (1, 1, 2))
    same = jax.tree.map(lambda a, b: bool((a == b).all()), first, again)
    assert all(jax.tree.leaves(same))
    assert (first.qpos[:, -7] != other.qpos[:, -7]).all()
    assert (first.variation.mass != other.variation.mass).all()
    # four different starts, and no draw of one number decides another
    assert len(set(np.asarray(first.variation.friction).tolist())) == 4


def test_bounds_of_zero_change_nothing(standing, state):
    after = many(standing, state, NONE, count=3)
    np.testing.assert_allclose(after.qpos, jnp.broadcast_to(state.qpos, after.qpos.shape), atol=1e-7)
    assert (np.asarray(after.variation.mass) == 1).all() and (np.asarray(after.variation.friction) == 1).all()


def test_without_an_object_nothing_is_disturbed(standing, state):
    physics = standing.environment.physics
    empty = replace(physics, scene=replace(physics.scene, spec=SceneSpec(None, None)))
    assert randomize(empty, state, jax.random.key(0), Randomization()) is state
