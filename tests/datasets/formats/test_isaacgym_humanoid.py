import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from devi_jax.core.errors import ClipError
from devi_jax.core.skeleton import JOINTS, PARENTS
from devi_jax.datasets.formats import isaacgym_humanoid


def test_bodies_are_the_files_depth_first_order():
    assert sorted(isaacgym_humanoid.BODIES) == sorted(JOINTS)
    # as PhysHOI and InterMimic list them: Pelvis, L_Hip .. L_Toe, R_Hip .. R_Toe, Torso, Spine, Chest, Neck, Head,
    # L_Thorax, L_Shoulder, L_Elbow, L_Wrist, L_Index1 ...
    assert isaacgym_humanoid.BODIES[4] == "left_foot" and isaacgym_humanoid.BODIES[8] == "right_foot"
    assert isaacgym_humanoid.BODIES[9:14] == ("spine1", "spine2", "spine3", "neck", "head")
    assert isaacgym_humanoid.BODIES[14] == "left_collar" and isaacgym_humanoid.BODIES[17] == "left_wrist"
    assert isaacgym_humanoid.BODIES[18:21] == ("left_index1", "left_index2", "left_index3")
    assert isaacgym_humanoid.BODIES[30:33] == ("left_thumb1", "left_thumb2", "left_thumb3")
    assert (
        isaacgym_humanoid.BODIES[33] == "right_collar"
        and isaacgym_humanoid.BODIES[36] == "right_wrist"
        and isaacgym_humanoid.BODIES[51] == "right_thumb3"
    )
    for i, name in enumerate(isaacgym_humanoid.BODIES[1:], 1):
        parent = JOINTS[PARENTS[JOINTS.index(name)]]
        assert isaacgym_humanoid.BODIES.index(parent) < i


@pytest.fixture
def recording(known):
    return isaacgym_humanoid.Recording(known.joint_positions[:, 0], known.joint_rotations, known.joint_positions)


def test_all_24_rest_axes_are_found(known, tpose):
    for turn in Rotation.create_group("O").as_matrix():
        found = isaacgym_humanoid.rest_axes(tpose @ turn.T, "file")
        np.testing.assert_allclose(found, turn.T, atol=1e-9)


def test_a_rest_pose_between_the_axes_is_refused(tpose):
    slanted = tpose @ Rotation.from_euler("z", 45, degrees=True).as_matrix().T
    with pytest.raises(ClipError, match="T-pose"):
        isaacgym_humanoid.rest_axes(slanted, "file")
    with pytest.raises(ClipError, match="T-pose"):
        isaacgym_humanoid.rest_axes(np.zeros((52, 3)), "file")


def test_a_late_column_is_recognised_and_costs_no_frame(recording, known):
    late = np.concatenate([recording.positions[:1], recording.positions[:-1]])
    motion = isaacgym_humanoid.to_motion(
        isaacgym_humanoid.Recording(recording.root, recording.rotations, late), "file", 10.0, lags=(0, 1)
    )
    assert motion.lag == 1 and motion.fk_error_mm < 1e-6
    np.testing.assert_allclose(motion.positions, known.joint_positions, atol=1e-9)
    assert isaacgym_humanoid.to_motion(recording, "file", 10.0, lags=(0, 1)).lag == 0


def test_positions_of_noisy_files_follow_the_rotations_and_the_error_is_told(recording, known, rng):
    noise = rng.normal(scale=0.004, size=recording.positions.shape)
    noise[:, 0] = 0
    noisy = isaacgym_humanoid.Recording(recording.root, recording.rotations, recording.positions + noise)
    motion = isaacgym_humanoid.to_motion(noisy, "file", 20.0)
    # the median length of an isotropic Gaussian of deviation s is 1.538 s; bone offsets are medians over few frames
    assert motion.fk_error_mm == pytest.approx(4 * 1.538, rel=0.35)
    assert np.abs(motion.positions - known.joint_positions).max() < 0.02
    with pytest.raises(ClipError, match="median"):
        isaacgym_humanoid.to_motion(noisy, "file", 4.0)
