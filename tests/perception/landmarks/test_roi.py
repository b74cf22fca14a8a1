"""Cut-out squares: where their pixels come from and where their points go."""

import cv2
import numpy as np
import pytest

from perception.landmarks.roi import Roi, around, crop, upright, whole

Y, X = np.mgrid[:60, :80] + 0.5
RAMP = np.stack([X, Y, np.zeros_like(X)], axis=-1).astype(np.float32)


@pytest.mark.parametrize("angle", [0.0, 0.4, -2.0])
def test_each_pixel_of_a_crop_shows_the_place_that_its_centre_maps_to(angle: float):
    roi = Roi(np.array([41.3, 28.9]), 20.0, angle)
    got = crop(RAMP, roi, 16)
    v, u = np.mgrid[:16, :16]
    want = roi.to_picture((np.stack([u, v], axis=-1) + 0.5) / 16)
    # OpenCV interpolates at 1/32 of a pixel
    np.testing.assert_allclose(got[..., :2], want, atol=1 / 32 + 1e-3)


def test_a_crop_of_the_whole_picture_at_its_own_size_is_the_picture():
    np.testing.assert_allclose(crop(RAMP, whole(RAMP), 80)[10:70], RAMP, atol=1e-3)


def test_beyond_the_picture_is_black_or_its_rim():
    roi = Roi(np.zeros(2), 8.0)
    assert crop(RAMP, roi, 8)[0, 0].max() == 0
    np.testing.assert_allclose(crop(RAMP, roi, 8, cv2.BORDER_REPLICATE)[0, 0], [0.5, 0.5, 0])


def test_a_turned_square_has_the_given_way_pointing_up():
    start, end = np.array([10.0, 50]), np.array([30.0, 20])
    roi = Roi(np.zeros(2), 1.0, upright(start, end))
    np.testing.assert_allclose(roi.axes @ [0, -1], (end - start) / np.linalg.norm(end - start), atol=1e-12)


def test_the_square_around_points_holds_them_with_the_given_margin():
    points = np.array([[10.0, 10], [30, 10], [30, 50], [10, 50]])
    roi = around(points, 0.0, 2.0, 0.25)
    assert roi.size == 80
    np.testing.assert_allclose(roi.centre, [20, 40])
    turned = around(points, np.pi / 2, 1.0, 0.0)
    np.testing.assert_allclose([*turned.centre, turned.size], [20, 30, 40])
