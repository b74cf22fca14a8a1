import numpy as np
import pytest
import trimesh

from devi_jax.core import rotations as rot
from devi_jax.core.clip import ObjectPoses
from devi_jax.core.errors import ClipError
from devi_jax.core.skeleton import INDEX
from devi_jax.datasets.load import resolve
from tests.datasets.smplx_files import COMPONENTS, REST, rotvecs, with_component_hands, write_model

EXTENTS = (0.05, 0.07, 0.11)
AWAY = np.array([0.02, -0.03, 0.01])
"""Of the mesh's middle from its origin: a wrong turn shows."""


@pytest.fixture
def moved(known):
    """The known human with fingers of 24 components, its object in its right hand from frame 5 on."""
    clip, coefficients = with_component_hands(known)
    wrist = clip.joint_positions[:, INDEX["right_middle1"]]
    held = np.maximum(np.arange(clip.frames), 5)
    turn = rot.quat_exp(np.array([0.3, 0.5, -0.4]) + 0.05 * held[:, None] * np.array([1.0, 0.0, 1.0]))
    positions = wrist[held] - rot.rotate(turn, np.tile(AWAY, (clip.frames, 1)))
    return clip, coefficients, ObjectPoses(positions, turn)


def box() -> trimesh.Trimesh:
    mesh = trimesh.creation.box(EXTENTS)
    mesh.apply_translation(AWAY)
    return mesh


@pytest.fixture
def write(tmp_path, moved):
    """Writes the data set's folders and one sequence, every key in its type; what is given changes it."""
    clip, coefficients, poses = moved
    frames, turns = clip.frames, rotvecs(clip)
    tools = tmp_path / "tools" / "object_meshes" / "contact_meshes"
    subjects = tmp_path / "tools" / "subject_meshes" / "male"
    for folder in (tools, subjects, tmp_path / "grab" / "s1"):
        folder.mkdir(parents=True)
    model = write_model(tmp_path / "SMPLX_MALE.npz")
    template = np.load(model)["v_template"]
    trimesh.Trimesh(template, [[0, 1, 2]], process=False).export(subjects / "s1.ply")
    mesh = box()
    mesh.export(tools / "mug.ply")
    board = trimesh.creation.box((1.0, 0.6, 0.04))
    board.export(tools / "table.ply")
    low = float((rot.rotate(poses.rotations[0], mesh.vertices) + poses.positions[0])[:, 2].min())
    hands = np.load(model)
    bare = [coefficients[side] @ hands[f"hands_components{side[0]}"][:COMPONENTS] for side in ("left", "right")]
    full = np.hstack([turns[:, :22].reshape(frames, 66), np.zeros((frames, 9)), *bare])
    contact = np.zeros((frames, 8), np.int8)
    contact[5:, 2] = 44  # right_middle1 of SMPL-X, and one

    def do(**change):
        content = {
            "gender": "male",
            "sbj_id": "s1",
            "obj_name": "mug",
            "motion_intent": "lift",
            "framerate": 120.0,
            "n_frames": frames,
            "n_comps": COMPONENTS,
            "body": {
                "params": {
                    "transl": (clip.joint_positions[:, 0] - REST[0]).astype(np.float64),
                    "global_orient": turns[:, 0],
                    "body_pose": turns[:, 1:22].reshape(frames, 63),
                    "left_hand_pose": coefficients["left"],
                    "right_hand_pose": coefficients["right"],
                    "fullpose": full,
                    "expression": np.zeros((frames, 10), np.float32),
                },
                "vtemp": "tools/subject_meshes/male/s1.ply",
            },
            "object": {
                "params": {"transl": poses.positions, "global_orient": -rot.quat_log(poses.rotations)},
                "object_mesh": "tools/object_meshes/contact_meshes/mug.ply",
            },
            "table": {
                "params": {
                    "transl": np.tile([0.0, 0.5, low - 0.02 - 0.002], (frames, 1)),
                    "global_orient": np.tile([0.0, 0.0, 0.4], (frames, 1)),
                },
                "table_mesh": "tools/object_meshes/contact_meshes/table.ply",
            },
            "contact": {"object": contact, "body": np.zeros((frames, 20), np.int8)},
        }
        content |= change
        np.savez(tmp_path / "grab" / "s1" / "mug_lift.npz", **{k: np.array(v, object) for k, v in content.items()})
        return tmp_path / "grab" / "s1" / "mug_lift.npz", content

    return do


def convert(path):
    return resolve(str(path), model=path.parents[2] / "SMPLX_MALE.npz")


def test_a_known_motion_comes_back_fingers_and_object_with_it(write, moved):
    clip, known, poses = convert(write()[0]), moved[0], moved[2]
    np.testing.assert_allclose(rot.angle_between(clip.joint_rotations, known.joint_rotations), 0, atol=1e-6)
    np.testing.assert_allclose(clip.joint_positions, known.joint_positions, atol=1e-7)
    np.testing.assert_allclose(clip.object_poses.positions, poses.positions, atol=1e-9)
    np.testing.assert_allclose(rot.angle_between(clip.object_poses.rotations, poses.rotations), 0, atol=1e-6)
    assert clip.fps == 120 and clip.provenance["rest_gap_mm"] == pytest.approx(2.0, abs=0.01)
    assert any("mean left out" in note for note in clip.provenance["assumptions"])
    np.testing.assert_array_equal(clip.contact[:, 0], 0)
    np.testing.assert_array_equal(clip.contact[:, 1], np.arange(12) >= 5)
    table = clip.scene.table
    assert table is not None and table.size[2] == pytest.approx(
        (rot.rotate(poses.rotations[0], box().vertices) + poses.positions[0])[:, 2].min(), abs=1e-6
    )


def test_an_object_that_is_not_transposed_does_not_rest(write):
    _, content = write()
    thing = content["object"]
    turned = {**thing, "params": thing["params"] | {"global_orient": -thing["params"]["global_orient"]}}
    with pytest.raises(ClipError, match="0?-?[12] mm with its rotation not transposed"):
        convert(write(object=turned)[0])


def test_an_object_above_its_table_is_told_to_the_millimetre(write):
    _, content = write()
    table = content["table"]
    lower = {**table, "params": table["params"] | {"transl": table["params"]["transl"] - [0, 0, 0.028]}}
    with pytest.raises(ClipError, match="the object is 30 mm above its table"):
        convert(write(table=lower)[0])


def test_another_models_hands_are_refused(write):
    path, _ = write()
    model = dict(np.load(path.parents[2] / "SMPLX_MALE.npz", allow_pickle=True))
    model["hands_componentsl"] = model["hands_componentsl"][::-1]
    np.savez(path.parents[2] / "SMPLX_MALE.npz", **model)
    with pytest.raises(ClipError, match="rad from those that the file has"):
        convert(path)


def test_hands_that_are_elsewhere_than_what_they_touch_are_told(write):
    _, content = write()
    body = content["body"]
    aside = {**body, "params": body["params"] | {"transl": body["params"]["transl"] + [0.3, 0, 0]}}
    with pytest.raises(ClipError, match=r"what the hands touch is \d+ mm away"):
        convert(write(body=aside)[0])


def test_model_meshes_and_keys_that_are_missing_are_named(write, tmp_path):
    path, content = write()
    with pytest.raises(ClipError, match="GRAB says joint angles only") as caught:
        resolve(str(path))
    assert caught.value.where == "--model"
    (tmp_path / "tools" / "object_meshes" / "contact_meshes" / "mug.ply").unlink()
    with pytest.raises(ClipError, match="there is no tools/object_meshes/contact_meshes/mug.ply") as caught:
        convert(path)
    assert "--mesh" in caught.value.fix
    box().export(tmp_path / "own.ply")
    assert resolve(str(path), mesh=tmp_path / "own.ply", model=tmp_path / "SMPLX_MALE.npz").frames == 12
    bare = {**content["body"], "params": {k: v for k, v in content["body"]["params"].items() if k != "fullpose"}}
    with pytest.raises(ClipError, match="no 'fullpose'"):
        convert(write(body=bare)[0])
