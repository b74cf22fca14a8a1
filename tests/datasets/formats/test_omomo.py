import pickle

import numpy as np
import pytest
import trimesh

from devi_jax.core import rotations as rot
from devi_jax.core.errors import ClipError
from devi_jax.core.skeleton import FINGERS, HAND_BODIES, INDEX, SIDES
from devi_jax.datasets.load import resolve
from tests.datasets.conftest import PHYSHOI_REST, offsets
from tests.datasets.smplx_files import REST, rotvecs
from tests.joblib_files import dump_joblib

NAME = "sub3_largebox_003"
BOX = (0.3, 0.2, 0.1)


@pytest.fixture
def sequence(known):
    """One sequence that holds the known motion from the pelvis to the wrists, and its object."""
    turns = rotvecs(known)
    rest = offsets() @ PHYSHOI_REST.T
    lowered = known.joint_positions[:, 0] - [0, 0, 0.1]
    return {
        "seq_name": NAME,
        "betas": np.zeros((1, 16), np.float32),
        "gender": np.array("male"),
        "trans": lowered - REST[0],
        "trans2joint": -REST[0],
        "root_orient": turns[:, 0],
        "pose_body": turns[:, 1:22].reshape(known.frames, 63),
        "rest_offsets": np.concatenate([rest[:22], rest[[INDEX["left_index1"], INDEX["right_index1"]]]]),
        "obj_trans": known.object_poses.positions[..., None],
        "obj_rot": rot.quat_to_matrix(known.object_poses.rotations),
        "obj_scale": np.full(known.frames, 0.5),
        "obj_com_pos": known.object_poses.positions,
    }


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "captured_objects").mkdir()
    trimesh.creation.box(BOX).export(tmp_path / "captured_objects" / "largebox_cleaned_simplified.obj")
    return tmp_path


def test_a_known_motion_comes_back_with_straight_fingers_and_a_scaled_object(folder, sequence, known):
    clip = resolve(str(dump_joblib({0: sequence}, folder / "train.p")))
    body = slice(0, 22)
    turned = rot.angle_between(clip.joint_rotations[:, body], known.joint_rotations[:, body])
    np.testing.assert_allclose(turned, 0, atol=1e-6)
    np.testing.assert_allclose(clip.joint_positions[:, body, :2], known.joint_positions[:, body, :2], atol=1e-9)
    np.testing.assert_allclose(known.joint_positions[:, body, 2] - clip.joint_positions[:, body, 2], 0.1, atol=1e-9)
    fingers = [INDEX[f"{side}_{finger}{k}"] for side in SIDES for finger in FINGERS for k in (1, 2, 3)]
    np.testing.assert_allclose(np.abs(clip.joint_rotations[:, fingers, 0]), 1.0, atol=1e-9)
    np.testing.assert_allclose(clip.object_poses.positions, known.object_poses.positions, atol=1e-9)
    spin = rot.angle_between(clip.object_poses.rotations, known.object_poses.rotations)
    np.testing.assert_allclose(spin, 0, atol=1e-6)
    np.testing.assert_allclose(np.ptp(clip.scene.object.mesh.vertices, axis=0), 0.5 * np.array(BOX), atol=1e-9)
    assert clip.fps == 30 and clip.name == NAME and clip.provenance["sequence"] == NAME


def test_fingers_are_as_long_as_the_recorded_hand_asks_for(folder, sequence):
    clip = resolve(str(dump_joblib({0: sequence}, folder / "train.p")))
    for side, given in zip(SIDES, sequence["rest_offsets"][22:], strict=True):
        wrist, index = (clip.joint_positions[:, INDEX[f"{side}_{name}"]] for name in ("wrist", "index1"))
        np.testing.assert_allclose(np.linalg.norm(index - wrist, axis=-1), np.linalg.norm(given), rtol=1e-6)
    left, right = (clip.joint_positions[:, list(hand)].mean(axis=1) for hand in HAND_BODIES)
    assert np.linalg.norm(left - right, axis=-1).min() > 0.2


def test_one_of_many_is_chosen_by_its_name(folder, sequence):
    many = {k: sequence | {"seq_name": f"sub{k}_largebox_00{k}"} for k in range(1, 10)}
    path = dump_joblib(many, folder / "train.p")
    assert resolve(str(path), sequence="sub4_largebox_004").name == "sub4_largebox_004"
    with pytest.raises(ClipError, match="9 sequences") as caught:
        resolve(str(path))
    assert "sub1_largebox_001" in caught.value.valid and "1 more" in caught.value.valid
    assert "--sequence=sub1_largebox_001" in caught.value.fix
    with pytest.raises(ClipError, match="did you mean sub4_largebox_004"):
        resolve(str(path), sequence="sub4_largebox_04")


def test_a_plain_pickle_and_another_mesh_do_as_well(tmp_path, sequence):
    (tmp_path / "train.p").write_bytes(pickle.dumps({0: sequence}))
    with pytest.raises(ClipError, match="no mesh for the object 'largebox'"):
        resolve(str(tmp_path / "train.p"))
    trimesh.creation.icosphere(radius=0.1).export(tmp_path / "ball.obj")
    clip = resolve(str(tmp_path / "train.p"), mesh=tmp_path / "ball.obj", mass_kg=2.0)
    assert clip.scene.object.mass_kg == 2.0 and np.abs(clip.scene.object.mesh.vertices).max() <= 0.051


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"trans": np.zeros((12, 3))}, "above the floor"),
        ({"obj_scale": np.linspace(0.5, 0.8, 12)}, "grows"),
        ({"obj_rot": np.full((12, 3, 3), 0.4)}, "no rotations"),
        ({"rest_offsets": np.zeros((22, 3))}, "offsets of shape"),
        ({"pose_body": np.zeros((12, 69))}, "pose numbers"),
        ({"rest_offsets": 1000.0 * np.ones((24, 3))}, "toes to head"),
    ],
)
def test_what_is_not_as_released_is_told(folder, sequence, change, word):
    with pytest.raises(ClipError, match=word) as caught:
        resolve(str(dump_joblib({0: sequence | change}, folder / "train.p")))
    assert NAME in caught.value.where


def test_other_pickles_are_refused(tmp_path):
    (tmp_path / "a.p").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(ClipError, match="no sequences of OMOMO"):
        resolve(str(tmp_path / "a.p"))
