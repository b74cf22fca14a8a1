"""Grips near to a hand that is seen."""

import numpy as np
import pytest

from devi_jax.core.scene import SceneSpec
from envs.animation.grasping.graspable_parts import Handle
from envs.animation.kinematics.posed_scene import build_posed_scene
from envs.animation.repair.seen_grip import AROUND_DEG, SLANT_DEG, seen_grips

HANDLE = Handle(np.array([0.3, 0.4, 1.0]), np.array([0.0, 0.0, 1.0]))
RADIUS, HALF = 0.035, 0.09


def cylinder() -> np.ndarray:
    """Points (N, 3) of an upright cylinder about the handle."""
    angle, height = np.meshgrid(np.linspace(0, 2 * np.pi, 60, endpoint=False), np.linspace(-HALF, HALF, 60))
    ring = np.stack([RADIUS * np.cos(angle), RADIUS * np.sin(angle), height], axis=-1)
    return HANDLE.centre + ring.reshape(-1, 3)


def hand(slant_deg: float, height: float) -> tuple[np.ndarray, np.ndarray]:
    """A right hand from the right: its palm to the left, its fingers ahead and up by `slant_deg`, beside the handle."""
    s = np.radians(slant_deg)
    fingers, palm = np.array([0.0, np.cos(s), np.sin(s)]), np.array([-1.0, 0.0, 0.0])
    turn = np.stack([fingers, np.cross(-palm, fingers), -palm], axis=1)
    return HANDLE.centre + [0.07, 0.0, height] - 0.09 * fingers, turn


@pytest.mark.parametrize("slant", [0.0, 20.0, 40.0])
@pytest.mark.parametrize("height", [-0.03, 0.0, 0.04])
def test_the_first_grip_is_the_hand_that_was_seen_brought_onto_the_thing(slant, height):
    stage = build_posed_scene(SceneSpec())
    at, turn = hand(slant, height)
    grips = list(seen_grips(stage, "right", cylinder(), [HANDLE], (at, turn)))
    assert grips
    place = grips[0].wrists[0]
    assert np.abs(place.rotation - turn).max() < 1e-6
    wrist = place.position - place.rotation @ place.point
    assert np.linalg.norm(wrist - at) < 0.06
    middle = place.position - HANDLE.centre
    assert np.linalg.norm(middle[:2]) < 0.02 and abs(middle[2] - height) < 0.02


def test_others_are_turned_around_the_thing_and_slanted_otherwise_about_it():
    stage = build_posed_scene(SceneSpec())
    at, turn = hand(10.0, 0.0)
    grips = list(seen_grips(stage, "right", cylinder(), [HANDLE], (at, turn)))
    palms = np.array([-g.wrists[0].rotation[:, 2] for g in grips])
    around = {round(float(np.degrees(np.arctan2(p[1], -p[0])))) for p in palms}
    assert around == {round(-a) for a in AROUND_DEG} and np.abs(palms[:, 2]).max() < 1e-9
    up = np.degrees([np.arcsin(g.wrists[0].rotation[2, 0]) for g in grips])
    assert np.abs(up[:, None] - (10.0 + np.array(SLANT_DEG))).min(axis=1).max() < 2.5 and np.ptp(up) > 15
    for grip in grips:
        rotation = grip.wrists[0].rotation
        assert np.allclose(rotation.T @ rotation, np.eye(3), atol=1e-9)


def test_a_palm_that_looks_along_the_thing_holds_it_by_nothing():
    stage = build_posed_scene(SceneSpec())
    turn = np.stack([[0, 1.0, 0], [1.0, 0, 0], [0, 0, -1.0]], axis=1) @ np.diag([1, 1, -1.0])
    assert not list(seen_grips(stage, "right", cylinder(), [HANDLE], (HANDLE.centre + [0, -0.1, 0.1], turn)))
