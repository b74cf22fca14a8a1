from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from devi_jax.core import rotations as rot
from devi_jax.core.camera import frontal
from devi_jax.core.clip import body_only, bone_offsets, crop, forward_kinematics, global_rotations, resample, validate
from devi_jax.core.errors import CameraError, ClipError, SceneError
from devi_jax.core.scene import Mesh, ObjectSpec, SceneSpec, Table
from devi_jax.core.skeleton import INDEX, PARENTS


def test_duration_counts_intervals_and_onset_the_first_contact(make_clip):
    clip = make_clip(frames=31, onset=12)
    assert clip.frames == 31 and clip.duration_s == 1.0 and clip.onset == 12
    assert replace(clip, contact=np.zeros((31, 2))).onset == 31


def test_global_rotations_are_products_along_the_chain(make_clip):
    clip = make_clip()
    world = global_rotations(clip.joint_rotations)
    chain = [INDEX["left_index3"]]
    while PARENTS[chain[0]] >= 0:
        chain.insert(0, PARENTS[chain[0]])
    expected = Rotation.identity()
    for joint in chain:
        expected = expected * Rotation.from_quat(clip.joint_rotations[3, joint], scalar_first=True)
    found = Rotation.from_quat(world[3, chain[-1]], scalar_first=True)
    np.testing.assert_allclose(found.as_matrix(), expected.as_matrix())


def test_forward_kinematics_of_the_rest_pose_sums_offsets(offsets):
    local = np.zeros((1, 52, 4))
    local[..., 0] = 1
    out = forward_kinematics(local, np.array([[1.0, 2, 3]]), offsets)[0]
    chain = [INDEX[n] for n in ("left_hip", "left_knee", "left_ankle", "left_foot")]
    np.testing.assert_allclose(out[chain[-1]], np.array([1, 2, 3]) + offsets[chain].sum(axis=0))


def test_a_turned_joint_moves_its_descendants_only(offsets):
    local = np.zeros((1, 52, 4))
    local[..., 0] = 1
    rest = forward_kinematics(local, np.zeros((1, 3)), offsets)[0]
    elbow, wrist = INDEX["right_elbow"], INDEX["right_wrist"]
    local[0, elbow] = [np.sqrt(0.5), 0, 0, np.sqrt(0.5)]  # a quarter about z: x becomes y
    out = forward_kinematics(local, np.zeros((1, 3)), offsets)[0]
    x, y, z = offsets[wrist]
    np.testing.assert_allclose(out[wrist] - out[elbow], [-y, x, z], atol=1e-12)
    below = {i for i in range(52) if elbow in _ancestors(i)}
    moved = set(np.flatnonzero(np.abs(out - rest).max(axis=1) > 1e-9))
    assert moved == below


def _ancestors(joint: int) -> list[int]:
    parent = PARENTS[joint]
    return [] if parent < 0 else [parent, *_ancestors(parent)]


def test_bone_offsets_follow_from_positions_and_rotations(make_clip, offsets):
    clip = make_clip()
    np.testing.assert_allclose(bone_offsets(clip), offsets, atol=1e-12)
    outlier = np.array(clip.joint_positions)
    outlier[4] += np.random.default_rng(0).normal(size=(52, 3))  # one bad frame does not move a median far
    assert np.abs(bone_offsets(replace(clip, joint_positions=outlier)) - offsets).max() < 1e-9


def test_resampling_hits_the_old_frames_and_keeps_the_ends(make_clip):
    clip = make_clip(frames=11, tracks=True)
    fine = resample(clip, 2 * clip.fps)
    assert fine.frames == 21 and fine.duration_s == clip.duration_s and fine.fps == 60
    np.testing.assert_allclose(fine.joint_positions[::2], clip.joint_positions, atol=1e-12)
    np.testing.assert_allclose(fine.joint_positions[1], clip.joint_positions[:2].mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(fine.object_tracks.points_px[::2], clip.object_tracks.points_px, atol=1e-9)
    np.testing.assert_array_equal(fine.contact[::2], clip.contact)
    back = resample(fine, clip.fps)
    np.testing.assert_allclose(back.joint_positions, clip.joint_positions, atol=1e-12)
    np.testing.assert_allclose(rot.angle_between(back.joint_rotations, clip.joint_rotations), 0, atol=1e-7)
    validate(fine, "fine")


def test_resampled_rotations_are_geodesic(make_clip):
    clip = make_clip(frames=26, fps=25.0)
    out = resample(clip, 30.0)
    assert out.frames == 31
    times = np.arange(31) / 30
    for joint in (0, 16, 40):
        track = Rotation.from_quat(clip.joint_rotations[:, joint], scalar_first=True)
        expected = Slerp(np.arange(26) / 25, track)(times).as_quat(scalar_first=True)
        np.testing.assert_allclose(rot.angle_between(out.joint_rotations[:, joint], expected), 0, atol=1e-7)


def test_resampling_to_the_same_rate_changes_nothing(make_clip):
    clip = make_clip()
    assert resample(clip, clip.fps) is clip


def test_cropping_keeps_frames_and_moves_the_objects_start(make_clip):
    clip = make_clip(frames=20, tracks=True)
    part = crop(clip, 5, 15)
    assert part.frames == 10
    np.testing.assert_array_equal(part.joint_positions, clip.joint_positions[5:15])
    np.testing.assert_array_equal(part.object_start[:3], clip.object_poses.positions[5])
    np.testing.assert_array_equal(part.object_start[3:], clip.object_poses.rotations[5])
    np.testing.assert_array_equal(part.object_tracks.points_px, clip.object_tracks.points_px[5:15])
    np.testing.assert_array_equal(crop(clip, 0, 4).object_start, clip.object_start)
    validate(part, "part")


@pytest.mark.parametrize("span", [(-1, 5), (5, 5), (6, 5), (0, 21)])
def test_cropping_outside_of_the_clip_is_an_error(make_clip, span):
    with pytest.raises(ClipError, match="of 20") as caught:
        crop(make_clip(frames=20), *span)
    assert "--start" in caught.value.where and "20" in caught.value.valid


def spoiled(value, index, number):
    out = np.array(value)
    out[index] = number
    return out


def with_object(clip, **changes):
    return replace(clip, scene=replace(clip.scene, object=replace(clip.scene.object, **changes)))


BAD = {
    "one frame": (lambda c: crop(c, 0, 1), ClipError, "1 frame", ""),
    "no rate": (lambda c: replace(c, fps=0.0), ClipError, "fps is 0", "fps"),
    "nan rate": (lambda c: replace(c, fps=float("nan")), ClipError, "fps is nan", "fps"),
    "51 joints": (
        lambda c: replace(c, joint_positions=c.joint_positions[:, :51]),
        ClipError,
        r"\(20, 51, 3\)",
        "joint_positions",
    ),
    "xyz for wxyz": (
        lambda c: replace(c, joint_rotations=c.joint_rotations[..., :3]),
        ClipError,
        r"\(20, 52, 3\)",
        "joint_rotations",
    ),
    "short contact": (lambda c: replace(c, contact=c.contact[:5]), ClipError, r"\(5, 2\)", "contact"),
    "label 2": (lambda c: replace(c, contact=c.contact * 2), ClipError, "label", "contact"),
    "nan": (
        lambda c: replace(c, joint_positions=spoiled(c.joint_positions, (7, 3), np.nan)),
        ClipError,
        "not finite .*frame 7",
        "joint_positions",
    ),
    "inf": (
        lambda c: replace(c, object_start=spoiled(c.object_start, 0, np.inf)),
        ClipError,
        "not finite",
        "object_start",
    ),
    "zero quaternion": (
        lambda c: replace(c, joint_rotations=spoiled(c.joint_rotations, (0, 9), 0.0)),
        ClipError,
        "zero quaternion at frame 0",
        "joint_rotations",
    ),
    "long quaternion": (
        lambda c: replace(c, joint_rotations=c.joint_rotations * 1.1),
        ClipError,
        "unit length",
        "joint_rotations",
    ),
    "zero object quaternion": (
        lambda c: replace(c, object_poses=replace(c.object_poses, rotations=spoiled(c.object_poses.rotations, 3, 0.0))),
        ClipError,
        "frame 3",
        "object_rotations",
    ),
    "zero start quaternion": (
        lambda c: replace(c, object_start=spoiled(c.object_start, slice(3, 7), 0.0)),
        ClipError,
        "zero quaternion",
        "object_start",
    ),
    "no start": (lambda c: replace(c, object_start=None), ClipError, "where it starts", "object_start"),
    "tracks of other length": (
        lambda c: replace(c, object_tracks=replace(c.object_tracks, visible=c.object_tracks.visible[:, :2])),
        ClipError,
        "shape",
        "object_points_visible",
    ),
    "track without points": (
        lambda c: replace(c, object_tracks=replace(c.object_tracks, points_object=np.zeros(()))),
        ClipError,
        "shape",
        "object_points_object",
    ),
    "absent mesh": (lambda c: with_object(c, shape="mesh", size=()), SceneError, "holds none", "scene.object.mesh"),
    "empty mesh": (
        lambda c: with_object(c, shape="mesh", size=(), mesh=Mesh(np.zeros((0, 3)), np.zeros((0, 3), int))),
        SceneError,
        "shapes",
        "mesh",
    ),
    "mesh face without vertex": (
        lambda c: with_object(c, shape="mesh", size=(), mesh=Mesh(np.eye(4, 3), np.full((4, 3), 4))),
        SceneError,
        "without vertex",
        "mesh",
    ),
    "mesh faces of floats": (
        lambda c: with_object(c, shape="mesh", size=(), mesh=Mesh(np.eye(4, 3), np.zeros((4, 3)))),
        SceneError,
        "float64",
        "mesh",
    ),
    "unknown shape": (lambda c: with_object(c, shape="torus"), SceneError, "torus", "scene.object"),
    "box of two edges": (lambda c: with_object(c, shape="box", size=(1.0, 1.0)), SceneError, "size", "object.size"),
    "negative radius": (lambda c: with_object(c, shape="sphere", size=(-1.0,)), SceneError, "size", "size"),
    "no mass": (lambda c: with_object(c, mass_kg=0.0), SceneError, "mass", "scene.object"),
    "flat table": (
        lambda c: replace(c, scene=replace(c.scene, table=Table(size=(1.0, 0.0, 0.8)))),
        SceneError,
        "table",
        "scene.table",
    ),
    "scaled camera": (
        lambda c: replace(c, camera=replace(frontal(), T_camera_world=2 * np.eye(4))),
        CameraError,
        "rigid",
        "camera",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_clips_are_refused_by_field(make_clip, name):
    spoil, kind, words, field = BAD[name]
    clip = make_clip(frames=20, tracks=True)
    validate(clip, "good.npz")
    with pytest.raises(kind, match=words) as caught:
        validate(spoil(clip), "bad.npz")
    assert caught.value.where.startswith("bad.npz") and field in caught.value.where


def test_a_bare_human_is_a_clip(make_clip):
    bare = replace(make_clip(), scene=SceneSpec(), object_start=None, object_poses=None)
    validate(bare, "bare")
    can = replace(bare, scene=SceneSpec(object=ObjectSpec()), object_start=np.array([0, 0.4, 0.9, 1, 0, 0, 0]))
    validate(can, "can")
    with pytest.raises(ClipError, match="object"):
        validate(replace(bare, scene=can.scene), "nowhere")


def test_the_body_alone_has_nothing_to_touch(make_clip):
    clip = make_clip(tracks=True)
    alone = body_only(clip)
    validate(alone, "alone")
    assert alone.scene.object is None and alone.object_start is None and not alone.contact.any()
    assert (alone.joint_rotations == clip.joint_rotations).all() and alone.onset == alone.frames
