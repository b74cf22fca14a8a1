from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from devi_jax.core import rotations as rot
from devi_jax.core.clip import forward_kinematics
from devi_jax.core.errors import ClipError
from devi_jax.datasets.formats import isaacgym_humanoid
from devi_jax.datasets.formats.physhoi import hands_near
from devi_jax.datasets.load import resolve
from tests.datasets.conftest import offsets, physhoi_columns

EXTRA = isaacgym_humanoid.BODIES.index("spine3")


@pytest.fixture
def data(known):
    return columns(known)


def columns(clip):
    """A clip in 337 columns: half of the upper spine's turn is that of the body that PhysHOI lacks."""
    physhoi_data = physhoi_columns(clip)
    frames = len(physhoi_data)
    joints = physhoi_data[:, 9:162].reshape(frames, 51, 3)
    positions = physhoi_data[:, 162:318].reshape(frames, 52, 3)
    half = 0.5 * joints[:, [EXTRA - 1]]
    out = np.zeros((frames, 337))
    out[:, :9] = physhoi_data[:, :9]
    out[:, 9:165] = np.concatenate([joints[:, : EXTRA - 1], half, half, joints[:, EXTRA:]], axis=1).reshape(frames, -1)
    between = positions[:, [EXTRA - 1, EXTRA]].mean(axis=1, keepdims=True)
    out[:, 165:324] = np.concatenate([positions[:, :EXTRA], between, positions[:, EXTRA:]], axis=1).reshape(frames, -1)
    out[:, 324:330] = physhoi_data[:, 318:324]
    out[:, 336] = physhoi_data[:, 330]
    return out


def test_a_known_motion_comes_back_with_one_body_less(tmp_path, torch_files, data, known):
    clip = resolve(str(torch_files.save_matrix(tmp_path / "pass.pt", data)))
    np.testing.assert_allclose(rot.angle_between(clip.joint_rotations, known.joint_rotations), 0, atol=1e-6)
    np.testing.assert_allclose(clip.joint_positions, known.joint_positions, atol=1e-9)
    np.testing.assert_allclose(clip.object_poses.positions, known.object_poses.positions, atol=1e-9)
    assert clip.fps == 60 and clip.scene.object.shape == "sphere"
    near = hands_near(known.joint_positions, known.object_poses.positions)
    np.testing.assert_array_equal(clip.contact, near & (data[:, 336:] == 1))


def test_hinge_angles_and_numbers_that_are_none_are_refused(tmp_path, torch_files, data, known):
    bad = data.copy()
    bad[4, 200] = np.nan
    with pytest.raises(ClipError, match="frame 4"):
        resolve(str(torch_files.save_matrix(tmp_path / "a.pt", bad)))
    local = rot.quat_exp(2.5 * rot.quat_log(known.joint_rotations))
    positions = forward_kinematics(local, known.joint_positions[:, 0], offsets())
    wild = columns(replace(known, joint_rotations=local, joint_positions=positions))
    assert resolve(str(torch_files.save_matrix(tmp_path / "b.pt", wild))).provenance["fk_error_mm"] < 1.0
    angles = Rotation.from_rotvec(wild[:, 9:165].reshape(-1, 3)).as_euler("xyz")
    wild[:, 9:165] = angles.reshape(len(wild), -1)
    with pytest.raises(ClipError, match="mm"):
        resolve(str(torch_files.save_matrix(tmp_path / "b.pt", wild)))
