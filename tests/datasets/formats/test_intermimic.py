from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from devi_jax.core import rotations as rot
from devi_jax.core.clip_io import load_clip, save_clip
from devi_jax.core.errors import ClipError, SceneError
from devi_jax.core.skeleton import HAND_BODIES
from devi_jax.datasets.formats import isaacgym_humanoid
from devi_jax.datasets.formats.intermimic import from_intermimic, object_name
from devi_jax.datasets.load import resolve

FINGERS_LEFT = slice(162 + 18 * 3, 162 + 21 * 3)
HEAD = 162 + 13 * 3


@pytest.fixture
def path(tmp_path, torch_files, intermimic_data) -> Path:
    """A recording named as InterMimic names them; its object's mesh, beside it, is a box of 0.2 x 0.3 x 0.4 m."""
    (tmp_path / "clips").mkdir()
    (tmp_path / "meshes").mkdir()
    trimesh.creation.box(extents=(0.2, 0.3, 0.4)).export(tmp_path / "meshes" / "smallbox.obj")
    return torch_files.save_matrix(tmp_path / "clips" / "sub8_smallbox_001.pt", intermimic_data)


def same_rotation(a, b, atol):
    np.testing.assert_allclose(rot.angle_between(a, b), 0, atol=atol)


def test_a_known_motion_comes_back(path, known):
    clip = resolve(str(path))
    same_rotation(clip.joint_rotations, known.joint_rotations, 1e-6)
    np.testing.assert_allclose(clip.joint_positions, known.joint_positions, atol=1e-9)
    np.testing.assert_allclose(clip.object_poses.positions, known.object_poses.positions, atol=1e-9)
    same_rotation(clip.object_poses.rotations, known.object_poses.rotations, 1e-6)
    np.testing.assert_allclose(clip.object_start[:3], known.object_poses.positions[0], atol=1e-9)
    np.testing.assert_array_equal(clip.contact, known.contact)
    assert clip.fps == 30 and clip.camera is None and clip.scene.table is None and clip.name == "sub8_smallbox_001"


def test_it_survives_the_clip_file(path, tmp_path, known):
    clip = load_clip(save_clip(resolve(str(path)), tmp_path / "out.npz"))
    np.testing.assert_allclose(clip.joint_positions, known.joint_positions, atol=1e-6)
    assert clip.provenance["format"].startswith("InterMimic") and len(clip.provenance["sha256"]) == 64


def test_the_world_is_turned_so_that_the_human_starts_at_the_origin(path, torch_files, intermimic_data, known):
    turn = Rotation.from_euler("z", 1.1)
    shift = np.array([3.0, -2.0, 0.0])
    moved = intermimic_data.copy()
    for start in (0, 318):
        moved[:, start : start + 3] = turn.apply(moved[:, start : start + 3]) + shift
    moved[:, 162:318] = (turn.apply(moved[:, 162:318].reshape(-1, 3)) + shift).reshape(len(moved), -1)
    for start, count in ((3, 1), (321, 1), (383, 52)):
        columns = slice(start, start + 4 * count)
        turned = turn * Rotation.from_quat(moved[:, columns].reshape(-1, 4))
        moved[:, columns] = turned.as_quat().reshape(len(moved), -1)
    clip = resolve(str(torch_files.save_matrix(path, moved)))
    np.testing.assert_allclose(clip.joint_positions, known.joint_positions, atol=1e-9)
    same_rotation(clip.joint_rotations, known.joint_rotations, 1e-6)
    np.testing.assert_allclose(clip.object_poses.positions, known.object_poses.positions, atol=1e-9)
    same_rotation(clip.object_poses.rotations, known.object_poses.rotations, 1e-6)


def test_exponential_maps_are_not_hinge_angles(path, torch_files, intermimic_data):
    angles = Rotation.from_rotvec(intermimic_data[:, 9:162].reshape(-1, 3)).as_euler("XYZ")
    hinges = intermimic_data.copy()
    hinges[:, 9:162] = angles.reshape(len(hinges), -1)
    with pytest.raises(ClipError, match="joint columns and body quaternions differ") as caught:
        resolve(str(torch_files.save_matrix(path, hinges)))
    assert "exponential maps" in caught.value.valid


def test_quaternions_are_xyzw(path, torch_files, intermimic_data):
    wxyz = intermimic_data.copy()
    wxyz[:, 3:7] = np.roll(wxyz[:, 3:7], 1, axis=1)
    with pytest.raises(ClipError):
        resolve(str(torch_files.save_matrix(path, wxyz)))


def test_an_empty_first_frame_is_dropped_and_told(path, torch_files, intermimic_data, known):
    data = np.concatenate([np.zeros((1, 591)), intermimic_data])
    clip = resolve(str(torch_files.save_matrix(path, data)))
    assert clip.frames == known.frames and clip.provenance["dropped_frames"] == [0]
    np.testing.assert_allclose(clip.joint_positions, known.joint_positions, atol=1e-9)
    assert resolve(str(torch_files.save_matrix(path, intermimic_data))).provenance["dropped_frames"] == []


def test_an_empty_frame_elsewhere_is_an_error(path, torch_files, intermimic_data):
    for data, frame in ((intermimic_data.copy(), 7), (np.zeros_like(intermimic_data), 0)):
        data[frame] = 0
        with pytest.raises(ClipError, match="zero quaternion"):
            resolve(str(torch_files.save_matrix(path, data)))


def test_fingers_that_hold_the_face_are_refused(path, torch_files, intermimic_data):
    head = intermimic_data[:, HEAD : HEAD + 3]
    intermimic_data[:, FINGERS_LEFT] = np.tile(head + [0.0, 0.03, 0.02], 3)
    with pytest.raises(ClipError, match="fingers are shifted") as caught:
        resolve(str(torch_files.save_matrix(path, intermimic_data)))
    assert "OMOMO_new" in caught.value.fix and "sub8_smallbox_001" in caught.value.where


def test_columns_with_gradients_are_read(path, torch_files, intermimic_data, known):
    clip = resolve(str(torch_files.save_matrix(path, intermimic_data, grad=True)))
    np.testing.assert_allclose(clip.joint_positions, known.joint_positions, atol=1e-9)


def test_nan_is_refused_with_its_frame(path, torch_files, intermimic_data):
    intermimic_data[4, 200] = np.nan
    with pytest.raises(ClipError, match="frame 4"):
        resolve(str(torch_files.save_matrix(path, intermimic_data)))


def test_a_hand_must_touch_where_one_of_its_bodies_is_labelled(path, torch_files, intermimic_data):
    labels = np.zeros((len(intermimic_data), 52))
    at = {name: i for i, name in enumerate(isaacgym_humanoid.BODIES)}
    labels[2, at["left_wrist"]] = 1  # the palm counts
    labels[3, at["right_pinky3"]] = 0.7  # labels are rounded
    labels[4, at["left_elbow"]] = 1  # an arm is no hand
    labels[5, at["left_thumb2"]] = -1  # must not touch
    labels[6, at["right_index1"]] = 1  # but the object is touched by nothing
    intermimic_data[:, 331:383] = labels
    intermimic_data[:, 330] = 1
    intermimic_data[6, 330] = 0
    clip = resolve(str(torch_files.save_matrix(path, intermimic_data)))
    expected = np.zeros_like(clip.contact)
    expected[2, 0] = expected[3, 1] = 1
    np.testing.assert_array_equal(clip.contact, expected)
    assert all(len(hand) == 16 for hand in HAND_BODIES)


def test_the_mesh_is_found_by_the_objects_name_and_its_mass_stated(path):
    clip = resolve(str(path))
    # 0.024 m3 at 200 kg/m3
    assert clip.scene.object.mass_kg == pytest.approx(4.8) and clip.scene.object.shape == "mesh"
    np.testing.assert_allclose(clip.scene.object.mesh.vertices.max(axis=0), [0.1, 0.15, 0.2])
    assert any("4.80 kg" in note for note in clip.provenance["assumptions"])
    assert resolve(str(path), mass_kg=2.5).scene.object.mass_kg == 2.5


def test_mass_stays_within_what_a_person_can_handle(path, tmp_path):
    for edge, mass in ((0.03, 0.1), (2.0, 10.0)):
        mesh = tmp_path / "cube.stl"
        trimesh.creation.box(extents=(edge,) * 3).export(mesh)
        assert resolve(str(path), mesh).scene.object.mass_kg == pytest.approx(mass)


def test_an_open_shell_weighs_as_its_hull(path, tmp_path):
    box = trimesh.creation.box(extents=(0.2, 0.3, 0.4))
    inside = box.copy()
    inside.invert()  # two opposite skins enclose nothing
    trimesh.util.concatenate([box, inside]).export(tmp_path / "shell.ply")
    clip = resolve(str(path), tmp_path / "shell.ply")
    assert clip.scene.object.mass_kg == pytest.approx(4.8)
    assert any("hull" in note for note in clip.provenance["assumptions"])


def test_sample_points_stand_in_as_their_hull_and_say_so(path, tmp_path):
    (tmp_path / "meshes" / "smallbox.obj").unlink()
    corners = np.stack(np.meshgrid([-0.1, 0.1], [-0.15, 0.15], [-0.2, 0.2]), axis=-1).reshape(-1, 3)
    np.save(tmp_path / "meshes" / "smallbox_sample_points.npy", np.concatenate([corners, corners * 0.3]))
    clip = resolve(str(path))
    assert len(clip.scene.object.mesh.vertices) == 8 and clip.scene.object.mass_kg == pytest.approx(4.8)
    assert any("convex hull of 16 points" in note for note in clip.provenance["assumptions"])


def test_an_absent_mesh_lists_where_it_was_searched_and_how_to_give_one(path, tmp_path):
    (tmp_path / "meshes" / "smallbox.obj").unlink()
    with pytest.raises(ClipError, match="no mesh for the object 'smallbox'") as caught:
        resolve(str(path))
    assert str(tmp_path / "meshes") in caught.value.where and "--mesh=" in caught.value.fix
    assert "smallbox_sample_points.npy" in caught.value.valid


@pytest.mark.parametrize(("name", "content"), [("a.obj", b""), ("a.npy", b"no"), ("a.fbx", b""), ("a.stl", b"x" * 99)])
def test_an_unreadable_mesh_names_its_file(path, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises((ClipError, SceneError)) as caught:
        resolve(str(path), tmp_path / name)
    assert name in caught.value.where and caught.value.valid
    with pytest.raises(ClipError, match="no such mesh"):
        resolve(str(path), tmp_path / "absent.obj")


def test_object_names_are_those_of_the_files():
    assert object_name(Path("sub2_largetable_007.pt")) == "largetable"
    assert object_name(Path("sub10_white_chair_049.pt")) == "white_chair"
    assert object_name(Path("kettle.pt")) == "kettle"


def test_too_few_frames_are_refused(path, intermimic_data):
    with pytest.raises(ClipError):
        from_intermimic(intermimic_data[:1], path)
