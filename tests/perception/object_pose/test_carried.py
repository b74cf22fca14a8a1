"""An object that is lost in a hand's hold is where that hand carries it."""

import numpy as np
import pytest

from devi_jax.core import rotations as rot
from devi_jax.core.skeleton import JOINTS
from perception.contracts import ObjectMotion, Origin
from perception.human.motion import SkeletonMotion
from perception.object_pose.carried import carry

FRAMES, RIGHT = 40, JOINTS.index("right_wrist")


@pytest.fixture
def motion() -> SkeletonMotion:
    """A T-posed human that walks and turns: a rigid body, so what a hand holds moves with the root."""
    rotations = np.zeros((FRAMES, 52, 4))
    rotations[..., 0] = 1
    turn = np.linspace(0, 1.2, FRAMES)[:, None] * [0.0, 0.3, 1.0]
    rotations[:, 0] = rot.quat_exp(turn)
    root = np.linspace([0, 0, 1.0], [0.4, -0.2, 1.1], FRAMES)
    offsets = np.tile([0.1, 0.02, 0.0], (52, 1))
    return SkeletonMotion(30.0, rotations, root, offsets)


def path(motion: SkeletonMotion, found: np.ndarray) -> tuple[ObjectMotion, np.ndarray]:
    """An object fixed to the root, lost where it is not `found`, and where it truly is (T, 3)."""
    true = motion.root + rot.rotate(motion.rotations[:, 0], np.tile([0.5, 0.1, 0.2], (FRAMES, 1)))
    positions = np.where(found[:, None], true, 9.0)
    turned = np.where(found[:, None], motion.rotations[:, 0], [1.0, 0, 0, 0])
    origin = Origin("test", "", {})
    return ObjectMotion(
        fps=30.0, size_px=(64, 48), origin=origin, positions=positions, rotations=turned, found=found
    ), true


def test_a_held_gap_is_filled_exactly_by_the_hand(motion):
    found = ~np.isin(np.arange(FRAMES), np.arange(12, 25))
    lost, true = path(motion, found)
    held = np.zeros((FRAMES, 2), bool)
    held[10:30, 1] = True
    held[17:20, 1] = False  # a label that is missing for three frames
    out = carry(lost, motion, held, np.ones((FRAMES, 2), bool))
    assert out.found.all()
    assert np.abs(out.positions - true).max() < 1e-9
    assert rot.angle_between(out.rotations, motion.rotations[:, 0]).max() < 1e-6


@pytest.mark.parametrize("why", ["not held", "not seen", "open", "too long"])
def test_what_no_hand_vouches_for_stays_lost(motion, why):
    gap = np.arange(12, 25) if why != "open" else np.arange(30, FRAMES)
    found = ~np.isin(np.arange(FRAMES), gap)
    lost, _ = path(motion, found)
    held, seen = np.ones((FRAMES, 2), bool), np.ones((FRAMES, 2), bool)
    if why == "not held":
        held[10:20] = False
    if why == "not seen":
        seen[12:22] = False
    if why == "too long":
        lost = ObjectMotion(**(vars(lost) | {"fps": 4.0}))
    out = carry(lost, motion, held, seen)
    assert (out.found == found).all() and (out.positions == lost.positions).all()
