"""A thing's outline drawn by a known camera tells that camera's tilt, and the thing's shape over its distance."""

import numpy as np
import pytest
import trimesh

from devi_jax.core.camera import Camera
from perception.contracts import EstimateError
from perception.object_tracks.visible import outline
from perception.scene.standing_thing import (
    fit_standing_thing,
    is_ball,
    is_round,
    on_foot,
    standing_axes,
    up_in_camera,
)

K = np.array([[600.0, 0, 320], [0, 600, 240], [0, 0, 1]])
CAMERA = Camera(K, np.eye(4), 640, 480)
CYLINDER = trimesh.creation.cylinder(radius=0.03, height=0.1, sections=48)
BOX = trimesh.creation.box(extents=(0.06, 0.1, 0.12))


def seen(mesh: trimesh.Trimesh, pitch_deg: float, stretch=(1.0, 1.0), yaw: float = 0.0, foot=(0.05, 0.1, 0.7)):
    """Pixels of a mesh on its foot before a camera that looks down by `pitch_deg`."""
    c, s = np.cos(yaw), np.sin(yaw)
    turned = on_foot(np.array(mesh.vertices)) @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    at = turned * [stretch[0], stretch[0], stretch[1]] @ standing_axes(pitch_deg).T + foot
    return outline(at, np.array(mesh.faces), CAMERA)


def test_axes_are_right_handed_and_a_level_camera_has_up_against_its_y():
    assert up_in_camera(0) == pytest.approx([0, -1, 0])
    assert up_in_camera(90) == pytest.approx([0, 0, -1], abs=1e-12)
    for pitch in (0, 20, 70):
        axes = standing_axes(pitch)
        assert axes.T @ axes == pytest.approx(np.eye(3), abs=1e-12) and np.linalg.det(axes) == pytest.approx(1)


@pytest.mark.parametrize("pitch", [12.0, 25.0, 40.0])
def test_a_stretched_cylinder_tells_tilt_and_shape(pitch):
    fit = fit_standing_thing(seen(CYLINDER, pitch, (1.2, 1.6)), CYLINDER.vertices, CYLINDER.faces, K)
    assert fit.overlap > 0.97 and fit.told > 0.006
    assert fit.pitch_deg == pytest.approx(pitch, abs=5)
    assert 0.7 * np.array([fit.wide, fit.tall]) == pytest.approx([1.2, 1.6], rel=0.06)
    foot = np.linalg.solve(K, fit.foot_ray) * 0.7
    assert np.linalg.norm(foot - [0.05, 0.1, 0.7]) < 0.01


def test_with_the_tilt_given_the_shape_is_within_two_percent():
    fit = fit_standing_thing(seen(CYLINDER, 30, (0.9, 1.3)), CYLINDER.vertices, CYLINDER.faces, K, 30.0)
    assert 0.7 * np.array([fit.wide, fit.tall]) == pytest.approx([0.9, 1.3], rel=0.02)
    assert fit.overlap > 0.97


def test_a_box_is_turned_as_it_stands():
    fit = fit_standing_thing(seen(BOX, 35, yaw=0.5), BOX.vertices, BOX.faces, K, 35.0)
    assert fit.overlap > 0.96
    assert np.abs(np.sin(fit.yaw_rad - 0.5)) < 0.15  # half a turn looks the same


def test_a_ball_asks_for_the_tilt_and_takes_it():
    ball = trimesh.creation.icosphere(subdivisions=2, radius=0.04)
    assert is_ball(ball.vertices) and is_round(ball.vertices)
    assert is_round(CYLINDER.vertices) and not is_ball(CYLINDER.vertices)
    assert not is_round(BOX.vertices) and not is_ball(BOX.vertices)
    with pytest.raises(EstimateError, match="does not tell how far the camera looks down") as error:
        fit_standing_thing(seen(ball, 30), ball.vertices, ball.faces, K)
    assert "--pitch-deg" in error.value.fix
    fit = fit_standing_thing(seen(ball, 30), ball.vertices, ball.faces, K, 30.0)
    assert fit.wide == fit.tall and 0.7 * fit.wide == pytest.approx(1, rel=0.03)


def test_another_shape_is_refused_with_its_overlap():
    mask = seen(CYLINDER, 30)
    mask |= np.roll(mask, 90, axis=1) & (np.arange(480)[:, None] > 300)
    with pytest.raises(EstimateError, match=r"overlap by \d+ %"):
        fit_standing_thing(mask, CYLINDER.vertices, CYLINDER.faces, K, 30.0)
