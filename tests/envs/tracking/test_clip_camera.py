"""The camera chosen for a clip without one: it sees everything, from the left front, and no farther than needed."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from devi_jax.core.clip import Clip
from devi_jax.core.errors import CameraError, ClipError
from envs.scenes.objects import sample_surface
from envs.tracking.clip_camera import MARGIN, choose_camera, object_points, project_object


@pytest.fixture(scope="module")
def points(lift_can):
    return sample_surface(lift_can.scene.object, 40)


def turn(q) -> Rotation:
    return Rotation.from_quat(np.asarray(q, float), scalar_first=True)


def turned(clip: Clip, yaw: float, shift) -> Clip:
    """The whole clip turned about z and shifted."""
    by = Rotation.from_rotvec([0, 0, yaw])
    local = clip.joint_rotations.copy()
    local[:, 0] = (by * turn(local[:, 0])).as_quat(scalar_first=True)
    poses = replace(
        clip.object_poses,
        positions=by.apply(clip.object_poses.positions) + shift,
        rotations=(by * turn(clip.object_poses.rotations)).as_quat(scalar_first=True),
    )
    positions = by.apply(clip.joint_positions.reshape(-1, 3)).reshape(clip.joint_positions.shape) + shift
    return replace(clip, joint_rotations=local, joint_positions=positions, object_poses=poses)


def share_of_image(cloud: np.ndarray, camera) -> np.ndarray:
    seen = (cloud @ camera.T_camera_world[:3, :3].T + camera.T_camera_world[:3, 3]) @ camera.K.T
    assert (seen[:, 2] > 0.3).all()
    return seen[:, :2] / seen[:, 2:] / [camera.width, camera.height]


def test_all_joints_and_object_points_are_in_the_picture(lift_can, points):
    camera = choose_camera(lift_can, points)
    cloud = [lift_can.joint_positions.reshape(-1, 3), object_points(lift_can, points).reshape(-1, 3)]
    share = share_of_image(np.concatenate(cloud), camera)
    assert share.min() > MARGIN and share.max() < 1 - MARGIN
    assert (camera.width, camera.height) == (1024, 576)
    assert camera.K[0, 0] == camera.K[1, 1] == camera.width / 2


def test_it_stands_at_the_left_front_and_looks_down_by_15_degrees(lift_can, points):
    camera = choose_camera(lift_can, points)
    cloud = np.concatenate([lift_can.joint_positions.reshape(-1, 3), object_points(lift_can, points).reshape(-1, 3)])
    away = camera.position_world - (cloud.min(axis=0) + cloud.max(axis=0)) / 2
    heading = np.degrees(np.arctan2(away[0], away[1]))
    # the human faces +y within a degree or two, its left is -x
    assert heading == pytest.approx(-45, abs=3)
    assert np.degrees(np.arcsin(away[2] / np.linalg.norm(away))) == pytest.approx(15, abs=0.1)


def test_it_turns_with_the_human(lift_can, points):
    """A quarter turn and a walk take the camera along; the picture stays the same."""
    yaw, shift = np.pi / 2, np.array([3.0, -1.0, 0.0])
    before = choose_camera(lift_can, points)
    after = choose_camera(turned(lift_can, yaw, shift), points)
    moved = Rotation.from_rotvec([0, 0, yaw]).apply(before.position_world) + shift
    np.testing.assert_allclose(after.position_world, moved, atol=1e-9)


def test_it_stands_no_farther_than_needed(lift_can, points):
    camera = choose_camera(lift_can, points)
    cloud = np.concatenate([lift_can.joint_positions.reshape(-1, 3), object_points(lift_can, points).reshape(-1, 3)])
    # a quarter of a metre nearer something would leave the margin
    nearer = camera.T_camera_world.copy()
    nearer[2, 3] -= 0.25
    share = share_of_image(cloud, replace(camera, T_camera_world=nearer))
    assert share.min() < MARGIN or share.max() > 1 - MARGIN


def test_an_object_far_from_the_human_is_seen_too(lift_can, points):
    poses = replace(lift_can.object_poses, positions=lift_can.object_poses.positions + [2.0, 3.0, 0.0])
    far = replace(lift_can, object_poses=poses)
    share = share_of_image(object_points(far, points).reshape(-1, 3), choose_camera(far, points))
    assert share.min() > MARGIN and share.max() < 1 - MARGIN


def test_a_clip_larger_than_any_view_says_so(lift_can):
    positions = lift_can.joint_positions.copy()
    positions[-1] += [500.0, 0, 0]
    with pytest.raises(CameraError, match="no frontal camera") as caught:
        choose_camera(replace(lift_can, joint_positions=positions), None)
    assert caught.value.where == "lift_can"


def test_points_move_with_the_object(lift_can, points):
    poses = lift_can.object_poses
    for t in (0, 70):
        wanted = turn(poses.rotations[t]).apply(points) + poses.positions[t]
        np.testing.assert_allclose(object_points(lift_can, points)[t], wanted, atol=1e-9)


def test_points_of_a_clip_without_poses_are_refused(lift_can, points):
    with pytest.raises(ClipError, match="where its object is"):
        object_points(replace(lift_can, object_poses=None), points)


def test_projection_is_numpys(lift_can, points):
    camera = choose_camera(lift_can, points)
    pixels = project_object(lift_can, camera, points)
    cloud = object_points(lift_can, points).reshape(-1, 3)
    wanted = share_of_image(cloud, camera) * [camera.width, camera.height]
    np.testing.assert_allclose(pixels.reshape(-1, 2), wanted, atol=1e-6)


def test_the_first_frame_behind_the_camera_is_named(lift_can, points):
    camera = choose_camera(lift_can, points)
    behind = camera.position_world - 2.0 * camera.T_camera_world[2, :3]
    positions = lift_can.object_poses.positions.copy()
    positions[33:] = behind
    clip = replace(lift_can, object_poses=replace(lift_can.object_poses, positions=positions))
    with pytest.raises(CameraError, match="at frame 33"):
        project_object(clip, camera, points)
