"""Numbers that docs/fidelity.md states are those of the code."""

from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest

from agents import normaliser
from devi_jax.datasets.bundled_sets import SUITE
from devi_jax.datasets.formats import omomo, parahome, physhoi
from devi_jax.datasets.load import resolve
from devi_jax.systems import make_system
from envs.embodiments.human.collision import contact_parameters, meets
from envs.embodiments.human.gains import Gains
from envs.embodiments.human.model import ROOT_BALL, ROOT_SLIDE
from envs.physics.solver import SETTINGS
from envs.scenes.objects.material import MATERIALS
from perception.contact.contact_labels import ContactConfig, estimated

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "fidelity.md").read_text()


def cells(begins: str) -> list[str]:
    """The cells of the one row that begins so."""
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {begins}")]
    return [cell.strip() for cell in row.strip("|").split("|")]


@pytest.mark.parametrize("name", ["finger", "wrist", "arm", "spine", "leg"])
def test_gains_and_torque_limits(name):
    (stated,) = [
        row.strip("|").split("|")
        for row in PAGE.split("Gains of each class")[1].splitlines()
        if row.startswith(f"| {name}")
    ]
    assert tuple(float(x) for x in stated[1:]) == astuple(getattr(Gains(), name))


def test_rates_and_solvers():
    assert "30 actions a second" in cells("rates")[1] and make_system("devi").timing.policy_hz == 30
    assert make_system("devi").timing.control_hz == 30
    assert [SETTINGS[e].physics_hz for e in ("c", "warp", "mjx")] == [60, 60, 240]
    assert "60 physics steps" in cells("rates")[1] and "240 in MJX-JAX" in cells("rates")[1]
    assert [SETTINGS[e].iterations for e in ("c", "warp", "mjx")] == [10, 20, 6]
    assert [SETTINGS[e].impratio for e in ("c", "warp", "mjx")] == [5, 5, 1]
    assert (ROOT_SLIDE[0], ROOT_BALL[0]) == (2e5, 2e4) and "2e5 N/m and 2e4 N m/rad" in cells("pinned pelvis")[1]


def test_friction():
    assert [resolve(name).scene.object.friction for name in SUITE] == [0.8, 0.7, 0.7, 0.8, 0.8, 0.7, 0.8, 0.9]
    assert "from 0.6 (paper) to 1.1 (rubber)" in cells("friction, sliding")[1]
    assert contact_parameters("left_index3")["friction"] == [1.0, 0.01, 0.0001]
    assert (MATERIALS["paper"].friction, MATERIALS["rubber"].friction) == (0.6, 1.1)
    values = [m.friction for m in MATERIALS.values()]
    assert (min(values), max(values)) == (0.6, 1.1)


def test_who_meets_whom():
    floor, table, thing = 1, 2, 4
    for part in ("left_wrist", "right_thumb3", "left_elbow"):
        assert meets(part, "hands") & (table | thing) == table | thing
    for part in ("head", "spine3", "pelvis", "left_hip", "left_ankle"):
        assert not meets(part, "hands") & (table | thing) and meets(part, "all") & thing
    falls = ("left_ankle", "left_foot", "pelvis", "spine3", "head", "left_shoulder", "left_elbow", "left_knee")
    assert all(meets(part, "hands") & floor for part in falls)
    assert not any(meets(part, "hands") & floor for part in ("left_wrist", "left_hip", "spine1", "spine2", "neck"))


def test_normaliser_exploration_and_labels():
    assert normaliser.CLIP == 10 and "10 standard deviations" in cells("normaliser")[2]
    log_std = make_system("devi", "paper", "paper").network.log_std
    assert log_std == -2.9 and np.exp(log_std) == pytest.approx(0.055, abs=5e-4)
    assert np.pi * np.exp(log_std) == pytest.approx(0.17, abs=5e-3)
    found, printed = estimated(), ContactConfig()
    assert (found.threshold_px, found.hand_factor, found.window_s, found.near_px) == (0.2, 3.0, 0.25, 60.0)
    assert found.hand_part == 0.75 and (printed.threshold_px, printed.window_s) == (1.5, 0.0)
    near = parahome.TOUCH_M, omomo.TOUCH_M, physhoi.REACH_M, parahome.TOUCHING_BONES
    assert near == (0.02, 0.04, 0.10, 4)
