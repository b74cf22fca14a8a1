"""From actions to PD targets: closed forms of both modes."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from devi_jax.core.skeleton import JOINTS
from envs.tracking.actions import absolute_control, acting_joints, residual_control, scale_rad
from envs.tracking.config import ActionConfig, ActionScale

ROOT = jnp.array([0.1, 0.2, 0.9])


def turn(q) -> Rotation:
    return Rotation.from_quat(np.asarray(q, float), scalar_first=True)


@pytest.fixture
def target(rng):
    return jnp.asarray(Rotation.random(52, rng=rng).as_quat(scalar_first=True), jnp.float32)


def test_all_joints_but_the_pelvis_act_by_default():
    assert acting_joints(ActionConfig(), np.ones((3, 2)), "free") == tuple(range(1, 52))


@pytest.mark.parametrize(("root", "count"), [("free", 21 + 15), ("pinned", 21 - 8 - 4 + 15)])
def test_active_joints_leave_out_idle_fingers_and_pinned_legs(root, count):
    """Body 21 joints, 15 in the touching hand; pinned: without 8 of the legs and 4 of the idle arm."""
    right_only = np.array([[0, 0], [0, 1]])
    names = [JOINTS[i] for i in acting_joints(ActionConfig(joints="active"), right_only, root)]
    assert len(names) == count and "right_thumb3" in names and "left_index1" not in names
    assert ("left_hip" in names) == (root == "free")


def test_reach_is_by_joint_class():
    joints = tuple(JOINTS.index(n) for n in ("left_knee", "right_wrist", "right_index1"))
    reach = scale_rad(ActionConfig(scale=ActionScale(finger=0.4, wrist=0.2, leg=0.1)), joints)
    np.testing.assert_allclose(reach[:, 0], [0.1, 0.2, 0.4])


def test_absolute_is_the_exponential_of_pi_times_the_action(rng, target):
    action = rng.uniform(-1, 1, 153)
    control = absolute_control(jnp.asarray(action, jnp.float32), target[0], ROOT)
    wanted = Rotation.from_rotvec(np.pi * action.reshape(51, 3))
    assert (turn(control.rotation[1:]).inv() * wanted).magnitude().max() < 1e-5
    assert (control.rotation[0] == target[0]).all() and (control.root_position == ROOT).all()


def test_absolute_zero_is_the_t_pose_and_one_is_half_a_turn(target):
    control = absolute_control(jnp.zeros(153), target[0], ROOT)
    assert (control.rotation[1:] == jnp.array([[1.0, 0, 0, 0]])).all()
    control = absolute_control(jnp.zeros(153).at[0].set(1.0), target[0], ROOT)
    np.testing.assert_allclose(np.abs(control.rotation[1]), [0, 1, 0, 0], atol=1e-6)


def test_zero_residual_returns_the_target_exactly(target):
    control = residual_control(jnp.zeros((51, 3)), target, ROOT)
    assert (control.rotation == target).all() and (control.root_position == ROOT).all()


def test_residual_turns_in_the_joints_own_frame(rng, target):
    turns = rng.uniform(-0.3, 0.3, (51, 3))
    control = residual_control(jnp.asarray(turns, jnp.float32), target, ROOT)
    in_joint = (turn(target[1:]).inv() * turn(control.rotation[1:])).as_rotvec()
    np.testing.assert_allclose(in_joint, turns, atol=2e-6)
    assert (control.rotation[0] == target[0]).all()


def test_one_number_moves_one_joint(target):
    turns = jnp.zeros((51, 3)).at[16, 1].set(0.15)
    changed = (residual_control(turns, target, ROOT).rotation != target).any(axis=-1)
    assert np.flatnonzero(changed).tolist() == [17]
