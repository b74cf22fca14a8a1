"""Early termination: each bound of A.10 by itself, just below and just above; and numbers that are none."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from devi_jax.systems import devi
from envs.tracking.terminations import OFF as ROWS
from envs.tracking.terminations import Terminations, count_untouched


def bounds(**values: float) -> Terminations:
    """All rows off but these."""
    return Terminations({n: replace(row, bound=values.get(n, row.bound)) for n, row in ROWS.items()})


def failed(frame, target, terminations, scale=1.0, untouched=None):
    return terminations(frame, target, scale, untouched)


PAPER = {n: row.bound for n, row in devi("paper", "paper").terminations.items() if row.on}
BOUNDS, NONE = bounds(**PAPER), bounds()
TAU_PX = 0.08 * np.hypot(1024, 576)
AWAY = np.array([2.0, -1.0, 2.0]) / 3


def shifted(points, rows, metres: float):
    return points.at[np.asarray(rows)].add(jnp.asarray(AWAY * metres, jnp.float32))


def test_the_paper_bounds():
    assert PAPER == {"body_mean": 0.2, "body_any": 0.4, "fingertips": 0.04, "object_pixels": 0.08}
    assert round(TAU_PX) == 94


def test_reached_targets_go_on(matching):
    assert not failed(*matching, BOUNDS)


@pytest.mark.parametrize(("metres", "ends"), [(0.1999, False), (0.2001, True)])
def test_mean_of_the_body_joints(metres, ends, matching):
    frame, target = matching
    frame = replace(frame, position=shifted(frame.position, range(22), metres))
    assert bool(failed(frame, target, BOUNDS)) is ends


@pytest.mark.parametrize("joint", [0, 15, 21])
@pytest.mark.parametrize(("metres", "ends"), [(0.3999, False), (0.4001, True)])
def test_any_body_joint(joint, metres, ends, matching):
    frame, target = matching
    frame = replace(frame, position=shifted(frame.position, [joint], metres))
    assert bool(failed(frame, target, BOUNDS)) is ends


@pytest.mark.parametrize(("metres", "ends"), [(0.0399, False), (0.0401, True)])
def test_mean_of_the_fingertips(metres, ends, matching):
    frame, target = matching
    frame = replace(frame, tips=shifted(frame.tips, range(10), metres))
    assert bool(failed(frame, target, BOUNDS)) is ends


def test_one_lost_fingertip_counts_a_tenth(matching):
    frame, target = matching
    assert not failed(replace(frame, tips=shifted(frame.tips, [3], 0.399)), target, BOUNDS)
    assert failed(replace(frame, tips=shifted(frame.tips, [3], 0.401)), target, BOUNDS)


@pytest.mark.parametrize(("pixels", "ends"), [(TAU_PX - 0.1, False), (TAU_PX + 0.1, True)])
def test_mean_of_the_object_points(pixels, ends, matching):
    frame, target = matching
    target = replace(target, points_px=target.points_px + jnp.array([[0.6, 0.8]]) * pixels)
    assert bool(failed(frame, target, BOUNDS)) is ends


def test_hidden_points_do_not_count(matching):
    frame, target = matching
    half = jnp.arange(len(target.visible)) % 2 == 0
    far = jnp.where(half[:, None], 0.0, 1e4)
    assert failed(frame, replace(target, points_px=target.points_px + far), BOUNDS)
    assert not failed(frame, replace(target, points_px=target.points_px + far, visible=half), BOUNDS)


def test_finger_joints_are_bound_by_their_tips_alone(matching):
    frame, target = matching
    assert not failed(replace(frame, position=shifted(frame.position, range(22, 52), 5.0)), target, BOUNDS)


@pytest.mark.parametrize("kept", [*PAPER])
def test_an_infinite_bound_switches_one_criterion_off(kept, matching):
    frame, target = matching
    frame = replace(frame, position=shifted(frame.position, range(22), 0.5), tips=shifted(frame.tips, range(10), 0.5))
    target = replace(target, points_px=target.points_px + 500.0)
    assert not failed(frame, target, NONE)
    assert failed(frame, target, bounds(**{kept: PAPER[kept]}))


@pytest.mark.parametrize("missing", ["points", "object"])
def test_without_object_the_body_decides(missing, matching):
    frame, target = matching
    if missing == "points":
        target = replace(target, points_px=None, visible=None, points_object=None)
    else:
        frame = replace(frame, object_position=None, object_rotation=None)
    assert not failed(frame, target, BOUNDS)
    assert failed(replace(frame, tips=frame.tips + 1.0), target, BOUNDS)


@pytest.mark.parametrize("rows", [BOUNDS, NONE], ids=["bounds", "none"])
@pytest.mark.parametrize("field", ["position", "object_position"])
def test_what_is_no_number_has_failed(field, rows, matching):
    """A diverged simulation compares false with every bound; it must not count as alive."""
    frame, target = matching
    broken = replace(frame, **{field: jnp.full_like(getattr(frame, field), jnp.nan)})
    assert failed(broken, target, rows)


@pytest.mark.parametrize(("height", "ends"), [(0.301, False), (0.299, True)])
def test_height_of_the_pelvis(height, ends, matching):
    frame, target = matching
    frame = replace(frame, position=frame.position.at[0, 2].set(height))
    assert bool(failed(frame, target, bounds(pelvis_height=0.3))) is ends
    assert not failed(frame, target, NONE)


@pytest.mark.parametrize(("metres", "ends"), [(0.499, False), (0.501, True)])
def test_mean_of_the_object_points_in_space(metres, ends, matching):
    frame, target = matching
    moved = replace(frame, object_position=frame.object_position + jnp.asarray(AWAY * metres, jnp.float32))
    assert bool(failed(moved, target, bounds(object_distance=0.5))) is ends


@pytest.mark.parametrize(("metres", "ends"), [(0.99, False), (1.01, True)])
def test_change_of_the_vectors_between_joint_and_object(metres, ends, matching):
    """All joints within half a metre of all points: a shift of twice that half metre is the bound."""
    frame, target = matching
    near = jnp.broadcast_to(target.object_position, (52, 3))
    frame, target = replace(frame, position=near), replace(target, position=near)
    moved = replace(frame, object_position=frame.object_position + jnp.asarray(AWAY * metres, jnp.float32))
    assert bool(failed(moved, target, bounds(interaction=2.0))) is ends
    assert not failed(frame, target, bounds(interaction=2.0))


def test_a_hand_may_be_silent_for_so_many_steps(matching):
    frame, target = matching
    contact = bounds(steps_without_contact=10.0)
    quiet, felt = jnp.zeros((2, 16)), jnp.zeros((2, 16)).at[1, 3].set(0.2)
    target = replace(target, contact=jnp.array([0.0, 1.0]))
    silent = jnp.zeros(2, jnp.int32)
    for step in range(1, 12):
        silent = count_untouched(silent, replace(frame, contact_n=quiet), target)
        assert silent.tolist() == [0, step]  # the left hand should not touch: it may be silent for ever
        assert bool(failed(frame, target, contact, 1.0, silent)) is (step > 10)
    assert count_untouched(silent, replace(frame, contact_n=felt), target).tolist() == [0, 0]
