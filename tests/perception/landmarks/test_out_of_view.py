"""Hands before they come into view, and after."""

import numpy as np
import pytest

from devi_jax.core.camera import project
from perception.landmarks.out_of_view import ABOVE_M, BEFORE_SHOULDER_M, cut_off, resting_place, with_rests
from tests.perception.landmarks.test_hands_alone import camera


def in_picture(place: np.ndarray) -> bool:
    view = camera()
    px, depth = project(place[None], view.K, view.T_camera_world)
    return bool(depth[0] > 0 and (px[0] >= 0).all() and (px[0] < (view.width, view.height)).all())


def seen_wrist() -> np.ndarray:
    """In the middle of the picture, half a metre away."""
    view = camera()
    R, t = view.T_camera_world[:3, :3], view.T_camera_world[:3, 3]
    return R.T @ (np.array([0.0, 0.0, 0.5]) - t)


def test_a_hand_rests_towards_its_shoulder_out_of_the_picture_and_above_the_support():
    wrist = seen_wrist()
    shoulder = wrist + 0.9 * camera().T_camera_world[0, :3] + [0, 0, 0.4]  # beyond the picture's right edge
    place = resting_place(wrist, shoulder, camera())
    assert in_picture(wrist) and not in_picture(place) and place[2] == wrist[2]
    way = place - wrist
    level = (shoulder - wrist)[:2]
    assert way[:2] @ level == pytest.approx(np.linalg.norm(way) * np.linalg.norm(level))
    high = resting_place(wrist, shoulder, camera(), support_m=wrist[2] + 0.02)
    assert high[2] == pytest.approx(wrist[2] + 0.02 + ABOVE_M)


def test_a_hand_stays_before_its_shoulder():
    wrist = seen_wrist()
    shoulder = wrist + [0.0, -0.2, 0.4]
    place = resting_place(wrist, shoulder, camera())
    assert shoulder[1] - place[1] == pytest.approx(-BEFORE_SHOULDER_M)


def test_it_comes_in_time_smoothly_and_goes_back():
    wrists = np.tile(seen_wrist(), (60, 1)) + np.linspace(0, 0.1, 60)[:, None] * [1, 0, 0]
    seen = np.zeros(60, bool)
    seen[20:40] = True
    seen[30] = False
    shoulder = seen_wrist() + [0.1, -0.9, 0.4]
    out, unseen = with_rests(wrists, seen, shoulder, camera(), 12.0, None)
    np.testing.assert_array_equal(out[20:40], wrists[20:40])
    assert not unseen[20:40].any() and unseen[:20].all() and unseen[40:].all()
    assert np.ptp(out[:9], axis=0).max() == 0 and np.ptp(out[51:], axis=0).max() == 0
    assert np.allclose(out[0], resting_place(wrists[20], shoulder, camera()))
    assert np.allclose(out[-1], resting_place(wrists[39], shoulder, camera()))
    rest = np.linalg.norm(out[0] - wrists[20])
    assert np.linalg.norm(np.diff(out[:21], axis=0), axis=1).max() < 1.6 * rest / 12


def test_a_hand_is_cut_off_where_it_comes_in_and_goes_out_and_nowhere_else():
    wrist = np.tile([320.0, 240.0], (60, 1))
    wrist[10:14], wrist[[46, 49]], wrist[30] = [635.0, 240], [320.0, 470], [635.0, 240]
    wrist[:10] = wrist[50:] = np.nan
    assert np.flatnonzero(cut_off(wrist, (640, 480), 30.0)).tolist() == [10, 11, 12, 13, 46, 47, 48, 49]
    assert not cut_off(np.full((60, 2), np.nan), (640, 480), 30.0).any()
    wrist[14:] = np.nan  # it is never seen otherwise
    assert not cut_off(wrist, (640, 480), 30.0).any()
