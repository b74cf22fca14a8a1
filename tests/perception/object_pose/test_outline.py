"""An object without a texture found by its outline."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from devi_jax.core import rotations as rot
from devi_jax.core.camera import Camera, look_at, project
from devi_jax.core.skeleton import HAND_BODIES
from perception.contracts import ObjectMotion, Origin
from perception.human.motion import SkeletonMotion, joint_positions
from perception.object_pose.outline_fit import Shape, _slopes, fit_outline, picture, shown_part
from perception.object_pose.outline_path import follow_outline
from perception.object_tracks.visible import outline
from tests.perception.object_pose.test_out_of_hand import FPS
from tests.perception.object_pose.test_out_of_hand import motion as motion  # a fixture

CUP = trimesh.creation.revolve(np.array([[0, 0], [0.033, 0], [0.045, 0.15], [0, 0.15]]), sections=24)
SHAPE = Shape(np.asarray(CUP.vertices), np.asarray(CUP.faces))
UPRIGHT = np.array([1.0, 0, 0, 0])


def camera(at: np.ndarray) -> Camera:
    """Half a metre from a place."""
    return look_at(at + [0.3, 0.35, 0.3], at + [0, 0, 0.07], 500.0)


def drawn(view: Camera, pose: np.ndarray, seed: int = 0) -> np.ndarray:
    """A dark cup before a light wall with lines on it."""
    rng = np.random.default_rng(seed)
    image = np.full((view.height, view.width, 3), 190.0)
    image[:, 100::190] = 130
    image[outline(SHAPE.at(pose), SHAPE.faces, view)] = [120, 90, 70]
    return np.clip(image + rng.normal(0, 3, image.shape), 0, 255).astype(np.uint8)


def nothing(view: Camera) -> np.ndarray:
    return np.zeros((view.height, view.width), bool)


def test_a_start_that_is_off_is_laid_over_the_edges():
    pose = np.array([0.0, 0, 1.0, *UPRIGHT])
    view = camera(pose[:3])
    seen = picture(drawn(view, pose), nothing(view))
    start = np.concatenate([pose[:3] + [0.012, -0.008, 0.01], rot.quat_exp(np.array([0.04, -0.03, 0.0]))])
    found, part = fit_outline(seen, view, SHAPE, start)
    true, own, first = (project(SHAPE.at(p), view.K, view.T_camera_world)[0] for p in (pose, found, start))
    assert part > 0.85 and np.linalg.norm(own - true, axis=1).mean() < 2.0
    assert np.linalg.norm(first - true, axis=1).mean() > 10


def test_a_pose_is_shown_where_the_picture_has_it_and_not_beside_it_nor_hidden_nor_out_of_view():
    pose = np.array([0.0, 0, 1.0, *UPRIGHT])
    view = camera(pose[:3])
    seen = picture(drawn(view, pose), nothing(view))
    assert shown_part(seen, view, SHAPE, pose) > 0.85
    for off in ([0.015, 0, 0], [0, 0.015, 0]):
        assert shown_part(seen, view, SHAPE, pose + [*off, 0, 0, 0, 0]) < 0.35
    assert shown_part(replace(seen, hidden=~seen.hidden), view, SHAPE, pose) == 0
    far = fit_outline(seen, view, SHAPE, pose + [5.0, 0, 0, 0, 0, 0, 0])
    assert far[1] == 0 and (far[0] == pose + [5.0, 0, 0, 0, 0, 0, 0]).all()
    blank = picture(np.full((view.height, view.width, 3), 128, np.uint8), seen.hidden)
    assert shown_part(blank, view, SHAPE, pose) == 0


def test_slopes_are_those_of_finite_differences():
    pose = np.array([0.02, -0.01, 1.0, *UPRIGHT])
    view = camera(pose[:3])
    vertices = SHAPE.at(pose)
    px = project(vertices, view.K, view.T_camera_world)[0]
    chosen, way = px[::7], np.tile([0.6, 0.8], (len(px[::7]), 1))
    slopes, h = _slopes(vertices, pose[:3], view, chosen, way), 1e-6
    for k in range(6):
        step = np.eye(6)[k] * h
        moved = np.concatenate([pose[:3] + step[:3], rot.quat_mul(rot.quat_exp(step[3:]), pose[3:])])
        gone = (project(SHAPE.at(moved), view.K, view.T_camera_world)[0][::7] - chosen) / h
        np.testing.assert_allclose(slopes[:, k], (gone * way).sum(axis=1), atol=0.1, rtol=1e-3)


@pytest.fixture
def film(motion: SkeletonMotion) -> tuple[ObjectMotion, Camera, list[np.ndarray]]:
    """The path of a cup that leaves its place in the hand by 1 cm, its camera, and the pictures."""
    palm = joint_positions(motion)[:, HAND_BODIES[1][1]]
    slip = np.linspace(0, 0.01, motion.frames)[:, None] * [1.0, 0, 0]
    places = palm + [0.05, 0.0, -0.05] + slip
    path = ObjectMotion(
        fps=FPS,
        size_px=(1024, 576),
        origin=Origin("t", "", {}),
        positions=places,
        rotations=np.tile(UPRIGHT, (motion.frames, 1)),
        found=np.ones(motion.frames, bool),
    )
    view = camera(places.mean(axis=0))
    return path, view, [drawn(view, np.array([*place, *UPRIGHT]), t) for t, place in enumerate(places)]


def test_a_gap_in_which_a_hand_holds_the_object_is_filled_by_its_outline(motion, film):
    path, view, frames = film
    gap = np.arange(motion.frames) // 4 == motion.frames // 8
    lost = replace(path, found=~gap, positions=np.where(gap[:, None], 9.0, path.positions))
    held = np.zeros((motion.frames, 2), bool)
    assert follow_outline(iter(frames), lost, motion, held, view, SHAPE) is lost
    held[:, 1] = True
    found = follow_outline(iter(frames), lost, motion, held, view, SHAPE)
    assert found.found.all()
    assert np.linalg.norm(found.positions - path.positions, axis=1).max() < 0.012
    np.testing.assert_array_equal(found.positions[~gap], path.positions[~gap])
    held[np.flatnonzero(gap)[-1]] = False  # the gap goes on after the hold
    assert follow_outline(iter(frames), lost, motion, held, view, SHAPE).found.all()
    empty = [np.full_like(frames[0], 128)] * motion.frames
    assert (follow_outline(iter(empty), lost, motion, held, view, SHAPE).found == ~gap).all()


def test_poses_that_the_picture_has_elsewhere_are_put_right_where_they_are_doubtful(motion, film):
    path, view, frames = film
    off = np.isin(np.arange(motion.frames), np.arange(20, 26))
    wrong = replace(path, positions=path.positions + off[:, None] * [0.02, 0.0, 0.0])
    held = np.tile([False, True], (motion.frames, 1))
    assert follow_outline(iter(frames), wrong, motion, held, view, SHAPE) is wrong
    assert follow_outline(iter(frames), wrong, motion, ~held & False, view, SHAPE, doubtful=off) is wrong
    put = follow_outline(iter(frames), wrong, motion, held, view, SHAPE, doubtful=off)
    assert put.found.all()
    assert np.linalg.norm(put.positions - path.positions, axis=1).max() < 0.012
    grey = [np.full_like(frames[0], 128)] * motion.frames
    lost = follow_outline(iter(grey), wrong, motion, held, view, SHAPE, doubtful=off)
    assert (lost.found == ~off).all()


def test_a_hand_that_tells_its_distance_wrong_does_not_lose_the_outline(motion, film):
    """Carried by the hand alone, the object comes to be a tenth of its distance nearer than it is."""
    path, view, frames = film
    gap = np.isin(np.arange(motion.frames), np.arange(20, 26))
    lost = replace(path, found=~gap)
    held = np.tile([False, True], (motion.frames, 1))
    wrist = joint_positions(motion)[:, HAND_BODIES[1][0]]
    nearer = replace(motion, root=motion.root + gap[:, None] * 0.1 * (view.position_world - wrist))
    found = follow_outline(iter(frames), lost, nearer, held, view, SHAPE)
    assert found.found.all()
    assert np.linalg.norm(found.positions - path.positions, axis=1).max() < 0.03
