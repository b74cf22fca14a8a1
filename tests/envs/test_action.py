"""From actions to PD targets: closed forms of both modes."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from envs.action import ACTION_SIZE, absolute_control, residual_control

ROOT = jnp.array([0.1, 0.2, 0.9])


def turn(q) -> Rotation:
    return Rotation.from_quat(np.asarray(q, float), scalar_first=True)


@pytest.fixture
def target(rng):
    return jnp.asarray(Rotation.random(52, rng=rng).as_quat(scalar_first=True), jnp.float32)


def test_size():
    assert ACTION_SIZE == 51 * 3


def test_absolute_is_the_exponential_of_pi_times_the_action(rng, target):
    action = rng.uniform(-1, 1, 153)
    control = absolute_control(jnp.asarray(action, jnp.float32), target[0], ROOT)
    wanted = Rotation.from_rotvec(np.pi * action.reshape(51, 3))
    assert (turn(control.rotation[1:]).inv() * wanted).magnitude().max() < 1e-5
    assert (control.rotation[0] == target[0]).all() and (control.root_position == ROOT).all()


def test_absolute_zero_is_the_t_pose_and_one_is_half_a_turn(target):
    control = absolute_control(jnp.zeros(153), target[0], ROOT)
    assert (control.rotation[1:] == jnp.array([1.0, 0, 0, 0])).all()
    control = absolute_control(jnp.zeros(153).at[0].set(1.0), target[0], ROOT)
    np.testing.assert_allclose(np.abs(control.rotation[1]), [0, 1, 0, 0], atol=1e-6)


def test_zero_residual_returns_the_target_exactly(target):
    control = residual_control(jnp.zeros(153), target, ROOT, 0.3)
    assert (control.rotation == target).all() and (control.root_position == ROOT).all()


@pytest.mark.parametrize("scale", [0.3, 0.05])
def test_residual_turns_in_the_joints_own_frame(scale, rng, target):
    action = rng.uniform(-1, 1, 153)
    control = residual_control(jnp.asarray(action, jnp.float32), target, ROOT, scale)
    in_joint = (turn(target[1:]).inv() * turn(control.rotation[1:])).as_rotvec()
    np.testing.assert_allclose(in_joint, scale * action.reshape(51, 3), atol=2e-6)
    assert (control.rotation[0] == target[0]).all()


def test_one_number_moves_one_joint(target):
    action = jnp.zeros(153).at[3 * 16 + 1].set(0.5)
    changed = (residual_control(action, target, ROOT, 0.3).rotation != target).any(axis=-1)
    assert np.flatnonzero(changed).tolist() == [17]
