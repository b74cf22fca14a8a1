"""Anchors, decoding and suppression against closed forms."""

import numpy as np

from perception.landmarks.detect import DetectorSpec, anchors, decode, detect, overlap, suppress
from perception.landmarks.roi import whole


def test_anchors_fill_each_grid_and_stand_in_the_middle_of_cells():
    got = anchors(32, (8, 16, 16))
    assert got.shape == (4 * 4 * 2 + 2 * 2 * 4, 2)
    np.testing.assert_allclose(got[:4], [[1 / 8, 1 / 8], [1 / 8, 1 / 8], [3 / 8, 1 / 8], [3 / 8, 1 / 8]])
    np.testing.assert_allclose(got[32:36], np.full((4, 2), 0.25))
    np.testing.assert_allclose(got[-1], [0.75, 0.75])


def test_boxes_and_points_are_relative_to_their_anchors():
    boxes, points = decode(np.array([[0.1, -0.1, 0.2, 0.4, 0.0, 0.05]]), np.array([[0.5, 0.5]]))
    np.testing.assert_allclose(boxes[0], [[0.5, 0.2], [0.7, 0.6]])
    np.testing.assert_allclose(points[0], [[0.5, 0.55]])


def test_overlapping_boxes_become_their_mean_weighted_by_score():
    boxes = np.array([[[0, 0], [1, 1]], [[0.2, 0], [1.2, 1]], [[5, 5], [6, 6]]], float)
    points = np.array([[[0.0, 0]], [[4.0, 0]], [[7.0, 7]]])
    got = suppress(np.array([0.9, 0.3, 0.95]), boxes, points)
    assert [d.score for d in got] == [0.95, 0.9]
    np.testing.assert_allclose(got[1].points, [[1.0, 0.0]])
    np.testing.assert_allclose(got[1].box, [[0.05, 0], [1.05, 1]])


def test_overlap_is_intersection_over_union():
    box = np.array([[0.0, 0], [2, 1]])
    np.testing.assert_allclose(overlap(box, np.array([box, [[1.0, 0], [3, 1]], [[4, 4], [5, 5]]])), [1, 1 / 3, 0])


def test_a_detection_comes_back_in_pixels_of_the_picture():
    spec = DetectorSpec(32, -1.0, (16,))
    seen = []

    def network(image: np.ndarray) -> tuple[np.ndarray, ...]:
        seen.append((image.shape, image.min(), image.max()))
        raw, logits = np.zeros((8, 6)), np.full((8, 1), -100.0)
        raw[0], logits[0] = [0, 0, 8, 8, 8, 0], 3.0
        return raw, logits

    image = np.full((100, 200, 3), 255, np.uint8)
    (found,) = detect(network, spec, image, whole(image))
    assert seen == [((32, 32, 3), -1.0, 1.0)]  # black above and below the picture, white in it
    # the anchor (1/4, 1/4) of the square of 200 px whose top is 50 px above the picture
    np.testing.assert_allclose(found.box.mean(axis=0), [50, 0])
    np.testing.assert_allclose(found.points, [[100, 0]])
    np.testing.assert_allclose(found.box[1] - found.box[0], [50, 50])
