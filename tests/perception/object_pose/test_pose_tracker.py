"""An object followed in space through pictures of it, drawn by projecting its textured faces."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from devi_jax.core import rotations as rot
from devi_jax.core.camera import frontal, project
from devi_jax.core.scene import SceneSpec
from perception.contracts import PointTracks
from perception.human.evidence import FirstPose
from perception.human.scene_prior import ScenePrior
from perception.object_pose.jacobians import PoseOrigin, project_poses
from perception.object_pose.pose_tracker import off_tracks, pose_of_tracks, smooth_poses, track_pose
from perception.object_tracks.visible import visible_vertices

CAMERA = frontal(-45.0)
HALF = np.array([0.08, 0.06, 0.10])
START = np.array([0.0, 0.35, 0.9, 1.0, 0, 0, 0])
CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * HALF
QUADS = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
FACES = np.array([[q[i] for i in t] for q in QUADS for t in ((0, 1, 2), (0, 2, 3))])
FRAMES, MOVES = 10, 2


def true_pose() -> np.ndarray:
    """Shifts and rotation vectors (T, 6): up, away, and round."""
    late = np.maximum(np.arange(FRAMES) - MOVES + 1, 0)[:, None] / (FRAMES - MOVES)
    return late * np.array([0.03, 0.05, 0.12, 0.1, 0.2, 0.4])


def picture(pose: np.ndarray, textures: list[np.ndarray], hidden: bool = False) -> np.ndarray:
    """The box before grey, painter's algorithm over its six faces; `hidden`: behind a plain board."""
    turned = rot.rotate(np.broadcast_to(rot.quat_exp(pose[3:]), (8, 4)), CORNERS) + START[:3] + pose[:3]
    px, depth = project(turned, CAMERA.K, CAMERA.T_camera_world)
    out = np.full((CAMERA.height, CAMERA.width, 3), 128, np.uint8)
    for face in sorted(range(6), key=lambda f: -depth[list(QUADS[f])].mean()):
        n = textures[face].shape[0]
        corners = np.array([[0, 0], [n, 0], [n, n], [0, n]], np.float32) - 0.5
        there = (px[list(QUADS[face])] - 0.5).astype(np.float32)
        H = cv2.getPerspectiveTransform(corners, there)
        inside = cv2.warpPerspective(np.ones((n, n), np.uint8), H, out.shape[1::-1]) > 0
        out[inside] = cv2.warpPerspective(textures[face], H, out.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)[inside]
    return np.full_like(out, 128) if hidden else out


@pytest.fixture(scope="module")
def textures() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    coarse = [rng.integers(0, 255, (8, 8, 3), np.uint8) for _ in range(6)]
    return [cv2.resize(c, (64, 64), interpolation=cv2.INTER_CUBIC) for c in coarse]


@pytest.fixture(scope="module")
def known(textures) -> ScenePrior:
    still = FirstPose(np.tile([1.0, 0, 0, 0], (52, 1)), np.zeros(3), np.zeros((52, 3)))
    inside = (picture(np.zeros(6), textures) != 128).any(axis=-1)
    return ScenePrior(CAMERA, SceneSpec(), still, CORNERS, FACES, START, inside)


def tracks(known: ScenePrior, visible: slice) -> PointTracks:
    """Twenty points where they truly are, seen in the frames of `visible`."""
    ids, _ = visible_vertices(known.points_world, known.faces, CAMERA, known.inside)
    ids = ids[:: len(ids) // 20]
    xy, _ = project_poses(PoseOrigin(CAMERA, START[:3]), known.points[ids], true_pose())
    seen = np.zeros(xy.shape[:2], bool)
    seen[visible] = True
    size = (CAMERA.width, CAMERA.height)
    return PointTracks(
        fps=30.0, size_px=size, xy=xy, visible=seen, conf=seen * 1.0, query_t=0 * ids, vertex_id=ids.astype(int)
    )


def test_tracks_tell_the_pose_and_too_few_do_not(known):
    points = tracks(known, slice(0, 7))
    got = pose_of_tracks(points, known.points, PoseOrigin(CAMERA, START[:3]), np.arange(FRAMES) < MOVES, 3.0)
    np.testing.assert_allclose(got[MOVES:7], true_pose()[MOVES:7], atol=2e-3)
    assert np.isnan(got[:MOVES]).all() and np.isnan(got[7:]).all()


def test_slopes_are_those_of_finite_differences():
    rng = np.random.default_rng(3)
    setting, points = PoseOrigin(CAMERA, START[:3]), rng.uniform(-0.1, 0.1, (5, 3))
    pose, step = rng.normal(0, 0.3, (2, 6)), rng.normal(0, 1, (2, 6))
    _, slope = project_poses(setting, points, pose)
    ahead, behind = (project_poses(setting, points, pose + sign * 1e-6 * step)[0] for sign in (1, -1))
    np.testing.assert_allclose(np.einsum("tnki,ti->tnk", slope, step), (ahead - behind) / 2e-6, rtol=1e-4, atol=1e-3)


def test_looks_alone_tell_where_the_object_is_in_depth_too(known, textures):
    path = track_pose((picture(p, textures) for p in true_pose()), tracks(known, slice(0, 1)), known, MOVES)
    true = true_pose()
    assert path.found.all()
    assert np.linalg.norm(path.positions - START[:3] - true[:, :3], axis=-1).max() < 0.005
    assert np.degrees(rot.angle_between(path.rotations, rot.quat_exp(true[:, 3:]))).max() < 1.0
    np.testing.assert_allclose(path.positions[:MOVES], START[None, :3].repeat(MOVES, 0), atol=1e-5)


def test_frames_that_do_not_show_it_are_bridged_and_said(known, textures):
    gone = (5, 6)
    frames = (picture(p, textures, t in gone) for t, p in enumerate(true_pose()))
    path = track_pose(frames, tracks(known, slice(0, 10)), known, MOVES)
    assert np.flatnonzero(~path.found).tolist() == list(gone)
    assert np.linalg.norm(path.positions - START[:3] - true_pose()[:, :3], axis=-1).max() < 0.01


def test_what_never_moves_is_found_until_nothing_sees_it_any_more(known, textures):
    still = picture(np.zeros(6), textures)
    points = tracks(known, slice(0, 7))
    points = replace(points, xy=np.repeat(points.xy[:1], FRAMES, axis=0))
    path = track_pose((still for _ in range(FRAMES)), points, known, FRAMES)
    assert np.flatnonzero(~path.found).tolist() == [7, 8, 9]
    np.testing.assert_allclose(path.positions, START[None, :3].repeat(FRAMES, 0), atol=1e-6)


def test_a_plain_thing_that_is_gone_is_not_found_in_the_plain_ground(known):
    """The ground fits it as well as it did itself, wherever one looks."""
    plain = [np.full((64, 64, 3), 128 + 8 * face, np.uint8) for face in range(6)]
    gone = slice(5, FRAMES)
    frames = [picture(p, plain, t >= 5) for t, p in enumerate(true_pose())]
    path = track_pose(iter(frames), tracks(known, slice(0, 5)), known, MOVES)
    assert path.found[:5].all() and not path.found[gone].any()
    # tracks that still see it are enough
    assert track_pose(iter(frames), tracks(known, slice(0, FRAMES)), known, MOVES).found.all()


def test_looks_that_tracks_contradict_are_not_believed(known):
    setting, points = PoseOrigin(CAMERA, START[:3]), tracks(known, slice(0, 7))
    np.testing.assert_allclose(off_tracks(points, known.points, setting, true_pose())[:7], 0, atol=1e-6)
    gap = np.linalg.norm(points.xy - points.xy[0], axis=-1)
    still = off_tracks(points, known.points, setting, np.zeros((FRAMES, 6)))
    np.testing.assert_allclose(still[:7], np.median(gap, axis=1)[:7], atol=1e-6)
    assert np.isnan(still[7:]).all() and still[6] > 6


def test_steadying_weighs_what_was_seen_against_standing_still():
    pose = np.zeros((3, 6))
    pose[1:] = [[0.1] * 6, [0.2] * 6]
    rests = np.array([True, False, False])
    sure = np.stack([1e12 * np.eye(6)] * 3)
    np.testing.assert_allclose(smooth_poses(pose, sure, rests, np.full(6, 0.1)), pose, atol=1e-6)
    unsure = np.where(np.arange(3)[:, None, None] == 1, 0, sure)
    np.testing.assert_allclose(smooth_poses(pose + [[0], [5], [0]], unsure, rests, np.full(6, 0.1))[1], 0.1, atol=1e-3)
