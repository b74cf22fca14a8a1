"""Scenes that stand, and what is said of those that do not."""

from dataclasses import replace

import numpy as np
import pytest

from devi_jax.core.errors import SceneError
from devi_jax.core.scene import Table
from devi_jax.core.scene_file import Human, Setup, Thing
from devi_jax.datasets.scenes import load_setup
from devi_jax.scripted_video.arm_reach import PALM_M, reach_m
from devi_jax.scripted_video.validate_scene import settle
from envs.embodiments.human import human
from tests.simulated import within

CAN = Thing("can", "can", position=(0.12, 0.33))
BOOK = Thing("book", "book", position=(-0.2, 0.35), role="target")
SCENE = Setup("table", table=Table(), things=(CAN, BOOK))


def changed(**things: dict) -> Setup:
    return replace(SCENE, things=tuple(replace(t, **things.get(t.name, {})) for t in SCENE.things))


def refused(setup: Setup, match: str) -> SceneError:
    with pytest.raises(SceneError, match=match) as caught:
        settle(setup, "s.json")
    assert caught.value.where.startswith("s.json: ") and caught.value.valid and caught.value.fix
    return caught.value


@pytest.mark.simulated
@pytest.mark.parametrize("name", ["lift_can", "lift_box", "push_box", "floor_box"])
def test_bundled_scenes_stand(name):
    settled = settle(load_setup(name), name)
    assert settled.moved_m.keys() == settled.arranged.poses.keys()
    within("moved, m", max(settled.moved_m.values()), high=1e-3)
    within("turned, rad", max(settled.turned_rad.values()), high=np.radians(0.5))


def test_a_thing_given_its_exact_height_stands_as_well():
    settle(changed(can={"position": (0.12, 0.33, 0.86)}))
    settle(changed(can={"position": (0.12, 0.33, 0.859)}))


def test_two_things_in_one_place_are_named_with_their_overlap():
    """The can's axis is 33 mm - 8 mm outside of the book's side."""
    side = -0.2 + 0.145 / 2
    error = refused(changed(can={"position": (side + 0.025, 0.35)}), "'(book|can)' and '(book|can)' overlap by 8.0 mm")
    assert "by 8 mm in the direction" in error.fix
    moved = changed(can={"position": (side + 0.034, 0.35)})
    settle(moved)


def test_a_thing_in_the_table_is_to_be_raised():
    error = refused(changed(can={"position": (0.12, 0.33, 0.848)}), "'can' and 'table' overlap by 12.0 mm")
    assert error.fix.startswith("raise 'can' by 12 mm")


def test_a_thing_in_the_air_is_to_be_lowered():
    error = refused(changed(can={"position": (0.12, 0.33, 0.872)}), "'can' floats 12 mm above the table")
    assert "lower it by 12 mm, to z = 0.860" in error.fix
    error = refused(changed(book={"position": (0.12, 0.33, 1.4), "yaw_deg": 90.0}), "'book' floats .* above the can")
    # from the can's lid, 0.8 + 0.12 m, to the book's lower cover
    assert f"by {(1.4 - 0.015 - 0.92) * 1e3:.0f} mm" in error.fix


@pytest.mark.simulated
def test_a_thing_on_another_is_as_good_as_on_the_table():
    stacked = changed(can={"position": (-0.2, 0.35, 0.8 + 0.03 + 0.06 - 2e-4)})
    within("moved, m", settle(stacked).moved_m["can"], high=2e-3)


@pytest.mark.simulated
def test_what_topples_is_told_by_how_much():
    """The can's axis beyond the table's edge; a can tilted on its foot's rim, 20 degrees past its balance."""
    error = refused(changed(can={"position": (0.515, 0.33, 0.86)}), "'can' does not stay: it moves by [0-9]+ mm")
    assert "edges" in error.fix
    half = np.radians(49.0) / 2
    tilted = {"rotation": (np.cos(half), np.sin(half), 0.0, 0.0)}
    error = refused(changed(can=tilted), "'can' does not stay.*turns by [0-9]+ degrees")
    turned = float(error.what.split("turns by ")[1].split()[0])
    within("turned, degrees", turned, low=30)


def test_a_human_cannot_stand_in_a_box():
    box = Thing("box", "box", position=(0.0, 0.05))
    error = refused(Setup("s", things=(box,)), "'box' and the human's .* overlap by")
    assert "ankle" in error.what or "foot" in error.what
    settle(Setup("s", human=Human(position=(0.0, -0.5)), things=(box,)))


@pytest.mark.parametrize("human_at", [Human(), Human(position=(1.0, -2.0), yaw_deg=120.0)])
def test_what_is_out_of_reach_is_refused_with_its_distance(human_at):
    """Whatever way the human faces, a can 1.5 m away on the floor is not reached."""
    far = Thing("can", "can", position=(human_at.position[0] + 1.5, human_at.position[1]))
    error = refused(Setup("s", human=human_at, things=(far,)), r"'can' is out of reach: 1\.4[67] m away")
    assert "nearer" in error.fix


def test_reach_at_shoulder_height_is_an_arm_beyond_a_leaning_shoulder():
    """Straight ahead of the right shoulder without leaning the distance is an arm's; leaning gets further, not less."""
    body = human()
    shoulder = np.array([0.188, -0.015, body.pelvis_m + 0.461])
    arm = 0.254 + 0.262 + PALM_M
    near, far = shoulder + [0, arm - 0.02, 0], shoulder + [0, arm + 0.45, 0]
    assert reach_m(body, Human(), near) < 0 < reach_m(body, Human(), far)
    # the same places for who stands elsewhere and looks elsewhere
    turned = Human(position=(2.0, 1.0), yaw_deg=90.0)
    for point in (near, far):
        there = np.array([2.0 - point[1], 1.0 + point[0], point[2]])
        assert reach_m(body, turned, there) == pytest.approx(reach_m(body, Human(), point), abs=1e-9)
    # a body twice as large reaches twice as far beyond
    assert reach_m(body, Human(shape=1.2), 1.2 * far) == pytest.approx(1.2 * reach_m(body, Human(), far))


@pytest.mark.parametrize("at", [(0.12, 0.8, 0.86), (0.5, 0.33, 0.86), (0.0, 0.42, 0.2), (0.15, 0.2, 1.9)])
def test_places_that_the_planner_reaches_are_within_the_bound(at):
    assert reach_m(human(), Human(), np.array(at)) < 0
