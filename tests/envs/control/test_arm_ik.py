"""Displaced arms: palm and wrist arrive, by forward kinematics of the whole body, and nothing turns for nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from devi_jax.core import rotations as rot
from devi_jax.core.clip import forward_kinematics, global_rotations
from envs.control.arm_ik import ARMS, CHEST, PALMS, arm_joints, displaced_arms, turned_arms

ONSET = 56


def _pose(assembly):
    reference = assembly.environment.reference
    return reference.position[ONSET], reference.rotation[ONSET], reference.local[ONSET]


@pytest.mark.parametrize("shift", [(0.05, 0.0, 0.0), (-0.03, 0.04, 0.0), (0.0, -0.05, 0.02)])
@pytest.mark.parametrize("turn_rad", [-0.5, 0.0, 0.5])
def test_palms_arrive_where_they_are_asked_to(assembly, shift, turn_rad):
    position, rotation, local = _pose(assembly)
    turn = rot.quat_exp(jnp.array([0.0, 0.0, turn_rad]))
    palm = position[PALMS] + jnp.array(shift)[None]
    hand = rot.quat_mul(turn[None], rotation[ARMS[:, -1]])
    turns = displaced_arms(arm_joints(position), rotation[ARMS], palm, hand)
    moved = np.array(local, float)
    joints = ARMS.reshape(-1)
    moved[joints] = rot.quat_mul(moved[joints], rot.quat_exp(np.asarray(turns, float).reshape(-1, 3)))
    offsets = np.asarray(assembly.environment.physics.joints.offsets, float)
    found = forward_kinematics(moved[None], np.asarray(position, float)[:1], offsets)[0]
    np.testing.assert_allclose(found[PALMS], palm, atol=4e-3)
    wrists = global_rotations(moved[None])[0][ARMS[:, -1]]
    assert rot.angle_between(wrists, np.asarray(hand, float)).max() < 0.03


def test_an_arm_that_is_where_it_should_be_does_not_turn(assembly):
    position, rotation, _ = _pose(assembly)
    turns = displaced_arms(arm_joints(position), rotation[ARMS], position[PALMS], rotation[ARMS[:, -1]])
    np.testing.assert_allclose(turns, np.zeros((2, 4, 3)), atol=2e-4)


def test_what_is_out_of_reach_is_reached_for(assembly):
    """Half a metre ahead, which a stretched arm lacks: the palms move that way, and nothing folds over."""
    position, rotation, local = _pose(assembly)
    away = jnp.array([0.0, 0.5, 0.0])
    turns = jax.jit(displaced_arms)(
        arm_joints(position), rotation[ARMS], position[PALMS] + away[None], rotation[ARMS[:, -1]]
    )
    assert np.isfinite(turns).all()
    moved = np.array(local, float)
    joints = ARMS.reshape(-1)
    moved[joints] = rot.quat_mul(moved[joints], rot.quat_exp(np.asarray(turns, float).reshape(-1, 3)))
    offsets = np.asarray(assembly.environment.physics.joints.offsets, float)
    found = forward_kinematics(moved[None], np.asarray(position, float)[:1], offsets)[0]
    assert (found[PALMS, 1] - np.asarray(position)[PALMS, 1] > 0.05).all()
    assert np.linalg.norm(turns, axis=-1).max() < 2.0


def test_arms_turned_as_they_are_stay_where_they_are(assembly):
    position, rotation, local = _pose(assembly)
    joints = arm_joints(position)
    at, turned = turned_arms(joints, rotation[ARMS], rotation[CHEST], local[ARMS])
    np.testing.assert_allclose(at, joints, atol=1e-5)
    assert rot.angle_between(np.asarray(turned, float), np.asarray(rotation[ARMS], float)).max() < 2e-3
