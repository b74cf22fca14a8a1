"""What tells how far away the object is: its size in the picture, and a second camera that looks across the first."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from devi_jax.core.camera import Camera, look_at, project
from devi_jax.core.sim_state import CameraParams
from envs import rewards
from envs.rewards.object import object_pixels
from envs.tracking.clip_camera import look_across

PLACE = np.array([0.2, 0.3, 1.0])
EYE = np.array([0.2, -1.2, 1.0])
UPRIGHT = np.array([1.0, 0, 0, 0])


def f32(x):
    return jnp.asarray(x, jnp.float32)


def params(camera: Camera) -> CameraParams:
    return CameraParams(f32(camera.K), f32(camera.T_camera_world), f32(camera.diagonal_px))


@pytest.fixture
def seen(make_frame, make_target, rng):
    """An object of points in a plane that faces a level camera 1.5 m away, where the reference has it."""
    camera = look_at(EYE, PLACE, focal_px=512.0)
    points = rng.normal(scale=0.05, size=(64, 3)) * [1, 0, 1]
    pose = {"object_position": f32(PLACE), "object_rotation": f32(UPRIGHT)}
    frame = replace(make_frame(0), **pose)
    target = replace(
        make_target(0),
        **pose,
        view=params(camera),
        second_view=params(look_across(camera, PLACE)),
        points_object=f32(points),
        visible=jnp.ones(64, bool),
    )
    return frame, replace(target, points_px=object_pixels(frame, target))


def shifted(frame, by):
    return replace(frame, object_position=frame.object_position + f32(by))


@pytest.mark.parametrize("away", [0.5, 0.2, -0.3])
def test_size_in_the_picture_goes_as_one_over_the_distance(away, seen):
    frame, target = seen
    error = rewards.object_size(shifted(frame, [0, away, 0]), target)
    np.testing.assert_allclose(error, abs(np.log((1.5 + away) / 1.5)), atol=2e-5)


def test_size_does_not_see_a_shift_in_a_plane_that_faces_the_camera(seen):
    frame, target = seen
    assert float(rewards.object_size(shifted(frame, [0.3, 0, -0.2]), target)) < 2e-5


def test_size_of_hidden_things_tells_nothing(seen):
    frame, target = seen
    for count in (0, 1):  # a single point has no size either
        hidden = replace(target, visible=jnp.arange(64) < count)
        assert float(rewards.object_size(shifted(frame, [0, 0.5, 0]), hidden)) < 1e-5


@pytest.mark.parametrize("by", [0.02, 0.2, -0.4])
def test_the_second_view_sees_along_as_the_first_sees_across(by, seen):
    """The camera goes to its right: what is farther from the first is to the second's right by as much."""
    frame, target = seen
    point = replace(target, points_object=jnp.zeros((64, 3)))
    point = replace(point, points_px=object_pixels(frame, point))
    along, across = shifted(frame, [0, by, 0]), shifted(frame, [by, 0, 0])
    # f x / z over the diagonal
    wanted = 512.0 * abs(by) / 1.5 / float(target.view.diagonal_px)
    np.testing.assert_allclose(rewards.object_2d(across, point), wanted, rtol=1e-4)
    np.testing.assert_allclose(rewards.object_second_view(along, point), wanted, rtol=1e-4)
    # and each is blind along its own view
    assert float(rewards.object_2d(along, point)) < 1e-6
    assert float(rewards.object_second_view(across, point)) < 1e-6


def test_the_camera_across_is_the_first_one_carried_round_the_vertical():
    camera = look_at(np.array([-0.4, -0.9, 1.6]), np.array([0.1, 0.0, 0.9]), focal_px=600.0)
    pivot = np.array([0.3, 0.2, 0.8])
    other = look_across(camera, pivot)
    other.validate()
    arm, carried = camera.position_world - pivot, other.position_world - pivot
    np.testing.assert_allclose(carried, [-arm[1], arm[0], arm[2]], atol=1e-12)
    both = [project(pivot[None], c.K, c.T_camera_world) for c in (camera, other)]
    np.testing.assert_allclose(both[0][0], both[1][0], atol=1e-9)
    np.testing.assert_allclose(both[0][1], both[1][1], atol=1e-12)
    # upright: the vertical is the same to both
    np.testing.assert_allclose(camera.T_camera_world[:3, 2], other.T_camera_world[:3, 2], atol=1e-12)
