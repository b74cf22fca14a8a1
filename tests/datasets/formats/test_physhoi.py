import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from devi_jax.core import rotations as rot
from devi_jax.core.clip import resample
from devi_jax.core.errors import ClipError
from devi_jax.core.skeleton import INDEX
from devi_jax.datasets.formats.physhoi import BALL_RADIUS_M, REACH_M, hands_near
from devi_jax.datasets.load import resolve


@pytest.fixture
def path(tmp_path):
    return tmp_path / "physhoi_walkpick.pt"


def test_a_known_motion_comes_back(path, torch_files, physhoi_data, known):
    clip = resolve(str(torch_files.save_matrix(path, physhoi_data)))
    np.testing.assert_allclose(rot.angle_between(clip.joint_rotations, known.joint_rotations), 0, atol=1e-6)
    np.testing.assert_allclose(clip.joint_positions, known.joint_positions, atol=1e-9)
    np.testing.assert_allclose(clip.object_poses.positions, known.object_poses.positions, atol=1e-9)
    spin = rot.angle_between(clip.object_poses.rotations, known.object_poses.rotations)
    np.testing.assert_allclose(spin, 0, atol=1e-6)
    assert clip.fps == 25 and clip.camera is None and clip.scene.table is None
    assert clip.scene.object.shape == "sphere" and clip.scene.object.size == (0.12,)
    assert clip.scene.object.mass_kg == 0.6 and clip.provenance["fk_error_mm"] < 1e-3


def test_native_rate_is_kept_and_resampling_keeps_the_duration(path, torch_files, physhoi_data):
    clip = resolve(str(torch_files.save_matrix(path, physhoi_data)))
    at_30 = resample(clip, 30.0)
    assert at_30.frames == 1 + int(11 / 25 * 30)
    np.testing.assert_allclose(at_30.joint_positions[6], clip.joint_positions[5], atol=1e-12)
    np.testing.assert_allclose(at_30.joint_positions[3], clip.joint_positions[2:4].mean(axis=0), atol=1e-12)


def test_late_body_positions_are_recognised(path, torch_files, physhoi_data, known):
    late = physhoi_data.copy()
    late[1:, 165:318] = physhoi_data[:-1, 165:318]  # all bodies but the pelvis
    clip = resolve(str(torch_files.save_matrix(path, late)))
    assert any("trail the rotations by 1 frame" in note for note in clip.provenance["assumptions"])
    np.testing.assert_allclose(clip.joint_positions, known.joint_positions, atol=1e-9)


def test_exponential_maps_are_not_hinge_angles(path, torch_files, physhoi_data):
    angles = Rotation.from_rotvec(physhoi_data[:, 9:162].reshape(-1, 3)).as_euler("xyz")
    physhoi_data[:, 9:162] = angles.reshape(len(physhoi_data), -1)
    with pytest.raises(ClipError, match="mm"):
        resolve(str(torch_files.save_matrix(path, physhoi_data)))


def test_a_hand_is_near_within_reach_of_the_balls_surface():
    joints = np.zeros((3, 52, 3))
    joints[..., 2] = 5.0
    reach = BALL_RADIUS_M + REACH_M
    joints[0, INDEX["left_index3"]] = [reach - 1e-6, 0, 0]
    joints[1, INDEX["right_wrist"]] = [0, reach + 1e-6, 0]
    joints[1, INDEX["left_elbow"]] = 0
    joints[2, [INDEX["left_thumb3"], INDEX["right_thumb3"]]] = [0, 0, BALL_RADIUS_M]
    np.testing.assert_array_equal(hands_near(joints, np.zeros((3, 3))), [[True, False], [False, False], [True, True]])


def test_the_balls_contact_column_and_distance_give_the_labels(path, torch_files, physhoi_data, known):
    clip = resolve(str(torch_files.save_matrix(path, physhoi_data)))
    near = hands_near(known.joint_positions, known.object_poses.positions)
    assert near[:, 1].all()  # the object of this motion travels 0.1 m from the right wrist
    np.testing.assert_array_equal(clip.contact, near & (physhoi_data[:, 330:] == 1))
    assert clip.contact[:5].sum() == 0 and clip.contact[5:, 1].all()
    physhoi_data[:, 318:321] += [0.0, 0.0, 2.0]
    away = resolve(str(torch_files.save_matrix(path, physhoi_data)))
    assert away.contact.sum() == 0 and any("7 contact frames have none" in n for n in away.provenance["assumptions"])


def test_nan_short_files_and_meshes_are_refused(path, torch_files, physhoi_data):
    with pytest.raises(ClipError, match="2 frame"):
        resolve(str(torch_files.save_matrix(path, physhoi_data[:2])))
    with pytest.raises(ClipError, match="ball"):
        resolve(str(torch_files.save_matrix(path, physhoi_data)), mesh="ball.obj")
    physhoi_data[3, 20] = np.inf
    with pytest.raises(ClipError, match="not finite .*frame 3"):
        resolve(str(torch_files.save_matrix(path, physhoi_data)))


def test_mass_can_be_given(path, torch_files, physhoi_data):
    assert resolve(str(torch_files.save_matrix(path, physhoi_data)), mass_kg=0.4).scene.object.mass_kg == 0.4
