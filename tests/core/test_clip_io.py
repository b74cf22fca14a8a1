import json
import os
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from devi_jax.core.clip_io import SCHEMA, load_clip, save_clip
from devi_jax.core.errors import ClipError, DeviError, SceneError
from devi_jax.core.scene import Mesh, ObjectSpec, Prop, SceneSpec
from devi_jax.core.skeleton import JOINTS


@pytest.fixture
def path(tmp_path, make_clip) -> Path:
    """A clip file with every modality."""
    return save_clip(make_clip(tracks=True), tmp_path / "clip.npz")


def rewrite(path: Path, *, header: dict | None = None, drop: tuple[str, ...] = (), **arrays) -> Path:
    """The clip file with header fields and arrays replaced."""
    with np.load(path) as file:
        content = {key: file[key] for key in file.files if key not in drop}
    if "header" in content:
        content["header"] = np.array(json.dumps(json.loads(str(content["header"])) | (header or {})))
    np.savez(path, **content | arrays)
    return path


def test_everything_comes_back(path, make_clip):
    clip, back = make_clip(tracks=True), load_clip(path)
    for name in ("joint_rotations", "joint_positions", "contact", "object_start"):
        np.testing.assert_allclose(getattr(back, name), getattr(clip, name), atol=1e-6)
        assert getattr(back, name).dtype == np.float64
    np.testing.assert_allclose(back.object_poses.positions, clip.object_poses.positions, atol=1e-6)
    np.testing.assert_allclose(back.object_poses.rotations, clip.object_poses.rotations, atol=1e-6)
    np.testing.assert_allclose(back.object_tracks.points_px, clip.object_tracks.points_px, atol=1e-3)
    np.testing.assert_array_equal(back.object_tracks.visible, clip.object_tracks.visible)
    np.testing.assert_array_equal(back.object_tracks.vertex_ids, clip.object_tracks.vertex_ids)
    np.testing.assert_array_equal(back.camera.K, clip.camera.K)
    np.testing.assert_array_equal(back.camera.T_camera_world, clip.camera.T_camera_world)
    assert (back.camera.width, back.camera.height) == (1024, 576)
    assert (back.name, back.fps, back.scene, back.provenance) == (clip.name, clip.fps, clip.scene, clip.provenance)


def test_a_second_round_trip_changes_no_bit(path, tmp_path):
    once = load_clip(path)
    twice = load_clip(save_clip(once, tmp_path / "again.npz"))
    for name in ("joint_rotations", "joint_positions", "contact", "object_start"):
        np.testing.assert_array_equal(getattr(once, name), getattr(twice, name))


def test_absent_modalities_stay_absent(tmp_path, make_clip):
    bare = replace(make_clip(), object_poses=None, scene=SceneSpec(), object_start=None)
    back = load_clip(save_clip(bare, tmp_path / "bare.npz"))
    assert (back.camera, back.object_poses, back.object_tracks, back.object_start) == (None,) * 4
    assert back.scene.object is None and back.scene.table is None


def test_meshes_travel_with_the_clip(tmp_path, make_clip):
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    mesh = Mesh(corners, np.array([[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]))
    clip = make_clip()
    clip = replace(clip, scene=replace(clip.scene, object=ObjectSpec("mesh", (), 0.7, mesh=mesh)))
    back = load_clip(save_clip(clip, tmp_path / "mesh.npz")).scene.object
    np.testing.assert_array_equal(back.mesh.vertices, mesh.vertices)
    np.testing.assert_array_equal(back.mesh.faces, mesh.faces)
    assert back.mass_kg == 0.7 and back.shape == "mesh" and back.size == ()


def test_props_travel_with_the_clip_and_leave_no_trace_where_there_are_none(path, tmp_path, make_clip):
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    mesh = Mesh(corners, np.array([[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]))
    tray = Prop("tray", ObjectSpec("box", (0.3, 0.2, 0.02), 0.5), (0.1, 0.4, 0.81, 1.0, 0.0, 0.0, 0.0))
    cup = Prop("cup", ObjectSpec("mesh", (), 0.2, 0.7, mesh), (-0.1, 0.4, 0.8, 0.6, 0.0, 0.0, 0.8), "target")
    clip = make_clip()
    clip = replace(clip, scene=replace(clip.scene, props=(tray, cup)))
    back = load_clip(save_clip(clip, tmp_path / "props.npz")).scene.props
    assert back[0] == tray and back[1].role == "target" and replace(clip.scene, props=back).target is back[1]
    assert clip.scene.target is cup and (back[1].name, back[1].pose, back[1].object.mass_kg) == ("cup", cup.pose, 0.2)
    np.testing.assert_array_equal(back[1].object.mesh.vertices, mesh.vertices)
    np.testing.assert_array_equal(back[1].object.mesh.faces, mesh.faces)
    np.testing.assert_array_equal(clip.scene.prop_poses, [*tray.pose, *cup.pose])
    with np.load(path) as file:
        assert set(json.loads(str(file["header"]))["scene"]) == {"table", "object"}
        assert not any(key.startswith("prop") for key in file.files)


@pytest.mark.parametrize("name", ["", "object", "object_2", "table", "left_wrist"])
def test_a_prop_cannot_have_a_name_that_physics_uses(tmp_path, make_clip, name):
    clip = make_clip()
    tray = Prop(name, ObjectSpec("sphere", (0.3,)), (0.1, 0.4, 0.81, 1.0, 0.0, 0.0, 0.0))
    with pytest.raises(SceneError, match="cannot be called") as caught:
        save_clip(replace(clip, scene=replace(clip.scene, props=(tray,))), tmp_path / "bad.npz")
    assert "scene.props[0].name" in caught.value.where and not os.listdir(tmp_path)


def test_a_prop_has_one_of_two_roles(tmp_path, make_clip):
    clip = make_clip()
    tray = Prop("tray", ObjectSpec("sphere", (0.3,)), (0.1, 0.4, 0.81, 1.0, 0.0, 0.0, 0.0), "goal")  # type: ignore
    with pytest.raises(SceneError, match="the role 'goal'"):
        save_clip(replace(clip, scene=replace(clip.scene, props=(tray,))), tmp_path / "bad.npz")


@pytest.mark.parametrize("twice", [True, False])
def test_props_share_no_name_and_have_a_pose(tmp_path, make_clip, twice):
    clip = make_clip()
    tray = Prop("tray", ObjectSpec("sphere", (0.3,)), (0.1, 0.4, 0.81, 1.0 if twice else 0.5, 0.0, 0.0, 0.0))
    with pytest.raises(SceneError, match="share a name" if twice else "has the pose"):
        save_clip(replace(clip, scene=replace(clip.scene, props=(tray, tray))), tmp_path / "bad.npz")


def test_joints_are_found_by_name_not_by_position(path):
    straight = load_clip(path)
    shuffle = np.random.default_rng(0).permutation(52)
    with np.load(path) as file:
        arrays = {k: file[k][:, shuffle] for k in ("joint_rotations", "joint_positions")}
    other = load_clip(rewrite(path, header={"joints": [JOINTS[i] for i in shuffle]}, **arrays))
    np.testing.assert_array_equal(other.joint_positions, straight.joint_positions)
    np.testing.assert_array_equal(other.joint_rotations, straight.joint_rotations)


def test_a_clip_that_cannot_be_saved_leaves_the_old_file_and_nothing_else(path, make_clip):
    before = path.read_bytes()
    clip = make_clip()
    for bad in (
        replace(clip, joint_positions=np.full_like(clip.joint_positions, np.nan)),
        replace(clip, provenance={"unwritable": object()}),
    ):
        with pytest.raises((ClipError, TypeError)):
            save_clip(bad, path)
    assert path.read_bytes() == before and os.listdir(path.parent) == [path.name]


def test_a_write_that_breaks_off_leaves_nothing(path, make_clip, monkeypatch):
    before = path.read_bytes()

    def full(stream, **arrays):
        stream.write(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(OSError, match="no space"):
        save_clip(make_clip(), path)
    assert path.read_bytes() == before and os.listdir(path.parent) == [path.name]


def refused(path: Path, kind: type[DeviError] = ClipError) -> DeviError:
    """The error of loading `path`, which names the file, what would be valid, and leaves the folder as it was."""
    folder = sorted(os.listdir(path.parent))
    with pytest.raises(kind) as caught:
        load_clip(path)
    assert str(path) in caught.value.where or not path.exists()
    assert caught.value.valid and sorted(os.listdir(path.parent)) == folder
    return caught.value


def test_a_pickle_inside_is_never_run(path, tmp_path):
    victim = tmp_path / "created"

    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {victim}",)

    evil = np.empty(1, object)
    evil[0] = Evil()
    with np.load(path) as file:
        content = {key: file[key] for key in file.files}
    np.savez(path, **content | {"contact": evil}, allow_pickle=True)
    error = refused(path)
    assert "pickled" in error.what and "convert" in error.fix
    path.write_bytes(pickle.dumps(Evil()))
    assert "pickled" in refused(path).what
    assert not victim.exists()


def test_what_is_no_clip_file_is_named(path, tmp_path):
    for content in (b"", b"nonsense", b"PK\x03\x04 but no zip", path.read_bytes()[:-100]):
        bad = tmp_path / "bad.npz"
        bad.write_bytes(content)
        assert "convert" in refused(bad).fix
    np.save(tmp_path / "array.npy", np.zeros(3))
    refused(tmp_path / "array.npy")
    refused(tmp_path / "absent.npz")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    assert "header" in refused(tmp_path / "other.npz").where


def test_a_file_damaged_anywhere_loads_or_is_refused(path, rng):
    whole = path.read_bytes()
    refusals = 0
    for k in range(150):
        raw = bytearray(whole[: rng.integers(1, len(whole))] if k % 3 == 0 else whole)
        if k % 3:
            raw[rng.integers(len(raw))] ^= 1 << int(rng.integers(8))
        path.write_bytes(raw)
        try:
            assert load_clip(path).frames == 20
        except DeviError as error:
            refusals += 1
            assert str(path) in error.where
    assert refusals >= 50  # each truncated file at least


HEADERS = {
    "schema of the future": ({"schema": SCHEMA + 1}, "schema", f"{SCHEMA}"),
    "unknown joint": ({"joints": ["tail", *JOINTS[1:]]}, "header.joints", "pelvis"),
    "joint twice": ({"joints": [JOINTS[1], *JOINTS[1:]]}, "header.joints", "pelvis"),
    "too few joints": ({"joints": list(JOINTS[:51])}, "header.joints", "pelvis"),
    "joints by number": ({"joints": list(range(52))}, "header.joints", "pelvis"),
    "no joints": ({"joints": None}, "header.joints", "pelvis"),
    "rate in words": ({"fps": "thirty"}, "header.fps", "number"),
    "no rate": ({"fps": None}, "header.fps", "number"),
    "provenance in words": ({"provenance": ["me"]}, "header.provenance", "object"),
    "camera without size": ({"camera_size": None}, "camera", "camera_size"),
    "camera size in words": ({"camera_size": ["wide", 576]}, "camera", "camera_size"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_bad_headers_are_refused_by_field(path, name):
    header, field, valid = HEADERS[name]
    error = refused(rewrite(path, header=header))
    assert field in error.where and valid in error.valid and "convert" in error.fix


SCENES = {
    "unknown field": {"object": {"shape": "can", "size": [0.03, 0.1], "colour": "red"}},
    "no size": {"object": {"shape": "can"}},
    "size in words": {"object": {"shape": "can", "size": ["small", "tall"]}},
    "mass in words": {"object": {"shape": "can", "size": [0.03, 0.1], "mass_kg": "heavy"}},
    "unknown shape": {"object": {"shape": "torus", "size": [0.03, 0.1]}},
    "mesh without mesh": {"object": {"shape": "mesh", "size": []}},
    "table of two edges": {"table": {"centre": [0, 0.4], "size": [1, 1]}},
    "table in words": {"table": {"centre": "there", "size": [1, 1, 1]}},
    "a prop without pose": {"props": [{"name": "cup", "object": {"shape": "can", "size": [0.03, 0.1]}}]},
    "props by name": {"props": ["cup"]},
    "a list": ["can"],
}


@pytest.mark.parametrize("name", SCENES)
def test_bad_scenes_are_refused(path, name):
    error = refused(rewrite(path, header={"scene": SCENES[name]}), SceneError)
    assert "scene" in error.where


@pytest.mark.parametrize(
    "key",
    [
        *["joint_rotations", "joint_positions", "contact", "object_positions", "object_points_px"],
        *["object_points_visible", "object_vertex_ids", "camera_K", "camera_T_camera_world"],
    ],
)
def test_arrays_that_are_missing_or_misshapen_or_no_numbers_are_refused(path, key):
    whole = path.read_bytes()
    for spoil in (
        {key: np.zeros(())},
        {key: np.zeros((3, 2, 5, 7))},
        {key: np.array(["a", "b"])},
        {"drop": (key,)},
    ):
        path.write_bytes(whole)
        if key == "camera_K" and "drop" in spoil:
            continue  # without intrinsics there is no camera
        refused(rewrite(path, **spoil), DeviError)


def test_nan_is_refused_with_field_and_frame(path):
    with np.load(path) as file:
        bad = file["joint_positions"]
    bad[6, 20, 1] = np.nan
    error = refused(rewrite(path, joint_positions=bad))
    assert "joint_positions" in error.where and "frame 6" in error.what and "convert" in error.fix


def test_zero_quaternions_are_refused_with_field_and_frame(path):
    with np.load(path) as file:
        bad = file["joint_rotations"]
    bad[0] = 0
    error = refused(rewrite(path, joint_rotations=bad))
    assert "joint_rotations" in error.where and "frame 0" in error.what and "convert" in error.fix
