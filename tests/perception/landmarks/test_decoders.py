"""Landmarks from the outputs of made-up networks: their places, confidences and squares."""

import numpy as np

from perception.landmarks.hands import find_hand, find_palms, next_roi
from perception.landmarks.pose import POSE33, body_roi, find_pose, refine
from perception.landmarks.roi import Roi

IMAGE = np.zeros((90, 120, 3), np.uint8)


def pose_outputs(presence: float) -> tuple[np.ndarray, ...]:
    raw = np.zeros((39, 5), np.float32)
    raw[:, :2], raw[:, 3:] = 128.0, 100.0
    raw[0, :2], raw[0, 3] = [256.0, 128.0], 0.0
    raw[34, :2] = [128.0, 0.0]
    world = np.zeros((39, 3), np.float32)
    world[0] = [1.0, 0.0, 0.5]
    return raw.reshape(-1), np.array([presence]), np.zeros(1), np.full((64, 64, 39), -50.0), world.reshape(-1)


def test_body_landmarks_are_turned_back_with_their_square():
    roi = Roi(np.array([60.0, 40.0]), 40.0, np.pi / 2)
    pose = find_pose(lambda image: pose_outputs(0.8), IMAGE, roi)
    assert pose is not None and len(POSE33) == len(set(POSE33)) == 33
    np.testing.assert_allclose(pose.px[0], [60, 60], atol=1e-9)  # the right rim, turned to the bottom
    np.testing.assert_allclose(pose.px[1], [60, 40], atol=1e-9)
    np.testing.assert_allclose(pose.world[0], [0, 1, 0.5], atol=1e-7)
    np.testing.assert_allclose(pose.confidence[:2], [0.5, 1.0])
    # up in the square is to the right in the picture; the circle reaches from the middle to the rim
    np.testing.assert_allclose([*pose.roi.centre, pose.roi.size, pose.roi.angle], [60, 40, 50, np.pi / 2], atol=1e-9)


def test_no_body_below_the_threshold():
    assert find_pose(lambda image: pose_outputs(0.4), IMAGE, Roi(np.zeros(2), 10.0)) is None


def test_a_standing_person_has_a_square_that_is_not_turned():
    roi = body_roi(np.array([50.0, 80.0]), np.array([50.0, 20.0]))
    assert roi.size == 150 and abs(roi.angle) < 1e-12


def test_landmarks_move_to_the_heat_around_them_and_stay_where_there_is_none():
    heat = np.full((64, 64, 3), -50.0)
    heat[12, 10, 0] = heat[12, 11, 0] = 50.0
    heat[40, 40, 1] = 50.0  # four cells away: out of reach
    got = refine(np.array([[10.5, 11.5], [36.5, 40.5], [90, 5]]) / 64, heat)
    np.testing.assert_allclose(got * 64, [[10.5, 12.0], [36.5, 40.5], [90, 5]], atol=1e-12)


def test_hand_landmarks_and_their_confidence():
    raw = np.full((21, 3), 112.0, np.float32)
    raw[0, :2] = [112.0, 224.0]
    outputs = (raw.reshape(-1), np.array([0.7]), np.array([0.0]), np.ones(63, np.float32))
    hand = find_hand(lambda image: outputs, IMAGE, Roi(np.array([50.0, 50.0]), 20.0))
    assert hand is not None and hand.presence == 0.7 and hand.size_px == 10
    np.testing.assert_allclose(hand.px[0], [50, 60])
    assert find_hand(lambda image: (outputs[0], np.array([0.3]), *outputs[2:]), IMAGE, hand.roi) is None


def test_the_next_square_points_along_the_hand():
    px = np.zeros((21, 2))
    px[[5, 9, 13, 17]] = [[40, -10], [40, 0], [40, 10], [40, 20]]  # fingers to the right of the wrist
    roi = next_roi(px)
    np.testing.assert_allclose(roi.axes @ [0, -1], [1, 0], atol=1e-12)
    np.testing.assert_allclose([*roi.centre, roi.size], [20 + 0.1 * 40, 5, 80])


def test_palms_give_squares_that_reach_over_the_fingers():
    raw, logits = np.zeros((2016, 18)), np.full((2016, 1), -100.0)
    # the first anchor is at 4 of 192 pixels; wrist below, middle knuckle above
    raw[0, :4], logits[0] = [92, 92, 20, 20], 5.0
    raw[0, 4:] = np.tile([92, 92], 7)
    raw[0, 5], raw[0, 9] = 112, 72
    (roi,) = find_palms(lambda image: (raw, logits), IMAGE, Roi(np.array([96.0, 96.0]), 192.0))
    np.testing.assert_allclose([*roi.centre, roi.size, roi.angle], [96, 86, 52, 0], atol=1e-9)
