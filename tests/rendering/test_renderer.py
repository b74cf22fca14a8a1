"""Pictures agree with the pinhole model that projects the clip's points."""

import os
import subprocess
import sys

import mujoco
import numpy as np
import pytest

from devi_jax.core.camera import Camera, look_at, project
from devi_jax.core.errors import DeviceError
from devi_jax.rendering import gl
from devi_jax.rendering.camera_framing import moving_points, third_person
from devi_jax.rendering.renderer import FAR_M, NOTHING, Quality, Renderer, frames

needs_gl = pytest.mark.skipif(not gl.available(), reason="no offscreen OpenGL (EGL or OSMesa) on this machine")

BALL = """
<mujoco>
  <asset><material name="glowing" rgba="1 0 0 1" emission="1"/></asset>
  <worldbody>
    <geom type="plane" size="3 3 .1" rgba="0 0 .3 1"/>
    <body><freejoint/><geom type="sphere" size=".03" material="glowing"/></body>
  </worldbody>
</mujoco>
"""


def at(*points) -> np.ndarray:
    """Configurations of the ball with its centre at each point: (T, 7)."""
    return np.array([[*p, 1, 0, 0, 0] for p in points], float)


def red(picture: np.ndarray) -> np.ndarray:
    """Where the ball is, (H, W) bool: at least half of the pixel."""
    return picture[..., 0] > 127


def red_centre(picture: np.ndarray) -> np.ndarray:
    """Mean position of the ball's pixels, (x, y), with (0, 0) at the corner of the first pixel."""
    rows, columns = np.nonzero(red(picture))
    return np.array([columns.mean() + 0.5, rows.mean() + 0.5])


def skewed() -> Camera:
    """A camera whose axes have different focal lengths and whose principal point is off centre."""
    camera = look_at(np.array([1.1, 1.6, 1.4]), np.array([0.0, 0.3, 0.9]), focal_px=400.0, width=640, height=360)
    K = np.array([[400.0, 0, 290.0], [0, 460.0, 210.0], [0, 0, 1]])
    return Camera(K, camera.T_camera_world, 640, 360)


@needs_gl
@pytest.mark.parametrize("camera", [look_at(np.array([0.0, 2, 1]), np.array([0.0, 0, 1]), 350.0, 640, 360), skewed()])
def test_a_ball_appears_where_the_camera_projects_it(camera):
    points = np.array([[0.0, 0.3, 0.9], [0.4, 0.1, 1.2], [-0.5, 0.0, 0.7]])
    model = mujoco.MjModel.from_xml_string(BALL)
    expected, depth = project(points, camera.K, camera.T_camera_world)
    for picture, pixel, z in zip(frames(model, at(*points), camera, 640, 360), expected, depth, strict=True):
        assert picture.shape == (360, 640, 3) and picture.dtype == np.uint8
        assert np.linalg.norm(red_centre(picture) - pixel) < 1.5
        assert red(picture).sum() == pytest.approx(np.pi * 0.03**2 * camera.K[0, 0] * camera.K[1, 1] / z**2, rel=0.15)


@needs_gl
def test_a_picture_of_another_size_is_the_same_view():
    camera, model = skewed(), mujoco.MjModel.from_xml_string(BALL)
    (large,) = frames(model, at([0.4, 0.1, 1.2]), camera, 640, 360)
    (small,) = frames(model, at([0.4, 0.1, 1.2]), camera, 320, 180)
    assert np.linalg.norm(red_centre(small) * 2 - red_centre(large)) < 1.5


@needs_gl
def test_rendering_leaves_the_model_alone():
    model = mujoco.MjModel.from_xml_string(BALL)
    size = (model.vis.global_.offwidth, model.vis.global_.offheight)
    with Renderer(model, 1200, 900) as renderer:
        assert renderer.image(at([0, 0, 1])[0], skewed()).shape == (900, 1200, 3)
    assert (model.vis.global_.offwidth, model.vis.global_.offheight) == size


def test_the_third_person_camera_is_the_nearest_that_shows_all(rng):
    points = rng.normal(size=(50, 3)) * [0.3, 0.3, 0.8] + [1.0, 0.5, 0.9]
    camera = third_person(points, 480, 360, margin_m=0.0)
    pixels, depth = project(points, camera.K, camera.T_camera_world)
    assert (depth > 0).all()
    assert (pixels >= -1e-6).all() and (pixels <= np.array([480, 360]) + 1e-6).all()
    to_edge = np.minimum(pixels, np.array([480, 360]) - pixels)
    assert to_edge.min() == pytest.approx(0.0, abs=1e-6)
    assert camera.position_world[1] > points[:, 1].mean() and camera.position_world[2] > points[:, 2].mean()


def test_only_bodies_that_move_are_framed():
    model = mujoco.MjModel.from_xml_string(BALL.replace("<body>", '<body pos="9 9 9"><geom size="1"/></body><body>'))
    points = moving_points(model, at([0, 0, 1], [0, 0, 2], [0, 0, 3]))
    np.testing.assert_allclose(points, [[0, 0, 1], [0, 0, 2], [0, 0, 3]])


def test_a_machine_without_opengl_names_the_packages(monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: subprocess.CompletedProcess(a, 1, "", "no display"))
    with pytest.raises(DeviceError, match="libegl1 libgl1-mesa-dri") as e:
        gl.backend.__wrapped__()
    assert "libosmesa6" in e.value.fix


@needs_gl
def test_rendering_needs_no_variable_set_before_mujoco_is_imported():
    code = """
import mujoco, numpy as np
from devi_jax.core.camera import frontal
from devi_jax.rendering.renderer import frames
model = mujoco.MjModel.from_xml_string('<mujoco><worldbody><geom size=".2" pos="0 0 1"/></worldbody></mujoco>')
print(next(frames(model, np.zeros((1, 0)), frontal(), 64, 36)).max())
"""
    environment = {k: v for k, v in os.environ.items() if k not in ("MUJOCO_GL", "PYOPENGL_PLATFORM")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert int(done.stdout) > 50
    assert done.stderr == ""


TWO = """
<mujoco>
  <worldbody>
    <body name="near"><freejoint/><geom type="sphere" size=".1"/></body>
    <body name="far" pos="0 -1 1"><geom type="sphere" size=".1"/></body>
  </worldbody>
</mujoco>
"""


def hidden_ball() -> tuple[mujoco.MjModel, Camera]:
    """Two equal balls in a row, and the camera that sees one behind the other."""
    return mujoco.MjModel.from_xml_string(TWO), look_at(np.array([0.0, 2, 1]), np.array([0.0, 0, 1]), 600.0, 640, 360)


@needs_gl
def test_segmentation_says_which_body_is_where():
    model, camera = hidden_ball()
    with Renderer(model, 640, 360) as renderer:
        beside = renderer.segmentation(at([0.3, 0, 1])[0], camera)
        behind = renderer.segmentation(at([0, 0, 1])[0], camera)
        alone = renderer.segmentation(at([0, 0, 1])[0], camera, only=[2])
        again = renderer.segmentation(at([0, 0, 1])[0], camera)
    assert beside.shape == (360, 640) and set(np.unique(beside)) == {NOTHING, 1, 2}
    for body, distance in ((1, 2.0), (2, 3.0)):
        assert (beside == body).sum() == pytest.approx(np.pi * (600 * 0.1 / distance) ** 2, rel=0.08)
    # from the front +x is on the left of the picture
    assert np.nonzero(beside == 1)[1].mean() < 320 - 60
    assert set(np.unique(behind)) == {NOTHING, 1}
    assert (alone == 2).sum() == (beside == 2).sum() and not (alone == 1).any()
    np.testing.assert_array_equal(again, behind)


@needs_gl
def test_depth_is_metric():
    model, camera = hidden_ball()
    with Renderer(model, 640, 360) as renderer:
        depth = renderer.depth(at([0.3, 0, 1])[0], camera)
    assert depth.dtype == np.float32
    assert depth[180, 320] == pytest.approx(2.9, abs=2e-3)
    assert depth[180, 320 - 90] == pytest.approx(1.9, abs=2e-3)
    assert depth[0, 0] > FAR_M * 0.99


SHADY = """
<mujoco>
  <worldbody>
    <light type="directional" dir="0 0 -1" pos="0 0 3" diffuse=".8 .8 .8"/>
    <geom type="plane" size="3 3 .1"/>
    <body><freejoint/><geom type="sphere" size=".2" rgba="1 0 0 1"/></body>
  </worldbody>
</mujoco>
"""


@needs_gl
def test_shadows_lie_on_the_side_away_from_the_light():
    model = mujoco.MjModel.from_xml_string(SHADY)
    camera = look_at(np.array([0.0, 3, 1.5]), np.array([0.0, 0, 0.3]), 400.0, 640, 360)
    points = np.array([[0.0, 0, 0], [1.0, 0, 0]])
    (shadow, lit), _ = project(points, camera.K, camera.T_camera_world)
    pictures = {}
    for shadows in (False, True):
        with Renderer(model, 640, 360, Quality(1.0, shadows)) as renderer:
            pictures[shadows] = renderer.image(at([0, 0, 0.8])[0], camera).astype(int)
    value = {s: [int(p[int(y), int(x)].sum()) for x, y in (shadow, lit)] for s, p in pictures.items()}
    assert value[False][0] == pytest.approx(value[False][1], abs=40)
    assert value[True][0] < 0.6 * value[True][1]
