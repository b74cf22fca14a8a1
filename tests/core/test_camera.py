from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from devi_jax.core.camera import NEAR_M, Camera, frontal, look_at, project
from devi_jax.core.errors import CameraError

both = pytest.mark.parametrize("xp", [np, jnp], ids=["numpy", "jax"])


def pixels(camera: Camera, *points, xp=np):
    px, depth = project(xp.asarray(np.array(points, float)), xp.asarray(camera.K), xp.asarray(camera.T_camera_world))
    return np.asarray(px), np.asarray(depth)


@both
def test_projection_has_its_closed_form(xp):
    # at (0, -2, 1), looking along +y: pixel = f * (x, 1 - z) / depth + centre
    camera = look_at(np.array([0.0, -2, 1]), np.array([0.0, 0, 1]), 500.0, 640, 480)
    px, depth = pixels(camera, [0, 0, 1], [0.5, 0, 1], [0, 3, 2], [-1, 0, 0.5], xp=xp)
    np.testing.assert_allclose(px, [[320, 240], [445, 240], [320, 140], [70, 365]], rtol=1e-5)
    np.testing.assert_allclose(depth, [2, 2, 5, 2], rtol=1e-6)


def test_skew_moves_x_only():
    camera = look_at(np.array([0.0, -2, 1]), np.array([0.0, 0, 1]), 500.0, 640, 480)
    K = camera.K.copy()
    K[0, 1] = 10.0
    px, _ = pixels(replace(camera, K=K), [0.5, 0, 0])
    np.testing.assert_allclose(px, [[445 + 10 * 0.5, 240 + 250]])


@both
def test_points_behind_keep_finite_pixels_and_their_depth(xp):
    camera = look_at(np.array([0.0, -2, 1]), np.array([0.0, 0, 1]), 500.0, 640, 480)
    px, depth = pixels(camera, [0.0, -3, 1], [0.01, -2, 1], [0.0, -2 + NEAR_M / 2, 1], xp=xp)
    assert np.isfinite(px).all()
    np.testing.assert_allclose(depth, [-1, 0, NEAR_M / 2], atol=1e-6)


def test_the_field_of_view_of_the_paper():
    # Eq. 18: f = w / 2 = 512 at 1024 x 576: 2 atan(288 / 512) = 58.7155 degrees, and 90 degrees across
    camera = frontal()
    assert camera.K[0, 0] == 512 and camera.fovy_deg == pytest.approx(58.7155, abs=1e-4)
    assert camera.diagonal_px == pytest.approx(np.sqrt(1024**2 + 576**2))


@pytest.mark.parametrize(
    ("azimuth", "elevation", "eye"),
    [
        *[(0, 0, [0, 1.5, 1]), (90, 0, [1.5, 0, 1]), (-90, 0, [-1.5, 0, 1]), (180, 0, [0, -1.5, 1])],
        *[(0, 90 - 1e-4, [0, 0, 2.5]), (0, 30, [0, 1.5 * np.sqrt(0.75), 1.75])],
    ],
)
def test_frontal_cameras_stand_where_their_angles_say(azimuth, elevation, eye):
    np.testing.assert_allclose(frontal(azimuth, elevation).position_world, eye, atol=1e-5)


@pytest.mark.parametrize("preset", ["paper", "hmr"])
def test_frontal_cameras_see_the_centre_in_the_middle_and_upright(preset):
    camera = frontal(35.0, 20.0, preset=preset, centre=(0.2, 0.1, 0.9))
    camera.validate()
    px, depth = pixels(camera, [0.2, 0.1, 0.9], [0.2, 0.1, 1.0])
    np.testing.assert_allclose(px[0], [512, 288], atol=1e-9)
    assert px[1, 1] < px[0, 1] and px[1, 0] == pytest.approx(512)
    # both presets show a person at the same size: focal length over distance is the same
    assert camera.K[0, 0] / depth[0] == pytest.approx(512 / 1.5)


def test_straight_up_has_no_upright():
    with pytest.raises(CameraError, match="straight"):
        look_at(np.array([0.0, 0, 2]), np.array([0.0, 0, 0]), 500.0)


def bad(**changes) -> Camera:
    return replace(frontal(), **changes)


@pytest.mark.parametrize(
    ("camera", "word"),
    [
        (bad(K=np.eye(4)), "shapes"),
        (bad(T_camera_world=np.eye(3)), "shapes"),
        (bad(K=np.full((3, 3), np.nan)), "finite"),
        (bad(T_camera_world=np.diag([2.0, 1, 1, 1])), "rigid"),
        (bad(T_camera_world=np.diag([-1.0, 1, 1, 1])), "rigid"),
        (bad(width=0), "positive"),
        (bad(K=np.diag([-1.0, 1, 1])), "positive"),
    ],
)
def test_unsound_cameras_are_named(camera, word):
    with pytest.raises(CameraError, match=word) as caught:
        camera.validate("clip.npz: camera")
    assert caught.value.where == "clip.npz: camera"
