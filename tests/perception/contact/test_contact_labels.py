"""Algorithm 1 on motions whose contact is known in closed form."""

from dataclasses import replace

import numpy as np
import pytest

from devi_jax.core.errors import ConfigError
from perception.contact.contact_labels import (
    REFERENCE_DIAGONAL_PX,
    ContactConfig,
    contact_labels,
    estimated,
    gap_px,
    label_from_speeds,
    net_speed,
    point_speed,
    threshold_px,
)

T = 20
CONFIG = ContactConfig(threshold_px=1.0, hands="right")


def track(speeds: np.ndarray, points: int, start: tuple[float, float]) -> np.ndarray:
    """Points (T, N, 2) that move along x by `speeds` (T,) pixels; the first speed is not used."""
    x = np.cumsum(np.concatenate([[0.0], speeds[1:]]))
    offsets = np.stack([np.arange(points) * 3.0, np.zeros(points)], axis=-1)
    return offsets + np.array(start) + np.stack([x, np.zeros_like(x)], axis=-1)[:, None]


def speeds(**moving: tuple[int, int]) -> dict[str, np.ndarray]:
    """Speeds of 5 px a frame in frames start..stop-1 of each name, zero elsewhere."""
    return {n: 5.0 * ((np.arange(T) >= a) & (np.arange(T) < b)) for n, (a, b) in moving.items()}


def pick_up() -> tuple[np.ndarray, np.ndarray]:
    """A right hand that reaches in frames 3-7, rests in 8-9, carries in 10-14 and leaves in 15-19; the left rests."""
    object_px = track(speeds(object=(10, 15))["object"], 6, (300, 200))
    right = track(speeds(right=(3, 8))["right"] + speeds(right=(10, 20))["right"], 16, (270, 200))
    left = track(np.zeros(T), 16, (900, 200))
    return object_px, np.stack([left, right], axis=1)


def run(object_px: np.ndarray, hands_px: np.ndarray, config: ContactConfig = CONFIG, **kwargs) -> np.ndarray:
    visible = np.ones(object_px.shape[:2], dtype=bool)
    given = {"diagonal_px": REFERENCE_DIAGONAL_PX, "fps": 30.0, **kwargs}
    return contact_labels(object_px, visible, hands_px, config=config, **given)


def test_speed_is_the_mean_displacement_and_the_first_equals_the_second():
    x = np.array([[[0.0, 0.0], [0.0, 0.0]], [[3.0, 4.0], [0.0, 1.0]], [[3.0, 4.0], [0.0, 3.0]]])
    np.testing.assert_allclose(point_speed(x, np.ones((3, 2), dtype=bool)), [3.0, 3.0, 1.0])


def test_speed_ignores_points_that_are_not_seen_in_both_frames():
    x = np.array([[[0.0, 0.0], [0.0, 0.0]], [[3.0, 4.0], [99.0, 0.0]], [[3.0, 4.0], [99.0, 2.0]]])
    visible = np.array([[True, True], [True, False], [True, False]])
    np.testing.assert_allclose(point_speed(x, visible), [5.0, 5.0, 0.0])


def test_speed_holds_while_nothing_is_seen():
    x = track(np.array([0.0, 2.0, 2.0, 7.0, 7.0, 1.0]), 3, (0, 0))
    visible = np.ones((6, 3), dtype=bool)
    visible[3] = False
    np.testing.assert_allclose(point_speed(x, visible), [2.0, 2.0, 2.0, 2.0, 2.0, 1.0])


def test_speed_of_points_never_seen_twice_is_zero(rng):
    visible = np.zeros((5, 4), dtype=bool)
    visible[::2] = True
    np.testing.assert_array_equal(point_speed(rng.normal(size=(5, 4, 2)), visible), np.zeros(5))


def test_pick_up_is_held_from_the_rest_before_it_moves_until_the_hand_leaves():
    held = run(*pick_up())
    expected = np.zeros((T, 2))
    expected[8:15, 1] = 1
    np.testing.assert_array_equal(held, expected)


def test_a_hand_at_rest_keeps_what_it_holds():
    object_speed, hand_speed = np.zeros(8), np.zeros(8)
    object_speed[2:4] = hand_speed[2:4] = 5.0
    np.testing.assert_array_equal(label_from_speeds(object_speed, hand_speed, 1.0), np.ones(8, dtype=bool))


def test_a_waving_hand_ends_and_blocks_contact():
    object_speed, hand_speed = np.zeros(8), np.zeros(8)
    object_speed[3] = hand_speed[3] = 5.0
    hand_speed[1] = hand_speed[5] = 5.0
    np.testing.assert_array_equal(label_from_speeds(object_speed, hand_speed, 1.0), np.isin(np.arange(8), [2, 3, 4]))


def test_speeds_at_the_threshold_count_as_motion():
    at = np.array([0.0, 0.0, 1.0, 0.0])
    assert label_from_speeds(at, at, 1.0).tolist() == [True] * 4
    assert not label_from_speeds(at, at, np.nextafter(1.0, 2.0)).any()


def test_label_agrees_with_the_printed_algorithm(rng):
    for _ in range(200):
        s_obj, s_hand = rng.choice([0.0, 2.0], size=(2, 12), p=[0.6, 0.4])
        c = [0] * 12
        for t in range(1, 12):
            c[t] = 1 if s_obj[t] >= 1 else 0 if s_hand[t] >= 1 else c[t - 1]
        for t in range(10, -1, -1):
            if c[t + 1] == 1 and s_obj[t] < 1 and s_hand[t] < 1:
                c[t] = 1
        assert label_from_speeds(s_obj, s_hand, 1.0).tolist() == [bool(x) for x in c]


@pytest.mark.parametrize(("hands", "columns"), [("left", [0]), ("right", [1]), ("both", [0, 1]), ("nearest", [1])])
def test_only_hands_that_may_hold_get_labels(hands, columns):
    held = run(*pick_up(), config=replace(CONFIG, hands=hands))
    assert np.flatnonzero(held.any(axis=0)).tolist() == columns


def test_nobody_holds_an_object_that_rests():
    object_px, hands_px = pick_up()
    resting = np.broadcast_to(object_px[:1], object_px.shape)
    for hands in ("nearest", "both"):
        assert not run(resting, hands_px, replace(CONFIG, hands=hands)).any()


def test_latch_keeps_contact_after_the_onset():
    held = run(*pick_up(), config=replace(CONFIG, latch=True))
    np.testing.assert_array_equal(held[:, 1], np.arange(T) >= 8)


def test_labels_do_not_depend_on_image_size_or_frame_rate():
    object_px, hands_px = pick_up()
    expected = run(object_px, hands_px)
    for scale in (0.1, 4.0):
        held = run(object_px * scale, hands_px * scale, diagonal_px=scale * REFERENCE_DIAGONAL_PX)
        np.testing.assert_array_equal(held, expected)
    doubled = [np.repeat(x, 2, axis=0) for x in (object_px, hands_px)]
    smooth = [(x[:-1] + x[1:]) / 2 for x in doubled]  # the same motion at 60 frames a second: half the steps
    held = run(smooth[0], smooth[1], fps=60.0)
    np.testing.assert_array_equal(held[::2], expected)


def test_threshold_scales_with_diagonal_and_frame_rate():
    assert threshold_px(ContactConfig(threshold_px=2.0), REFERENCE_DIAGONAL_PX / 2, 60.0) == pytest.approx(0.5)


def test_median_forgives_one_misplaced_frame():
    object_px, hands_px = pick_up()
    object_px = object_px.copy()
    object_px[2] += 40.0
    assert run(object_px, hands_px)[2, 1] == 1
    clean = run(object_px, hands_px, replace(CONFIG, median_frames=5))
    assert clean[2, 1] == 0 and clean[10:15, 1].all()


@pytest.mark.parametrize("bad", [{"threshold_px": 0.0}, {"median_frames": 2}, {"median_frames": 0}])
def test_settings_without_meaning_are_refused(bad):
    with pytest.raises(ConfigError, match=next(iter(bad))):
        run(*pick_up(), config=replace(CONFIG, **bad))


def test_net_speed_is_the_displacement_over_the_window_of_the_asked_part():
    x = np.zeros((9, 3, 2))
    x[:, 1, 0] = 2.0 * np.arange(9)
    x[:, 2, 1] = 4.0 * np.arange(9)
    seen = np.ones((9, 3), dtype=bool)
    np.testing.assert_allclose(net_speed(x, seen, 2, 0.5), np.full(9, 2.0))
    np.testing.assert_allclose(net_speed(x, seen, 2, 1.0), np.full(9, 4.0))
    np.testing.assert_allclose(net_speed(x[:1], seen[:1], 2, 0.5), [0.0])


def test_net_speed_of_what_trembles_is_small_and_gaps_are_interpolated():
    x = np.zeros((13, 4, 2))
    x[1::2] = 5.0
    seen = np.ones((13, 4), dtype=bool)
    np.testing.assert_allclose(net_speed(x, seen, 2, 0.5)[2:-2], 0.0)
    x = np.repeat(3.0 * np.arange(13.0)[:, None, None], 4, axis=1) * [1.0, 0.0]
    seen[5:8] = False
    np.testing.assert_allclose(net_speed(x, seen, 1, 0.5), np.full(13, 3.0))
    assert not net_speed(x, np.zeros((13, 4), dtype=bool), 1, 0.5).any()


def test_a_window_forgives_jitter_that_the_printed_algorithm_calls_waving():
    rng = np.random.default_rng(0)
    t = np.arange(90)
    carried = np.clip(t - 40, 0, 20) * 4.0
    reached = np.clip(t - 10, 0, 25) * 6.0
    object_px = np.array([400.0, 300.0]) + np.stack([carried, 0 * t], -1)[:, None] + np.zeros((1, 8, 1))
    hand = np.array([230.0, 300.0]) + np.stack([carried + reached, 0 * t], -1)[:, None] + np.zeros((1, 21, 1))
    hand = hand + rng.normal(0, 0.6, hand.shape)
    object_px = object_px + rng.normal(0, 0.1, object_px.shape)
    hands = np.stack([np.full_like(hand, 900.0), hand], axis=1)
    truth = t >= 36
    raw = run(object_px, hands, ContactConfig(hands="right", threshold_px=0.5))[:, 1] > 0.5
    steady = run(object_px, hands, replace(estimated(), hands="right"))[:, 1] > 0.5
    assert (raw == truth).mean() < 0.7
    assert (steady == truth).mean() > 0.94 and abs(int(np.flatnonzero(steady)[0]) - 36) <= 4


def test_windows_without_meaning_are_refused():
    for wrong in ({"window_s": -1.0}, {"hand_factor": 0.0}, {"hand_part": 1.5}, {"near_px": 0.0}):
        with pytest.raises(ConfigError, match="hand_factor"):
            replace(CONFIG, **wrong).validate()


def test_a_hand_that_rests_far_from_a_moving_object_does_not_hold_it():
    object_px, hands_px = pick_up()
    both = replace(CONFIG, hands="both")
    assert run(object_px, hands_px, both)[10:15].all()
    near = run(object_px, hands_px, replace(both, near_px=60.0))
    assert not near[:, 0].any()
    np.testing.assert_array_equal(near[:, 1], run(object_px, hands_px, both)[:, 1])
    half = run(object_px / 2, hands_px / 2, replace(both, near_px=60.0), diagonal_px=REFERENCE_DIAGONAL_PX / 2)
    np.testing.assert_array_equal(half, near)


def test_the_gap_is_the_least_distance_to_what_is_seen_and_bridged_where_nothing_is():
    hand = np.array([[0.0, 0.0], [0.0, 2.0]])[None].repeat(4, axis=0)
    things = np.array([[3.0, 6.0], [1.0, 2.0]])[None].repeat(4, axis=0)
    seen = np.array([[True, True], [True, False], [False, False], [False, True]])
    np.testing.assert_allclose(gap_px(things, seen, hand), [1.0, 5.0, 3.0, 1.0])
    assert not gap_px(things, np.zeros((4, 2), bool), hand).any()
