"""What the reward says of a clip done well, not done or done wrong, and which of its factors say nothing."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from devi_jax.clip_tools import reward_factors
from devi_jax.clip_tools.reward_factors import OBJECT_CASES, SIMULATED, FactorRow, factor_table, object_cases
from devi_jax.core import rotations as rot
from devi_jax.core.clip import crop
from devi_jax.datasets.load import resolve
from devi_jax.systems import assemble, make_system


@pytest.fixture(scope="module")
def environment():
    """The second of `lift_can` in which the can leaves the table, with a pinned pelvis and rewards that see."""
    return assemble(make_system("devi_sharp"), crop(resolve("lift_can"), 30, 75), "c", "pinned").environment


@pytest.fixture(scope="module")
def found(environment):
    return {row.name: row for row in reward_factors.reward_factors(environment)}


def test_only_the_object_is_wrong_and_by_as_much_as_is_said(environment):
    reference, cases = environment.reference, object_cases(environment)
    assert tuple(cases) == OBJECT_CASES
    eye = -np.asarray(reference.view.T_camera_world[:3, :3]).T @ np.asarray(reference.view.T_camera_world[:3, 3])
    away = np.asarray(reference.object_position) - eye
    for name, frames in cases.items():
        np.testing.assert_array_equal(frames.position, reference.position)
        np.testing.assert_array_equal(frames.tips, reference.tips)
        gap = np.asarray(frames.object_position - reference.object_position, float)
        turned = np.asarray(rot.angle_between(frames.object_rotation, reference.object_rotation))
        match name:
            case "left behind":
                np.testing.assert_allclose(frames.object_position, np.tile(reference.object_start[:3], (45, 1)))
            case "5 cm across":
                np.testing.assert_allclose(np.linalg.norm(gap, axis=1), 0.05, atol=1e-6)
                np.testing.assert_allclose(gap[:, 2], 0.0, atol=1e-6)
            case "5 cm along" | "20 cm along":
                far = float(name.split()[0]) / 100
                np.testing.assert_allclose(gap, far * away / np.linalg.norm(away, axis=1, keepdims=True), atol=1e-6)
            case "tipped":
                np.testing.assert_allclose(turned, np.pi / 2, atol=1e-3)
                up = rot.rotate(np.asarray(frames.object_rotation), np.tile([0.0, 0.0, 1.0], (45, 1)))
                # the can's axis, upright at first, lies flat and points away from the camera
                assert abs(up[0, 2]) < 1e-3 and up[0] @ away[0] > 0.9 * np.linalg.norm(away[0, :2])


def test_the_body_of_the_reference_is_perfect_and_what_is_not_simulated_is_not_told(found):
    for case in OBJECT_CASES:
        assert found["joint_position"].minima[case] > 0.9999 and found["hand_rotation"].minima[case] > 0.999
        for name in ("power", "contact_force", "reward"):
            assert case not in found[name].means
    for row in found.values():
        assert set(SIMULATED) <= set(row.means)
        for case, mean in row.means.items():
            assert 0 <= row.minima[case] <= mean <= 1 + 1e-6


@pytest.mark.simulated
def test_the_reward_tells_replay_from_nothing_and_thrashing(found):
    means = found["reward"].means
    assert means["replay"] > 2 * means["nothing"] and means["replay"] > 2 * means["thrashing"]


def test_two_dimensions_are_blind_along_the_view_and_the_second_view_is_not(found):
    flat = found["object_2d"].means
    assert flat["20 cm along"] > 0.9 > flat["5 cm across"]
    beside = found["object_second_view"].means
    assert beside["20 cm along"] < 0.1 and beside["5 cm along"] < 0.6
    assert found["object_second_view"].weight == found["object_size"].weight == 0


def test_doing_nothing_holds_the_first_pose(environment):
    frozen = reward_factors._frozen(environment)
    of, was = frozen.library.reference, environment.library.reference
    np.testing.assert_array_equal(of.target, jnp.broadcast_to(was.target[:, :1], was.target.shape))
    np.testing.assert_array_equal(of.position, was.position)


def test_a_clip_in_two_dimensions_has_the_bodys_cases_alone(environment):
    library = environment.library
    flat = replace(library.reference, object_position=None, object_rotation=None, second_view=None)
    assert object_cases(replace(environment, library=replace(library, reference=flat))) == {}


def test_a_factor_is_blind_only_where_nothing_moves_it():
    sees = FactorRow("sees", 1.0, {"replay": 0.99, "tipped": 0.97}, {"replay": 0.98, "tipped": 0.93})
    blind = FactorRow("blind", 0.0, {"replay": 0.99}, {"replay": 0.94})
    assert factor_table([sees, blind]) == [
        ["factor, mean (min)", "replay", "tipped", ""],
        ["sees", "0.99 (0.98)", "0.97 (0.93)", ""],
        ["blind", "0.99 (0.94)", "-", "off, blind"],
    ]
