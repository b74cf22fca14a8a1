"""Cameras out of straight edges of boxes that stand on the floor."""

import cv2
import numpy as np
import pytest

from perception.scene.square_edges import agreement, directions, find_focal, find_tilt, straight_edges

SIZE = (1024, 576)
FOCAL, PITCH, ROLL, TURN = 620.0, 27.0, 1.5, 35.0


def box_edges(rng: np.random.Generator, noise_px: float = 0.3) -> np.ndarray:
    """Edges (N, 4) of boxes before a camera, in pixels."""
    way = directions(*np.radians([[PITCH], [ROLL], [TURN]]))[0]
    out = []
    for _ in range(14):
        corner = np.array([rng.uniform(-0.7, 0.7), rng.uniform(-0.3, 0.4), rng.uniform(1.2, 2.5)])
        for k in range(3):
            ends = np.stack([corner, corner + rng.uniform(0.15, 0.5) * way[k]])
            px = ends[:, :2] / ends[:, 2:] * FOCAL + np.array(SIZE) / 2
            out.append((px + rng.normal(0, noise_px, (2, 2))).ravel())
    return np.array(out)


def test_directions_are_at_right_angles_and_turn_as_their_angles_say():
    way = directions(*np.radians([[30.0], [0.0], [0.0]]))[0]
    assert way @ way.T == pytest.approx(np.eye(3), abs=1e-12)
    assert way[0] == pytest.approx([0, -np.cos(np.radians(30)), -np.sin(np.radians(30))])
    assert way[1] == pytest.approx([1, 0, 0])
    rolled = directions(*np.radians([[0.0], [10.0], [0.0]]))[0]
    assert rolled[1] == pytest.approx([np.cos(np.radians(10)), np.sin(np.radians(10)), 0])


def test_edges_of_boxes_tell_focal_length_and_tilt():
    edges = box_edges(np.random.default_rng(0))
    found, (least, most) = find_focal(edges, SIZE)
    assert found.focal_px == pytest.approx(FOCAL, rel=0.05) and least <= found.focal_px <= most
    assert abs(found.pitch_deg - PITCH) < 1.5 and abs(found.roll_deg - ROLL) < 1.0
    known = find_tilt(edges, SIZE, FOCAL)
    assert abs(known.pitch_deg - PITCH) < 0.7 and abs(known.roll_deg - ROLL) < 0.5
    params = np.array([[np.log(FOCAL / SIZE[0]), *np.radians([PITCH, ROLL, TURN])]])
    length = np.hypot(*(edges[:, 2:] - edges[:, :2]).T).sum() / np.hypot(*SIZE)
    assert 0.9 * length < agreement(edges, SIZE, params).sum() <= length


def test_upright_edges_alone_tell_tilt_but_no_focal_length():
    edges = box_edges(np.random.default_rng(1))[::3]
    assert find_focal(edges, SIZE) is None
    found = find_tilt(edges, SIZE, FOCAL)
    assert abs(found.pitch_deg - PITCH) < 1.5


def test_no_edges_edges_of_no_order_and_rolled_cameras_tell_nothing():
    edges = box_edges(np.random.default_rng(2))
    assert find_tilt(np.zeros((0, 4)), SIZE, FOCAL) is None and find_focal(np.zeros((0, 4)), SIZE) is None
    rng = np.random.default_rng(3)
    at, angle = rng.uniform(50, 500, (60, 2)), rng.uniform(0, np.pi, 60)
    assert find_focal(np.hstack([at, at + 60 * np.stack([np.cos(angle), np.sin(angle)], 1)]), SIZE) is None
    c, s = np.cos(np.radians(14)), np.sin(np.radians(14))
    middle = np.array(SIZE) / 2
    turned = ((edges.reshape(-1, 2) - middle) @ np.array([[c, s], [-s, c]]) + middle).reshape(-1, 4)
    assert find_tilt(turned, SIZE, FOCAL) is None


def test_edges_are_found_in_a_picture_but_not_in_what_is_left_out():
    picture = np.full((SIZE[1], SIZE[0], 3), 200, np.uint8)
    cv2.rectangle(picture, (100, 100), (300, 400), (40, 60, 80), -1)
    cv2.rectangle(picture, (600, 100), (800, 400), (40, 60, 80), -1)
    without = np.zeros(SIZE[::-1], bool)
    without[80:420, 580:820] = True
    found = straight_edges(picture, without)
    assert len(found) == 4 and found.max() < 420
    sides = np.sort(np.hypot(*(found[:, 2:] - found[:, :2]).T))
    assert sides == pytest.approx([200, 200, 300, 300], abs=4)
