"""The way from tools' estimates to a clip, on the bundled clip's truth written as those tools would see it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import devi_jax
from devi_jax.core import rotations as rot
from devi_jax.core.camera import frontal, project
from devi_jax.core.clip import Clip, bone_offsets, global_rotations
from devi_jax.core.clip_io import load_clip
from devi_jax.core.skeleton import HAND_BODIES, INDEX, JOINTS
from perception.align.calibrate import first_points
from perception.align.landmarks import POINT
from perception.contracts import HAND21, BodyMotion, EstimateError, HandMotion, PointTracks, Side
from perception.human.evidence import FirstPose
from perception.human.merge_body_and_hands import REST_AXES, UnifyConfig
from perception.human.motion import joint_positions
from perception.human.scene_prior import ScenePrior
from perception.pipeline.steps import check_hands, check_starts_on_object, from_tools, object_tracks, reconstruct
from perception.pipeline.to_clip import to_clip

pytest.importorskip("cv2")

CAMERA = frontal(-45.0)
EVERY = 10
BOX = np.array([[x, y, z] for x in (-0.03, 0.03) for y in (-0.03, 0.03) for z in (-0.06, 0.06)])
QUADS = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
FACES = np.array([[q[i] for i in t] for q in QUADS for t in ((0, 1, 2), (0, 2, 3))])


@pytest.fixture(scope="module")
def truth() -> Clip:
    clip = load_clip(Path(devi_jax.__file__).parent / "data" / "clips" / "lift_can.npz")
    local = rot.quat_normalise(clip.joint_rotations[::EVERY].astype(float))
    at = clip.joint_positions[::EVERY].astype(float)
    contact = clip.contact[::EVERY]
    return replace(
        clip, joint_rotations=local, joint_positions=at, contact=contact, object_poses=None, object_tracks=None
    )


@pytest.fixture(scope="module")
def known(truth) -> ScenePrior:
    first = FirstPose(truth.joint_rotations[0], truth.joint_positions[0, 0], bone_offsets(truth))
    inside = np.ones((CAMERA.height, CAMERA.width), bool)
    assert truth.object_start is not None
    return ScenePrior(CAMERA, truth.scene, first, BOX, FACES, truth.object_start, inside, ("right",))


@pytest.fixture
def body(truth) -> BodyMotion:
    axes = rot.quat_conj(rot.matrix_to_quat(REST_AXES.T))
    local, n = truth.joint_rotations, truth.frames
    names = tuple(name for name in JOINTS[:22] if "spine" not in name)
    px, _ = project(truth.joint_positions[:, [INDEX[name] for name in names]], CAMERA.K, CAMERA.T_camera_world)
    return BodyMotion(
        fps=3.0,
        size_px=(CAMERA.width, CAMERA.height),
        frame="world_zup",
        global_orient=rot.quat_log(rot.quat_mul(local[:, 0], np.broadcast_to(axes, (n, 4)))),
        body_pose=rot.quat_log(local[:, 1:22]) @ REST_AXES,
        transl=truth.joint_positions[:, 0] + [3.0, 1.0, 0.5],  # the tool's own origin
        betas=np.zeros(10),
        rest_pelvis=np.zeros(3),
        valid=np.ones(n, bool),
        K_used=CAMERA.K,
        joints2d=np.concatenate([px, np.ones((*px.shape[:2], 1))], axis=-1),
        joint_names=names,
    )


def hand(truth: Clip, side: Side) -> HandMotion:
    n, k = truth.frames, ("left", "right").index(side)
    wrist = global_rotations(truth.joint_rotations)[:, INDEX[f"{side}_wrist"]]
    seen = rot.quat_mul(np.broadcast_to(rot.matrix_to_quat(CAMERA.T_camera_world[:3, :3]), (n, 4)), wrist)
    axes = np.broadcast_to(rot.quat_conj(rot.matrix_to_quat(REST_AXES.T)), (n, 4))
    poses = zip(truth.joint_rotations, truth.joint_positions[:, 0], strict=True)
    every = np.stack([first_points(FirstPose(q, p, bone_offsets(truth))) for q, p in poses])
    px, _ = project(every[:, [POINT[f"{side}_{name}"] for name in HAND21]], CAMERA.K, CAMERA.T_camera_world)
    return HandMotion(
        fps=3.0,
        size_px=(CAMERA.width, CAMERA.height),
        side=side,
        valid=np.ones(n, bool),
        global_orient=rot.quat_log(rot.quat_mul(seen, axes)),
        hand_pose=rot.quat_log(truth.joint_rotations[:, list(HAND_BODIES[k][1:])]) @ REST_AXES,
        joints2d=np.concatenate([px, np.ones((n, 21, 1))], axis=-1),
        betas=np.zeros(10),
        K_used=CAMERA.K,
    )


def tracks(xy: np.ndarray, frames: int, ids: list[int]) -> PointTracks:
    seen = np.ones((frames, len(ids)), bool)
    return PointTracks(
        fps=3.0,
        size_px=(CAMERA.width, CAMERA.height),
        xy=np.broadcast_to(xy, (frames, len(ids), 2)).copy(),
        visible=seen,
        conf=seen * 1.0,
        query_t=np.zeros(len(ids), int),
        vertex_id=np.array(ids),
    )


def test_what_tools_see_truly_is_the_truth_again(truth, known, body):
    hands = {"left": hand(truth, "left"), "right": hand(truth, "right")}
    human = from_tools(body, hands, known, "rigid", UnifyConfig(ray="none", twist_limit_deg=180.0))
    np.testing.assert_allclose(joint_positions(human.motion), truth.joint_positions, atol=2e-3)
    assert len(human.hands.points) == 42 and human.body.px.shape[0] == truth.frames


def test_a_clip_comes_out_with_points_on_the_object_and_a_history(truth, known, body):
    human = from_tools(body, {}, known, "yaw", UnifyConfig())
    px, _ = project(known.points_world[[7, 20]], CAMERA.K, CAMERA.T_camera_world)
    points = tracks(px, truth.frames, [7, 20])
    clip = to_clip("lift", reconstruct(human.motion, points, None, known, {"video": "v.mp4"}))
    assert clip.object_tracks is not None
    np.testing.assert_array_equal(clip.object_tracks.points_object, known.points[[7, 20]])
    assert clip.object_tracks.vertex_ids.tolist() == [7, -1]  # only the first eight points are vertices
    assert {"video", "motion", "points", "object_poses"} == {*clip.provenance} and "unify" in clip.provenance["motion"]


def test_a_trackers_own_points_find_their_place_on_the_object(truth, known):
    near, _ = project(known.points_world, CAMERA.K, CAMERA.T_camera_world)
    top = np.flatnonzero(np.isclose(known.points[:, 2], 0.06))
    beside = near[top[5]] + [1.0, 0.0]
    found = object_tracks(tracks(np.array([beside, [5.0, 5.0]]), truth.frames, [-1, -1]), known)
    assert found.points_px.shape[1] == 1
    assert np.linalg.norm(found.points_object[0] - known.points[top[5]]) < 0.011


def test_tracks_beside_the_object_and_of_another_mesh_are_refused(truth, known):
    with pytest.raises(EstimateError, match="no point of the tracks is on the object"):
        object_tracks(tracks(np.array([[5.0, 5.0]]), truth.frames, [-1]), known)
    with pytest.raises(EstimateError, match="no vertex 100000"):
        object_tracks(tracks(np.array([[5.0, 5.0]]), truth.frames, [100000]), known)


def test_tracks_of_the_video_at_half_its_size_are_refused_with_the_factor(truth, known):
    px, _ = project(known.points_world[:8], CAMERA.K, CAMERA.T_camera_world)
    check_starts_on_object(tracks(px, truth.frames, list(range(8))), known)
    with pytest.raises(EstimateError, match="multiply them by 2"):
        check_starts_on_object(tracks(px / 2, truth.frames, list(range(8))), known)
    with pytest.raises(EstimateError, match="track this video"):
        check_starts_on_object(tracks(px + [200.0, -90.0], truth.frames, list(range(8))), known)
    check_starts_on_object(tracks(px / 2, truth.frames, [-1] * 8), known)  # a tracker's own points name no place


def test_the_hand_that_acts_has_to_be_seen(known):
    check_hands({"left": False, "right": True}, known)
    with pytest.raises(EstimateError, match="the right hand is seen in no frame"):
        check_hands({"left": True, "right": False}, known)
