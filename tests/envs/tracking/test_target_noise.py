"""Noise on targets: every ball joint and hinge by as much as it says, nothing else."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy.spatial.transform import Rotation

from envs.physics import Control
from envs.tracking.target_noise import TargetNoise, disturbed


def drawn(rad: float, count: int = 4000):
    rotation = Rotation.random(4, rng=np.random.default_rng(0)).as_quat(scalar_first=True)
    control = Control(jnp.asarray(rotation, jnp.float32), jnp.arange(3.0), jnp.array([0.3, -1.0]))
    keys = jax.random.split(jax.random.key(0), count)
    return control, jax.vmap(lambda key: disturbed(control, TargetNoise(key, rad), (True, False)))(keys)


def test_balls_turn_in_their_own_frames_and_hinges_move():
    control, out = drawn(0.05)
    there = Rotation.from_quat(np.asarray(control.rotation[1:]), scalar_first=True)
    turns = [(there.inv() * Rotation.from_quat(x[1:], scalar_first=True)).as_rotvec() for x in np.asarray(out.rotation)]
    np.testing.assert_allclose(np.std(turns, axis=0), 0.05, rtol=0.05)
    np.testing.assert_allclose(np.mean(turns, axis=0), 0.0, atol=0.004)
    np.testing.assert_allclose(out.scalars[:, 0].std(), 0.05, rtol=0.05)


def test_root_and_slides_stay():
    control, out = drawn(0.05, 3)
    for found, wanted in ((out.rotation[:, 0], control.rotation[0]), (out.root_position, control.root_position)):
        assert (np.asarray(found) == np.asarray(wanted)).all()
    assert (out.scalars[:, 1] == control.scalars[1]).all()


def test_none_is_none():
    control, out = drawn(0.0, 2)
    np.testing.assert_allclose(out.rotation[0], control.rotation, atol=1e-7)
