"""Hands whose bones are known, laid over their own pixels."""

import numpy as np
import pytest
import torch

from devi_jax.core import rotations as rot
from envs.embodiments.human import human
from perception.contracts.hand import HAND21
from perception.landmarks.hand_depth import NEAREST_FACTOR, above_ground, placed_by_palm
from perception.landmarks.hand_fit import SIZE, THICK_M, HandFitConfig, _Hand, fit_hands, hand_bones
from perception.landmarks.network_palm import network_shifts

K = np.array([[800.0, 0, 512], [0, 800, 288], [0, 0, 1]])
EDGE_ON = rot.quat_to_matrix(rot.quat_mul(rot.quat_exp(np.array([0, 0, -1.4])), rot.quat_exp(np.array([0.9, 0, 0]))))
"""A right hand that points up in the picture and away, its palm to the left: hardly more than its edge is seen."""


def bones(side: str) -> dict[str, np.ndarray]:
    offsets = human().offsets
    return hand_bones(offsets, side, network_shifts(offsets, side))


def grasping(side: str, turn: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The 21 points (21, 3) of a hand around something."""
    x = torch.zeros(SIZE, dtype=torch.float64)
    x[3:6] = torch.from_numpy(at)
    x[6:-9:3], x[8:-9:3] = 0.7, 0.9
    known = {name: torch.from_numpy(np.array(v, float)) for name, v in bones(side).items()}
    model = _Hand(known, torch.from_numpy(K), None, HandFitConfig())
    return model.points(x, torch.from_numpy(turn)).numpy()


def pixels(points: np.ndarray) -> np.ndarray:
    there = points @ K.T
    return there[..., :2] / there[..., 2:]


def landmarks(points: np.ndarray, turn: np.ndarray, side: str = "right") -> np.ndarray:
    """Pixels (21, 2) where the network has the points (21, 3) of a hand that is turned so."""
    return pixels(points + network_shifts(human().offsets, side) @ turn.T)


def degrees(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip((np.trace(a.T @ b) - 1) / 2, -1, 1))))


def test_bones_keep_their_lengths_and_fingers_bend_towards_the_palm():
    for side, inward in (("right", 1.0), ("left", -1.0)):
        hand = grasping(side, np.eye(3), np.zeros(3))
        for finger in ("index", "pinky"):
            joints = hand[[HAND21.index(f"{finger}{part}") for part in ("1", "2", "3", "_tip")]]
            lengths = np.linalg.norm(np.diff(joints, axis=0), axis=1)
            wanted = [np.linalg.norm(bones(side)[f"{finger}{part}"]) for part in ("2", "3", "_tip")]
            assert np.allclose(lengths, wanted, atol=1e-9)
            assert joints[-1, 2] < joints[0, 2] - 0.02  # palms face down in the T-pose
            assert inward * (joints[1, 0] - joints[0, 0]) > 0.01


@pytest.mark.parametrize("turn", [np.eye(3), EDGE_ON])
@pytest.mark.parametrize("off", [[0, -0.5, 0.3], [0.2, 0.4, -0.4]])
def test_a_hand_is_found_from_starts_that_are_far_off(turn, off):
    true = grasping("right", turn, np.array([0.05, 0.1, 0.6]))
    start = turn @ rot.quat_to_matrix(rot.quat_exp(np.array(off, float)))
    px = landmarks(true, turn)
    found = fit_hands(px[None], K, start[None, None], np.array([[[0.05, 0.1, 0.6]]]) * 1.3, bones("right"))
    # a palm that faces the camera leaves its slant to a few pixels
    assert degrees(found.turns[0, 0], turn) < (12 if turn is EDGE_ON else 20)
    shown = landmarks(found.points[0, 0], found.turns[0, 0])
    assert np.abs(shown - px).max() < (4 if turn is EDGE_ON else 12)
    shifts = network_shifts(human().offsets, "right") @ found.turns[0].mT
    own = placed_by_palm(found.points[0], px[None], K, shifts)[0]
    assert abs(own[:, 2].mean() / true[:, 2].mean() - 1) < 0.08


def test_of_two_readings_of_an_edge_on_palm_the_fingers_tell_the_right_one():
    true = grasping("right", EDGE_ON, np.array([0.05, 0.1, 0.6]))
    ray = true.mean(axis=0) / np.linalg.norm(true.mean(axis=0))
    other = (np.eye(3) - 2 * np.outer(ray, ray)) @ EDGE_ON @ np.diag([1.0, 1.0, -1.0])
    starts = np.stack([EDGE_ON, other])[:, None]
    found = fit_hands(landmarks(true, EDGE_ON)[None], K, starts, np.tile(true[0], (2, 1, 1)), bones("right"))
    assert found.cost[0, 0] < 0.5 * found.cost[1, 0] or degrees(found.turns[1, 0], EDGE_ON) < 12


def test_fingers_stay_as_they_are_said_to_be():
    true = grasping("right", EDGE_ON, np.array([0.0, 0.0, 0.5]))
    like = np.full((1, SIZE - 6), 0.05)
    px = landmarks(true, EDGE_ON)
    free = fit_hands(px[None], K, EDGE_ON[None, None], true[None, :1], bones("right"))
    told = fit_hands(px[None], K, EDGE_ON[None, None], true[None, :1], bones("right"), like=like)
    gaps = [np.abs(fit.angles[0, 0, [0, 2, 3, 5]] - 0.05).mean() for fit in (told, free)]
    assert gaps[0] < 0.5 * gaps[1]


def test_a_palm_is_placed_exactly_by_its_pixels_and_keeps_its_turn():
    true = grasping("left", np.eye(3), np.array([-0.1, 0.2, 0.8]))
    moved = 1.7 * true.mean(axis=0) + (true - true.mean(axis=0))
    px, shifts = landmarks(true, np.eye(3), "left"), network_shifts(human().offsets, "left")
    own = placed_by_palm(moved[None], px[None], K, shifts[None])[0]
    assert np.abs(own - true).max() < 1e-9


def test_a_hand_in_the_ground_is_brought_above_it_in_its_place_in_the_picture():
    true = grasping("right", np.eye(3), np.array([0.0, 0.1, 0.8]))
    up = np.array([0.0, -0.8, -0.6])
    lowest = float((true @ up).min())
    ground = np.array([*up, -(lowest + 0.03)])  # it is 3 cm in it
    own = above_ground(true[None], ground)[0]
    heights = own @ ground[:3] + ground[3]
    assert heights.min() == pytest.approx(THICK_M, abs=1e-9)
    assert np.linalg.norm(pixels(own)[0] - pixels(true)[0]) < 1e-6
    assert np.allclose(own - own[:1], true - true[:1])
    assert np.allclose(above_ground(true[None], np.array([*up, -lowest + 0.1]))[0], true)
    deep = above_ground(true[None], np.array([*up, -(lowest + 0.5)]))[0]
    assert np.allclose(deep[0], NEAREST_FACTOR * true[0])


def test_hands_of_no_pixels_are_infinitely_unlikely():
    one = np.full((1, 21, 2), np.nan)
    found = fit_hands(one, K, np.eye(3)[None, None], np.array([[[0, 0, 0.5]]]), bones("right"))
    assert np.isinf(found.cost).all()
