"""A person about a thing whose hands alone are seen; sizes by hands; markers; all against a camera that is known."""

import cv2
import numpy as np
import pytest

from perception.contracts import EstimateError
from perception.scene.marker import find_marker
from perception.scene.place_person import SeenArm, Stander, camera_in_world, place_person
from perception.scene.standing_thing import standing_axes

K = np.array([[600.0, 0, 320], [0, 600, 240], [0, 0, 1]])
SHOULDER = np.array([0.17, 0.0, 1.38])
TRUNK = np.array([[0.0, 0, 0.9], [0, 0, 1.2], [0, 0, 1.6], [-0.17, 0, 1.38]])


def test_the_camera_of_a_person_has_the_thing_where_it_is_and_keeps_the_vertical():
    foot_camera, foot = np.array([0.1, 0.05, 0.8]), np.array([0.1, 0.4, 0.8])
    for yaw in (0.0, 1.0, 4.0):
        T = camera_in_world(foot_camera, 25.0, yaw, foot)
        assert T[:3, :3] @ foot + T[:3, 3] == pytest.approx(foot_camera)
        assert T[:3, 2] == pytest.approx(standing_axes(25.0)[:, 2])
        assert T[:3, :3] @ T[:3, :3].T == pytest.approx(np.eye(3)) and np.linalg.det(T[:3, :3]) == pytest.approx(1)
    assert camera_in_world(foot_camera, 25.0, 0.0, foot)[:3, 1] == pytest.approx(standing_axes(25.0)[:, 1])


@pytest.mark.parametrize("yaw_deg", [0, 90, 300])
def test_a_person_is_placed_so_that_the_arm_points_as_the_forearm_is_seen(yaw_deg):
    foot = np.array([0.1, 0.36, 0.95])
    T = camera_in_world(np.array([0.0, 0.05, 0.7]), 25.0, np.radians(yaw_deg), foot)
    world = foot + np.array([[0.03, -0.1, 0.05], [0.03, -0.12, 0.15], [0.05, -0.1, 0.2]])
    away = (world - SHOULDER) / np.linalg.norm(world - SHOULDER, axis=-1, keepdims=True)
    wrists, knuckles = (points @ T[:3, :3].T + T[:3, 3] for points in (world, world + 0.08 * away))
    person = Stander(SHOULDER, 0.52, TRUNK)
    placed = place_person(
        np.array([0.0, 0.05, 0.7]), 25.0, SeenArm("right", wrists, knuckles), person, None, K, (640, 480)
    )
    assert placed.off_deg < 25 and placed.beyond_m < 0.03
    shoulder = placed.T_camera_world[:3, :3] @ SHOULDER + placed.T_camera_world[:3, 3]
    true = T[:3, :3] @ SHOULDER + T[:3, 3]
    assert np.degrees(np.arccos(shoulder @ true / np.linalg.norm(shoulder) / np.linalg.norm(true))) < 30


def test_a_left_hand_is_the_mirror_image_of_a_right_one():
    flip = np.array([-1.0, 1, 1])
    foot, wrist, knuckle = np.array([0.05, 0.1, 0.7]), np.array([[0.1, 0.1, 0.65]]), np.array([[0.05, 0.08, 0.7]])
    right = place_person(
        foot, 30.0, SeenArm("right", wrist, knuckle), Stander(SHOULDER, 0.52, TRUNK), 0.9, K, (640, 480)
    )
    mirrored = Stander(SHOULDER * flip, 0.52, TRUNK * flip)
    left = place_person(foot * flip, 30.0, SeenArm("left", wrist * flip, knuckle * flip), mirrored, 0.9, K, (640, 480))
    assert left.foot == pytest.approx(right.foot * flip)
    assert left.off_deg == pytest.approx(right.off_deg) and left.beyond_m == pytest.approx(right.beyond_m)


def test_a_marker_on_the_table_tells_tilt_and_distance():
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)
    tile = np.full((240, 240), 255, np.uint8)
    tile[40:200, 40:200] = cv2.aruco.generateImageMarker(dictionary, 5, 160)
    axes, centre = standing_axes(35.0), np.array([0.02, 0.05, 0.6])
    half = 0.05 * 240 / 160
    corners = np.array([[-half, half, 0], [half, half, 0], [half, -half, 0], [-half, -half, 0]]) @ axes.T + centre
    px = corners[:, :2] / corners[:, 2:] * 600 + K[:2, 2]
    tiles = np.array([[0, 0], [240, 0], [240, 240], [0, 240]], np.float32)
    warp = cv2.getPerspectiveTransform(tiles, px.astype(np.float32))
    image = cv2.warpPerspective(tile, warp, (640, 480), borderValue=200, flags=cv2.INTER_LINEAR)
    colour = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    found = find_marker(colour, 0.1, K)
    assert found.name.endswith("36h11 5")
    assert found.pitch_deg == pytest.approx(35, abs=1.5) and abs(found.roll_deg) < 1.5
    assert found.depth_at(centre / centre[2]) == pytest.approx(0.6, rel=0.02)
    with pytest.raises(EstimateError, match="no markers are seen"):
        find_marker(np.full((480, 640, 3), 200, np.uint8), 0.1, K)
