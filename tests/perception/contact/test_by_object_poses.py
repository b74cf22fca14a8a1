"""Holds are closed in the air, unless the object flies; they end some time after it rests, and none begin there."""

import numpy as np
import pytest

from perception.contact.by_object_poses import AIR_S, GRAVITY, LET_GO_S, UP_M, by_object_poses

FPS, FRAMES = 30.0, 120
FOUND = np.ones(FRAMES, bool)


def lifted(height_m: float = 0.2) -> np.ndarray:
    """It stands until frame 20, is up from 40 to 70, and stands elsewhere from frame 90 on."""
    out = np.zeros((FRAMES, 3))
    out[:, 2] = height_m * np.interp(np.arange(FRAMES), [20, 40, 70, 90], [0, 1, 1, 0])
    out[:, 0] = 0.1 * np.interp(np.arange(FRAMES), [40, 70], [0, 1])
    return out


def runs(*spans: tuple[int, int]) -> np.ndarray:
    out = np.zeros((FRAMES, 2), bool)
    for start, stop in spans:
        out[start:stop, 1] = True
    return out


def test_a_hold_interrupted_in_the_air_is_one():
    held = by_object_poses(runs((15, 50), (57, 92)), lifted(), FOUND, FPS)
    np.testing.assert_array_equal(held, runs((15, 92)))


@pytest.mark.parametrize("height_m", [0.0, 0.9 * UP_M])
def test_near_its_support_two_holds_are_two(height_m):
    held = runs((15, 50), (57, 80))
    np.testing.assert_array_equal(by_object_poses(held, lifted(height_m) + 1e-9, FOUND, FPS)[:57], held[:57])


def test_what_is_longer_interrupted_or_not_known_meanwhile_stays():
    longer = runs((15, 41), (41 + round(AIR_S * FPS) + 1, 92))
    np.testing.assert_array_equal(by_object_poses(longer, lifted(), FOUND, FPS), longer)
    held, found = runs((15, 50), (57, 92)), FOUND.copy()
    found[57] = False
    np.testing.assert_array_equal(by_object_poses(held, lifted(), found, FPS), held)


@pytest.mark.parametrize(("part", "one"), [(0.0, True), (0.3, True), (0.8, False), (1.0, False)])
def test_an_object_that_flies_is_not_held(part, one):
    """Thrown at frame 44 and caught at 56 with a part of gravity: 0.4 s, in free flight 196 mm high at the middle."""
    path, t = lifted(), np.arange(44, 57)
    path[t, 2] += part * GRAVITY / 2 * ((t - 44) / FPS) * ((56 - t) / FPS)
    held = by_object_poses(runs((15, 45), (56, 92)), path, FOUND, FPS)
    assert held[50, 1] == one


def test_a_thing_that_rests_is_let_go_and_taken_by_nobody():
    """A camera that drifts makes labels go on, or begin anew."""
    slack = round(LET_GO_S * FPS)
    last = by_object_poses(runs((15, FRAMES)), lifted(), FOUND, FPS)[:, 1]
    assert last[:90].sum() == 75 and not last[90 + slack :].any()
    np.testing.assert_array_equal(by_object_poses(runs((15, 80), (95, FRAMES)), lifted(), FOUND, FPS), runs((15, 80)))


def test_a_thing_held_still_in_the_air_until_the_end_stays_held():
    up = lifted()
    up[70:] = up[70]
    np.testing.assert_array_equal(by_object_poses(runs((15, FRAMES)), up, FOUND, FPS), runs((15, FRAMES)))
    down = up - [0, 0, 0.2 - 0.9 * UP_M] * (np.arange(FRAMES) >= 70)[:, None]
    assert not by_object_poses(runs((15, FRAMES)), down, FOUND, FPS)[-1].any()


def test_each_hand_is_its_own_and_nothing_known_changes_nothing():
    held = runs((15, 50), (57, 92))
    held[:, 0] = held[:, 1]
    held[52, 0] = True
    np.testing.assert_array_equal(by_object_poses(held, lifted(), FOUND, FPS)[15:92], True)
    np.testing.assert_array_equal(by_object_poses(held, lifted(), ~FOUND, FPS), held)
    never = np.cumsum(np.ones((FRAMES, 3)), axis=0) * 0.01
    np.testing.assert_array_equal(by_object_poses(runs((15, FRAMES)), never, FOUND, FPS), runs((15, FRAMES)))
