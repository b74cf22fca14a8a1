"""ParaHome's 409 columns, written from a known motion: what is read back is that motion."""

import numpy as np
import pytest
import trimesh

from devi_jax.core import rotations as rot
from devi_jax.core.clip import Clip, ObjectPoses, global_rotations
from devi_jax.core.errors import ClipError
from devi_jax.core.skeleton import HAND_BODIES, INDEX, JOINTS
from devi_jax.datasets.formats import parahome
from devi_jax.datasets.formats.object_mesh import load_object
from devi_jax.datasets.formats.parahome import BODIES, from_parahome
from devi_jax.datasets.load import resolve
from tests.datasets.conftest import INTERMIMIC_REST as REST
from tests.datasets.conftest import in_rest

SIZE = (0.2, 0.3, 0.4)


@pytest.fixture
def parahome_data(known: Clip) -> np.ndarray:
    """The 409 columns that hold `known`; the nine joints that we lack turn by a constant angle."""
    assert known.object_poses is not None
    frames, local = known.frames, in_rest(known, REST)
    world = global_rotations(local)
    theirs = np.zeros((frames, 61, 4))
    positions = np.zeros((frames, 61, 3))
    ours = [JOINTS[parahome.ORDER.index(k)] if k in parahome.ORDER else "" for k in range(61)]
    for k, name in enumerate(ours):
        parent = parahome._PARENTS[k]
        if name:
            theirs[:, k], positions[:, k] = world[:, INDEX[name]], known.joint_positions[:, INDEX[name]]
        else:
            theirs[:, k] = rot.quat_mul(theirs[:, parent], rot.quat_exp(np.array([0.1, 0.2, -0.3])))
            positions[:, k] = positions[:, parent]
    out = np.zeros((frames, 409))
    out[:, 0:3], out[:, 3:6] = known.joint_positions[:, 0], rot.quat_log(world[:, 0])
    relative = rot.quat_mul(rot.quat_conj(theirs[:, parahome._PARENTS[1:]]), theirs[:, 1:])
    out[:, 9:189] = rot.quat_log(relative).reshape(frames, -1)
    out[:, 189:372] = positions.reshape(frames, -1)
    out[:, 402:405] = known.object_poses.positions
    out[:, 405:408] = rot.quat_log(known.object_poses.rotations)
    return out


@pytest.fixture
def box(tmp_path):
    trimesh.creation.box(SIZE).export(tmp_path / "kettle.obj")
    return tmp_path / "kettle.obj"


def test_bodies_are_the_skeletons_with_nine_more():
    assert len(BODIES) == 61 and len(set(parahome.ORDER)) == 52
    assert BODIES[:11:5] == ("pHipOrigin", "jT1C7", "jRightWrist") and BODIES[60] == "jLeftBallFoot"
    more = {BODIES[k] for k in set(range(61)) - set(parahome.ORDER)}
    assert more == {"jL1T12"} | {
        f"j{s}{d}CMC" for s in ("Left", "Right") for d in ("Second", "Third", "Fourth", "Fifth")
    }
    thumb = [BODIES[parahome.ORDER[INDEX[f"left_thumb{k}"]]] for k in (1, 2, 3)]
    assert thumb == ["jLeftFirstCMC", "jLeftFirstMCP", "jLeftIP"]


def test_a_recording_reads_back(tmp_path, torch_files, parahome_data, box, known):
    path = torch_files.save_matrix(tmp_path / "003_s10_place_kettle_0_12.pt", parahome_data)
    clip = resolve(str(path))
    assert clip.fps == 30 and clip.scene.object.shape == "mesh" and "kettle.obj" in str(clip.provenance)
    assert clip.provenance["fk_error_mm"] < 1e-3
    np.testing.assert_allclose(clip.joint_positions, known.joint_positions, atol=1e-6)
    assert rot.angle_between(clip.joint_rotations, known.joint_rotations).max() < 1e-5
    np.testing.assert_allclose(clip.object_poses.positions, known.object_poses.positions, atol=1e-6)
    assert rot.angle_between(clip.object_poses.rotations, known.object_poses.rotations).max() < 1e-5


def test_hands_touch_where_enough_bones_are_near(box):
    spec, _ = load_object(box, 1.0)
    joints = np.full((30, 52, 3), 5.0)
    joints[:, HAND_BODIES[1]] = np.linspace([-0.05, 0, 0], [0.05, 0, 0], 16)  # a flat hand at the origin
    poses = ObjectPoses(np.tile([0.0, 0.0, 0.6], (30, 1)), np.tile([1.0, 0, 0, 0], (30, 1)))
    assert not parahome.hands_touching(joints, poses, spec).any()
    poses.positions[10:20, 2] = 0.21  # the lower face of the box 1 cm above the hand, for ten frames
    poses.positions[14, 2] = 0.6  # but one
    poses.positions[25, 2] = 0.21  # and for one frame again
    np.testing.assert_array_equal(np.flatnonzero(parahome.hands_touching(joints, poses, spec)[:, 1]), np.arange(10, 20))


def test_a_filled_contact_column_bounds_the_labels(tmp_path, parahome_data, box):
    parahome_data[:, 402:405] = parahome_data[:, 189:372].reshape(-1, 61, 3)[:, BODIES.index("jRightThirdMCP")]
    parahome_data[:, 404] += 0.205  # the hand is just below the box
    free = from_parahome(parahome_data, _file(tmp_path), box)
    parahome_data[4:8, 408] = 1
    bound = from_parahome(parahome_data, _file(tmp_path), box)
    assert free.contact[:, 1].sum() > 8
    np.testing.assert_array_equal(bound.contact, free.contact * np.isin(np.arange(12), range(4, 8))[:, None])


def test_a_missing_mesh_is_named_with_its_flag(tmp_path, torch_files, parahome_data):
    path = torch_files.save_matrix(tmp_path / "001_s6_drink_1860_2040.pt", parahome_data)
    with pytest.raises(ClipError, match="no mesh for the object 'drink'") as caught:
        resolve(str(path))
    assert "--mesh" in caught.value.fix


@pytest.mark.parametrize(("rows", "value", "word"), [(2, 0.0, "2 frame"), (5, np.nan, "not finite")])
def test_broken_files_are_errors(tmp_path, parahome_data, box, rows, value, word):
    data = parahome_data[:rows] + 0.0
    data[-1, 402] += value
    with pytest.raises(ClipError, match=word):
        from_parahome(data, _file(tmp_path), box)


def _file(folder):
    path = folder / "a.pt"
    path.write_bytes(b"")
    return path
