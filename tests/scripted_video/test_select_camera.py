"""Cameras are ranked by what they see: against scenes whose answer geometry gives."""

from dataclasses import replace

import numpy as np
import pytest

from devi_jax.core.camera import project
from devi_jax.core.errors import CameraError
from devi_jax.datasets.load import resolve
from devi_jax.rendering import gl
from devi_jax.scripted_video.select_camera import ALIKE, CameraScores, camera_order, candidates, rank_cameras
from envs.animation import build_posed_scene
from envs.animation.kinematics.to_clip import postures_of_clip

needs_gl = pytest.mark.skipif(not gl.available(), reason="no offscreen OpenGL (EGL or OSMesa) on this machine")


@pytest.fixture(scope="module")
def lift():
    """The stage of the bundled lift and its motion (T, nq)."""
    clip = resolve("lift_can")
    stage = build_posed_scene(clip.scene)
    return stage, postures_of_clip(stage, clip)


def test_candidates_are_those_of_the_paper():
    views = candidates()
    assert len(views) == 16 and len({(a, e) for a, e, _ in views}) == 16
    for azimuth, elevation, camera in views:
        from_centre = camera.position_world - [0, 0, 1]
        assert np.linalg.norm(from_centre) == pytest.approx(1.5)
        assert np.degrees(np.arcsin(from_centre[2] / 1.5)) == pytest.approx(elevation)
        assert np.degrees(np.arctan2(from_centre[0], from_centre[1])) % 360 == pytest.approx(azimuth % 360)
        assert camera.K[0, 0] == camera.width / 2
        pixels, _ = project(np.array([0.0, 0, 1]), camera.K, camera.T_camera_world)
        np.testing.assert_allclose(pixels, [camera.width / 2, camera.height / 2], atol=1e-9)


@needs_gl
def test_the_grasping_hands_own_side_hides_the_object(lift):
    stage, qpos = lift
    ranked = rank_cameras(stage.model, qpos, ("right",), samples=3)
    assert len(ranked) == 6 and {s.azimuth_deg for _, s in ranked} == {-45, 0, 45}
    best = ranked[0][1]
    assert best.azimuth_deg == -45 and best.in_picture == 1.0
    own = [s for _, s in ranked if s.azimuth_deg == 45]
    assert max(s.object for s in own) < best.object
    assert all(0 <= x <= 1 for _, s in ranked for x in (s.left_hand, s.right_hand, s.object, s.total))


@needs_gl
def test_what_nothing_hides_is_seen_whole(lift):
    stage, qpos = lift
    at_rest = rank_cameras(stage.model, qpos[0])
    # on the table, a hand's breadth from any hand
    assert all(s.object == pytest.approx(1.0, abs=0.01) for _, s in at_rest)
    held = {(s.azimuth_deg, s.elevation_deg): s for _, s in rank_cameras(stage.model, qpos[-1])}
    assert all(held[s.azimuth_deg, s.elevation_deg].object < s.object for _, s in at_rest)


def test_alike_views_are_ordered_by_side():
    view = CameraScores(0, 15, 1.5, 0.8, 0.8, 0.8, 1.0)
    views = [view, replace(view, azimuth_deg=45), replace(view, azimuth_deg=-45, object=0.8 - ALIKE)]
    by_right = sorted(views, key=lambda s: camera_order(s, 0.8, ("right",)))
    assert [s.azimuth_deg for s in by_right] == [-45, 45, 0]
    by_left = sorted(views, key=lambda s: camera_order(s, 0.8, ("left",)))
    assert [s.azimuth_deg for s in by_left] == [45, -45, 0]
    clearly = [view, replace(view, azimuth_deg=-45, object=0.3)]
    assert [s.azimuth_deg for s in sorted(clearly, key=lambda s: camera_order(s, 0.8, ("right",)))] == [0, -45]
    assert replace(view, in_picture=0.98).total == 0


@needs_gl
def test_a_motion_that_no_camera_holds_is_refused(lift):
    stage, qpos = lift
    away = qpos[[0, 0]].copy()
    away[1, stage.root] += [0, 30.0, 0]  # behind the cameras
    with pytest.raises(CameraError, match="frontal"):
        rank_cameras(stage.model, away)
