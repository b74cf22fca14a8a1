"""Squeeze: nothing without contact, and with it each finger joint turns its tip towards the middle of the grasp."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from devi_jax.core.skeleton import FINGERS, INDEX, SIDES
from envs.control.grasp_closure import squeeze_offsets

ANGLE = 0.25


@pytest.fixture
def motion(standing):
    """World positions, rotations and fingertips of the bundled clip."""
    reference = standing.environment.reference
    return tuple(np.asarray(x, float) for x in (reference.position, reference.rotation, reference.tips))


def finger_joints(side: str):
    for f, finger in enumerate(FINGERS):
        for k in (1, 2, 3):
            yield f, INDEX[f"{side}_{finger}{k}"]


def test_without_contact_there_is_none(motion):
    assert not squeeze_offsets(*motion, np.zeros((len(motion[0]), 2)), ANGLE).any()


@pytest.mark.parametrize("hand", [0, 1])
def test_a_touching_hand_closes_and_the_rest_stays(hand, motion):
    contact = np.zeros((len(motion[0]), 2))
    contact[:, hand] = 1
    turns = squeeze_offsets(*motion, contact, ANGLE)
    closing = [joint for _, joint in finger_joints(SIDES[hand])]
    np.testing.assert_allclose(np.linalg.norm(turns[:, closing], axis=-1), ANGLE, rtol=1e-6)
    assert not np.delete(turns, closing, axis=1).any()


@pytest.mark.parametrize("hand", [0, 1])
def test_each_joint_brings_its_tip_nearer_to_the_middle(hand, motion):
    """A small turn about the given axis, applied to the tip as rigid motion about the joint."""
    position, rotation, tips = motion
    turns = squeeze_offsets(*motion, np.ones((len(position), 2)), ANGLE)
    own = tips[:, 5 * hand : 5 * hand + 5]
    middle = (own[:, FINGERS.index("thumb")] + own[:, [0, 1, 2, 3]].mean(axis=1)) / 2
    for f, joint in finger_joints(SIDES[hand]):
        frame = Rotation.from_quat(rotation[:, joint], scalar_first=True)
        turn = frame * Rotation.from_rotvec(1e-4 * turns[:, joint] / ANGLE) * frame.inv()
        arm = own[:, f] - position[:, joint]
        after = position[:, joint] + turn.apply(arm)
        nearer = np.linalg.norm(own[:, f] - middle, axis=1) - np.linalg.norm(after - middle, axis=1)
        assert (nearer > 0).all()
        # no other axis is better: the tip moves along the part of the way that is across its arm
        way = middle - own[:, f]
        across = way - arm * np.sum(way * arm, axis=1, keepdims=True) / np.sum(arm**2, axis=1, keepdims=True)
        moved = after - own[:, f]
        cosine = np.sum(moved * across, axis=1) / np.linalg.norm(moved, axis=1) / np.linalg.norm(across, axis=1)
        assert cosine.min() > 0.999


def test_it_comes_and_goes_smoothly(motion):
    """Half of it at the first frame of contact, all of it inside; no jump larger than a fifth."""
    contact = np.zeros((len(motion[0]), 2))
    contact[40:80, 1] = 1
    size = np.linalg.norm(squeeze_offsets(*motion, contact, ANGLE)[:, INDEX["right_index2"]], axis=-1) / ANGLE
    assert size[30] < 1e-3 and size[60] == pytest.approx(1.0, abs=1e-3)
    assert size[39] + size[40] == pytest.approx(1.0, abs=1e-3)
    assert np.abs(np.diff(size)).max() < 0.21
