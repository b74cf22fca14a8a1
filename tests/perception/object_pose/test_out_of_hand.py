"""An object that leaves the hand which holds it is lost there."""

from dataclasses import replace

import numpy as np
import pytest

from devi_jax.core.clip import bone_offsets
from devi_jax.core.skeleton import HAND_BODIES, JOINTS
from devi_jax.datasets.load import resolve
from perception.contracts import ObjectMotion, Origin
from perception.human.motion import SkeletonMotion, joint_positions
from perception.object_pose.out_of_hand import LEAVES_M, STRAYS_M, without_strays

FRAMES, FPS = 60, 30.0
HELD, GONE = slice(10, 50), slice(25, 35)


@pytest.fixture
def motion() -> SkeletonMotion:
    """A T-posed human that walks along x."""
    rotations = np.zeros((FRAMES, 52, 4))
    rotations[..., 0] = 1
    offsets = np.tile([0.1, 0.02, 0.0], (len(JOINTS), 1))
    return SkeletonMotion(FPS, rotations, np.linspace([0, 0, 1.0], [0.5, 0, 1.0], FRAMES), offsets)


def path(motion: SkeletonMotion, away: np.ndarray) -> ObjectMotion:
    """An object 5 cm above the right palm, and so much farther up (T,)."""
    hand = HAND_BODIES[1]
    palm = joint_positions(motion)[:, [hand[0], *hand[1::3]]].mean(axis=1)
    at = palm + (0.05 + away)[:, None] * [0.0, 0.0, 1.0]
    turned, found = np.tile([1.0, 0, 0, 0], (motion.frames, 1)), np.ones(motion.frames, bool)
    return ObjectMotion(
        fps=FPS, size_px=(64, 48), origin=Origin("t", "", {}), positions=at, rotations=turned, found=found
    )


def held(sides: tuple[int, ...] = (1,)) -> np.ndarray:
    out = np.zeros((FRAMES, 2), bool)
    out[HELD, list(sides)] = True
    return out


def test_an_object_that_leaves_its_hand_is_lost_from_where_it_strays_to_where_it_is_back(motion):
    away = np.zeros(FRAMES)
    away[GONE] = 1.5 * LEAVES_M
    away[22:25], away[35:37] = 1.2 * STRAYS_M, 1.2 * STRAYS_M
    found = without_strays(path(motion, away), motion, held(), np.ones((FRAMES, 2), bool)).found
    assert np.flatnonzero(~found).tolist() == list(range(22, 37))


@pytest.mark.parametrize("why", ["a little", "not held", "hand unseen", "from the beginning"])
def test_what_no_hand_accuses_stays_found(motion, why):
    away, holds, seen = np.zeros(FRAMES), held(), np.ones((FRAMES, 2), bool)
    away[GONE] = 2 * LEAVES_M if why != "a little" else 0.9 * LEAVES_M
    if why == "not held":
        holds[GONE] = False
    if why == "hand unseen":
        seen[GONE] = False
    if why == "from the beginning":
        away[:] = 2 * LEAVES_M
    assert without_strays(path(motion, away), motion, holds, seen).found.all()


@pytest.mark.parametrize("name", ["pass_bottle", "push_box", "hat", "hammer"])
def test_what_hands_truly_hold_never_leaves_them(name):
    clip = resolve(name)
    assert clip.object_poses is not None
    offsets, root = bone_offsets(clip), clip.joint_positions[:, 0].astype(float)
    human = SkeletonMotion(clip.fps, clip.joint_rotations.astype(float), root, offsets)
    poses, found = clip.object_poses, np.ones(clip.frames, bool)
    true = replace(
        path(human, np.zeros(clip.frames)),
        positions=poses.positions.astype(float),
        rotations=poses.rotations.astype(float),
        found=found,
    )
    holds = clip.contact > 0.5
    assert holds.any() and without_strays(true, human, holds, np.ones_like(holds)).found.all()
