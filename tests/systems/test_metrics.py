"""Scores of rollouts with known errors are known numbers."""

from dataclasses import replace

import numpy as np
import pytest

from devi_jax.core import rotations as rot
from devi_jax.core.frame import Frame
from devi_jax.systems.metrics import score, summary
from devi_jax.systems.rollouts import Rollouts
from envs.reference import Reference

T, FPS = 61, 30.0
STILL = np.tile([1.0, 0.0, 0.0, 0.0], (T, 1))


@pytest.fixture
def reference() -> Reference:
    """A standing human and an object that rises 0.3 m in the second half, touched by the right hand from then on."""
    position = np.tile(np.random.default_rng(0).normal(size=(52, 3)) * 0.3 + [0, 0, 1], (T, 1, 1))
    height = 0.8 + 0.3 * np.clip(np.arange(T) - T // 2, 0, None) / (T - 1 - T // 2)
    contact = np.stack([np.zeros(T), np.arange(T) > T // 2], axis=1)
    unused = dict.fromkeys(
        ("local", "angular", "rotation", "linear_velocity", "angular_velocity", "tips", "target", "target_root")
    )
    return Reference(
        **unused,  # type: ignore[arg-type]
        position=position,  # type: ignore[arg-type]
        contact=contact,  # type: ignore[arg-type]
        object_start=None,
        points_px=None,
        visible=None,
        points_object=None,
        view=None,
        object_position=np.stack([np.zeros(T), np.full(T, 0.4), height], axis=1),  # type: ignore[arg-type]
        object_rotation=STILL,  # type: ignore[arg-type]
    )


def rollouts(reference: Reference, count: int = 1) -> Rollouts:
    """`count` perfect rollouts."""

    def batched(x):
        return np.repeat(np.asarray(x)[:, None], count, axis=1)

    force = np.zeros((T, count, 2, 16))
    force[:, :, 1, 3] = 1.0
    frame = Frame(
        position=batched(reference.position),  # type: ignore[arg-type]
        rotation=None,  # type: ignore[arg-type]
        linear_velocity=None,  # type: ignore[arg-type]
        angular_velocity=None,  # type: ignore[arg-type]
        tips=None,  # type: ignore[arg-type]
        contact_n=force,  # type: ignore[arg-type]
        power_w=None,  # type: ignore[arg-type]
        object_position=batched(reference.object_position),  # type: ignore[arg-type]
        object_rotation=batched(reference.object_rotation),  # type: ignore[arg-type]
        object_linear_velocity=None,
        object_angular_velocity=None,
    )
    return Rollouts(frame, None, np.ones((T, count)), np.ones((T, count), bool))  # type: ignore[arg-type]


def changed(made: Rollouts, **fields) -> Rollouts:
    """The rollouts with some of the frame's arrays replaced."""
    return replace(made, frames=replace(made.frames, **fields))


def test_perfect_rollout(reference):
    (s,) = score(rollouts(reference), reference, FPS)
    assert (s.mpjpe_all_mm, s.t_root_mm, s.t_obj_mm) == (0.0, 0.0, 0.0)
    assert s.success_paper and s.success_tight and s.success_intermimic
    assert s.duration_s == pytest.approx((T - 1) / FPS)
    assert s.lift_ratio == pytest.approx(1.0) and s.contact_share == 1.0 and s.alive_share == 1.0


def test_shift_of_the_whole_body_is_seen_in_the_world_and_not_from_the_root(reference):
    made = rollouts(reference)
    made = changed(made, position=made.frames.position + np.array([0.03, 0.0, 0.04]))
    (s,) = score(made, reference, FPS)
    assert (s.mpjpe_all_mm, s.t_root_mm) == (pytest.approx(50.0), pytest.approx(50.0))
    assert s.mpjpe_all_root_relative_mm == pytest.approx(0.0, abs=1e-9)


def test_body_and_hand_are_weighed_by_their_joints(reference):
    made = rollouts(reference)
    position = made.frames.position.copy()
    position[:, :, 22:, 0] += 0.052
    (s,) = score(changed(made, position=position), reference, FPS)
    assert (s.mpjpe_body_mm, s.mpjpe_hand_mm) == (pytest.approx(0.0), pytest.approx(52.0))
    assert s.mpjpe_all_mm == pytest.approx(30.0)


@pytest.mark.parametrize(
    ("shift_m", "turn_rad", "paper", "tight"),
    [(0.09, 0.8, True, True), (0.11, 0.0, True, False), (0.05, 1.0, True, False), (0.21, 0.0, False, False)],
)
def test_both_success_thresholds(reference, shift_m, turn_rad, paper, tight):
    made = rollouts(reference)
    turn = np.broadcast_to(rot.quat_exp(np.array([0.0, 0.0, turn_rad])), made.frames.object_rotation.shape)
    made = changed(made, object_position=made.frames.object_position + [shift_m, 0, 0], object_rotation=turn)
    (s,) = score(made, reference, FPS)
    assert s.t_obj_mm == pytest.approx(1e3 * shift_m) and s.o_obj_rad == pytest.approx(turn_rad)
    assert (s.success_paper, s.success_tight) == (paper, tight)


def test_lift_ratio_counts_the_height_at_the_end_not_the_best(reference):
    made = rollouts(reference)
    where = made.frames.object_position.copy()
    where[-10:, :, 2] = 0.8  # dropped near the end
    (s,) = score(changed(made, object_position=where), reference, FPS)
    assert s.lift_ratio == pytest.approx(0.0) and s.success_paper
    assert summary([s])["success_lift_rate"] == 0.0 and summary([s])["success_rate"] == 1.0


def test_duration_ends_where_the_object_is_lost_or_the_human_falls(reference):
    made = rollouts(reference, 2)
    where, position = made.frames.object_position.copy(), made.frames.position.copy()
    where[15:, 0, 0] += 0.6
    position[30:, 1, 0, 2] = 0.1
    lost, fallen = score(changed(made, object_position=where, position=position), reference, FPS)
    assert lost.duration_s == pytest.approx(0.5) and fallen.duration_s == pytest.approx(1.0)
    assert not lost.success_intermimic and not fallen.success_intermimic


def test_what_is_not_finite_is_a_failure_of_one_metre(reference):
    made = rollouts(reference)
    position = np.full_like(made.frames.position, np.nan)
    (s,) = score(changed(made, position=position), reference, FPS)
    assert s.mpjpe_all_mm == pytest.approx(1000.0) and not s.success_paper and s.duration_s == 0.0


def test_contact_share_counts_the_wanted_hand_only(reference):
    made = rollouts(reference)
    force = np.zeros_like(made.frames.contact_n)
    force[:, :, 0] = 1.0  # the left hand touches, the right should
    (s,) = score(changed(made, contact_n=force), reference, FPS)
    assert s.contact_share == 0.0
