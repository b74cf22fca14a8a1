"""Which hand is which, which person is meant, and what a video without a person is told."""

import numpy as np
import pytest

from perception.contracts.checks import EstimateError
from perception.landmarks.detect import Detection
from perception.landmarks.estimate import estimate_landmarks
from perception.landmarks.follow import Networks, PersonTrackerConfig, assign, choose_person
from perception.landmarks.hands import Hand, next_roi
from perception.landmarks.pose import POSE33, Pose
from perception.landmarks.roi import Roi

WRISTS = {"left": np.array([300.0, 200.0]), "right": np.array([100.0, 200.0])}


def hand(x: float, y: float) -> Hand:
    px = np.array([x, y]) + np.stack([np.linspace(0, 10, 21), np.linspace(0, 40, 21)], axis=1)
    return Hand(px, np.zeros((21, 3)), 0.9, next_roi(px))


def body() -> Pose:
    px = np.zeros((33, 2))
    for side, at in WRISTS.items():
        px[POSE33.index(f"{side}_wrist")] = at
    return Pose(px, np.ones(33), np.zeros((33, 3)), 1.0, Roi(np.array([200.0, 200.0]), 500.0))


def test_hands_go_to_the_nearer_wrist_whatever_they_were_called():
    left, right = hand(305, 205), hand(95, 195)
    got = assign({"left": right, "right": left}, body(), PersonTrackerConfig())
    assert got["left"] is left and got["right"] is right


def test_a_hand_far_from_both_wrists_is_nobodys():
    assert assign({"left": hand(200, 200), "right": None}, body(), PersonTrackerConfig()) == {
        "left": None,
        "right": None,
    }


def test_one_hand_found_twice_is_one_hand():
    close = body()
    close.px[POSE33.index("left_wrist")] = [110, 200]
    a, b = hand(101, 200), hand(104, 200)
    got = assign({"left": b, "right": a}, close, PersonTrackerConfig())
    assert got["right"] is a and got["left"] is None


def detection(x: float) -> Detection:
    return Detection(0.9, np.array([[x, 0], [x + 10, 10]]), np.array([[x, 50.0], [x, 0.0]]))


def test_the_scene_says_which_of_two_persons_is_meant():
    two = (detection(10), detection(200))
    assert choose_person(two, np.array([180.0, 60.0]), "frame 0") is two[1]
    with pytest.raises(EstimateError, match="2 persons"):
        choose_person(two, None, "frame 0")
    with pytest.raises(EstimateError, match="no person"):
        choose_person((), None, "frame 0")


def test_a_video_without_a_person_or_without_frames_is_refused():
    def nobody(image: np.ndarray) -> tuple[np.ndarray, ...]:
        return np.zeros((2254, 12)), np.full((2254, 1), -100.0)

    networks = Networks(nobody, nobody, nobody, nobody)
    with pytest.raises(EstimateError, match="no person"):
        estimate_landmarks([np.zeros((48, 64, 3), np.uint8)], 30.0, networks=networks)
    with pytest.raises(EstimateError, match="no frames"):
        estimate_landmarks([], 30.0, networks=networks)


TRUTH_PX = {
    "left_shoulder": (312.4, 144.1),
    "right_shoulder": (213.9, 145.2),
    "left_elbow": (336.7, 242.5),
    "right_elbow": (211.6, 223.7),
    "left_wrist": (341.8, 344.4),
    "right_wrist": (192.3, 297.4),
    "left_middle1": (344.0, 388.6),
    "right_middle1": (184.5, 327.2),
}
"""Where the renderer's skeleton has its joints in the picture of the fixture."""


def test_the_networks_find_a_rendered_person_and_both_hands(networks: Networks, person: np.ndarray):
    found = estimate_landmarks([person, person], 30.0, networks=networks)
    found.body.validate()
    for t in range(2):
        for name, px in TRUTH_PX.items():
            side = name.partition("_")[0]
            points, near = (found.hands[side], 12.0) if "middle" in name else (found.body, 20.0)
            assert np.linalg.norm(points.xy[t, points.names.index(name)] - px) < near, (t, name)
    for side, points in found.hands.items():
        points.validate()
        assert points.seen.all()
        assert np.linalg.norm(points.xy[:, 0] - TRUTH_PX[f"{side}_wrist"], axis=-1).max() < 12
    assert found.body.origin.provenance["hands_never_seen"] == []
