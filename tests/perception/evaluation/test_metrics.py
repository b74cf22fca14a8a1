"""Metrics of extraction on cases whose numbers are plain."""

import numpy as np
import pytest

from devi_jax.core import rotations as rot
from devi_jax.core.skeleton import BODY19, HAND32, INDEX, JOINTS
from perception.evaluation.metrics import closeness, contact_score, joint_error, mpjpe, reach_m, track_error


def test_joint_errors_are_means_over_the_papers_sets():
    truth = np.random.default_rng(0).normal(size=(4, len(JOINTS), 2))
    off = truth.copy()
    off[:, list(BODY19)] += [3.0, 4.0]
    off[:2, list(HAND32)] += [0.0, 2.0]
    error = mpjpe(off, truth)
    assert error.body == pytest.approx(5) and error.hand == pytest.approx(1)
    assert error.all == pytest.approx((19 * 5 + 32 * 1) / 51)
    seen = np.zeros((4, len(JOINTS)))
    seen[0] = 1
    assert mpjpe(off, truth, seen).hand == pytest.approx(2)
    assert joint_error(off, truth, [INDEX["left_wrist"]], slice(1, 3)) == pytest.approx(1)


def test_reach_is_measured_in_the_objects_own_frame():
    rng = np.random.default_rng(1)
    surface = rng.normal(size=(50, 3))
    positions, rotations = rng.normal(size=(6, 3)), rot.quat_exp(rng.normal(size=(6, 3)))
    placed = rot.rotate(rotations[:, None], surface[None]) + positions[:, None]
    parts = rng.normal(size=(6, 5, 3))
    brute = np.linalg.norm(parts[:, :, None] - placed[:, None], axis=-1).min(-1).mean(-1)
    np.testing.assert_allclose(reach_m(parts, surface, positions, rotations), brute, atol=1e-12)


def test_closeness_counts_frames_of_contact_only():
    found = closeness(np.array([9.0, 0.02, 0.03, 0.2]), np.array([0, 1, 1, 1.0]))
    assert found.d_hoi_m == pytest.approx(0.25 / 3) and found.frames == 3
    np.testing.assert_allclose(found.precision, [2 / 3, 1 / 3])
    assert np.isnan(closeness(np.ones(3), np.zeros(3)).d_hoi_m)


def test_track_error_is_over_counted_points():
    true = np.zeros((2, 3, 2))
    off = true.copy()
    off[0, :, 0] = [1.0, 2.0, 100.0]
    counted = np.zeros((2, 3), bool)
    counted[0, :2] = True
    assert track_error(off, true, counted).median_px == 1.5
    assert track_error(off, true, counted).p95_px == pytest.approx(1.95)


def test_contact_score_is_f1_and_lateness():
    truth = np.zeros((10, 2))
    truth[4:8, 1] = 1
    late = np.zeros((10, 2))
    late[6:9, 1] = 1
    score = contact_score(late, truth)
    assert score.f1 == pytest.approx(2 * 2 / (3 + 4)) and score.onset_frames == 2
    assert contact_score(truth, truth).f1 == 1
    assert contact_score(np.zeros((10, 2)), np.zeros((10, 2))).f1 == 1
    assert np.isnan(contact_score(late, np.zeros((10, 2))).onset_frames)
    assert contact_score(late[:, ::-1], truth).f1 == 0
