"""How far away a thing is, by the hand that takes it."""

import numpy as np
import pytest

from devi_jax.core import rotations as rot
from envs.embodiments.human import human
from perception.contracts.checks import EstimateError
from perception.contracts.hand import HAND21
from perception.landmarks.hand_depth import palm_at_rest
from perception.landmarks.network_palm import PALM_POINTS
from perception.scene.size_by_hand import ACROSS_M, GAP_M, IN_FIST_M, distance_by_hand
from perception.scene.standing_thing import standing_axes

FOOT_M, PITCH_DEG, FPS, TAKEN = 0.62, 33.0, 30.0, 20
RAY, UP = np.array([0.1, 0.2, 1.0]), standing_axes(PITCH_DEG)[:, 2]


def around(side: str, radius_m: float, height_m: float = 0.07) -> np.ndarray:
    """A hand (21, 3) that closes around an upright thing of which the foot is at `FOOT_M`, its thumb up."""
    sign = 1.0 if side == "right" else -1.0
    palm = palm_at_rest(human().offsets, side)
    palm = palm - palm[0]
    axes = standing_axes(PITCH_DEG) @ rot.quat_to_matrix(rot.quat_exp(np.array([0, 0, 0.4 * sign])))
    # fingers ahead, thumb up, the palm to the thing's side
    turn = np.stack([sign * axes[:, 1], axes[:, 2], sign * np.cross(axes[:, 1], axes[:, 2])], axis=1)
    hand = np.full((21, 3), 9.0)
    axis = FOOT_M * RAY + height_m * UP
    inside = np.array([sign * IN_FIST_M, ACROSS_M, -(GAP_M + radius_m)])
    hand[PALM_POINTS] = axis + (palm - inside) @ turn.T
    return hand


def film(hand: np.ndarray) -> np.ndarray:
    """It is seen from frame 10 to 20."""
    points = np.full((30, 21, 3), np.nan)
    points[10 : TAKEN + 1] = hand
    return points


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("height_m", [0.02, 0.1])
def test_the_axis_of_a_thing_is_where_the_hand_closes_whatever_its_height(side, height_m):
    found = distance_by_hand(film(around(side, 0.04, height_m)), side, TAKEN, FPS, RAY, UP, 0.04 / FOOT_M)
    assert found.foot_m == pytest.approx(FOOT_M, abs=5e-3)  # knuckles are in no straight row
    assert found.spread_m == pytest.approx(0, abs=1e-9) and found.frames == 11


def test_what_no_hand_closes_around_is_between_fingertips_and_thumb():
    hand = around("right", 0.04)
    for name, off in (("thumb", -0.03), ("index", 0.03), ("middle", 0.03)):
        hand[HAND21.index(f"{name}_tip")] = FOOT_M * RAY + 0.05 * UP + [0, 0, off]
    found = distance_by_hand(film(hand), "right", TAKEN, FPS, RAY, UP, 0.15)
    assert found.foot_m == pytest.approx(FOOT_M, abs=1e-6)


def test_a_hand_that_is_not_seen_there_tells_nothing():
    points = film(around("right", 0.04))
    points[15:] = np.nan
    with pytest.raises(EstimateError, match="not seen in frames 17 to 29"):
        distance_by_hand(points, "right", 29, FPS, RAY, UP, 0.06)
