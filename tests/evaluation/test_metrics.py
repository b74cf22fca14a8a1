"""The paper's numbers from rollouts with errors known beforehand: millimetres, thresholds, durations, lift, NaN."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from devi_jax.evaluation.metrics import score, summary
from envs.tracking.reference import Reference
from tests.evaluation.following import FPS, T, changed, one, perfect, wandering


@pytest.fixture
def reference(rng) -> Reference:
    return wandering(rng)


def test_a_perfect_rollout_has_no_error(reference):
    scores = one(perfect(reference), reference)
    assert scores.success and scores.parity
    assert scores.success_paper and scores.success_tight and scores.success_intermimic
    zero = ("body", "hand", "all", "all_root_relative")
    assert [getattr(scores, f"mpjpe_{k}_mm") for k in zero] == pytest.approx([0] * 4, abs=1e-3)
    assert (scores.t_root_mm, scores.t_obj_mm, scores.o_obj_rad) == (0, 0, 0)
    assert scores.duration_s == pytest.approx(2.0)
    assert scores.lift_ratio == pytest.approx(1.0) and scores.contact_share == 1.0 and scores.alive_share == 1.0


def test_body_and_hand_errors_are_means_over_their_joints(reference):
    """Every body joint 30 mm away, every finger joint 50 mm: 22 and 30 of 52."""
    rollouts = perfect(reference)
    shift = jnp.where(jnp.arange(52)[:, None] < 22, jnp.array([0, 0.03, 0]), jnp.array([0.03, 0, 0.04]))
    scores = one(changed(rollouts, position=rollouts.frames.position + shift), reference)
    assert scores.mpjpe_body_mm == pytest.approx(30, rel=1e-4)
    assert scores.mpjpe_hand_mm == pytest.approx(50, rel=1e-4)
    assert scores.mpjpe_all_mm == pytest.approx((22 * 30 + 30 * 50) / 52, rel=1e-4)
    assert scores.t_root_mm == pytest.approx(30, rel=1e-4)
    # seen from the root, the body is right and the hands are off by the difference of the two shifts
    wanted = 30 * np.linalg.norm([30, -30, 40]) / 52
    assert scores.mpjpe_all_root_relative_mm == pytest.approx(wanted, rel=1e-4)


def test_errors_are_means_over_time_of_distances_not_of_vectors(reference):
    """20 mm to one side and then to the other is 20 mm, not zero."""
    rollouts = perfect(reference)
    sign = jnp.where(jnp.arange(T) % 2 == 0, 1.0, -1.0)[:, None, None, None]
    swing = rollouts.frames.position + sign * jnp.array([0.02, 0, 0])
    assert one(changed(rollouts, position=swing), reference).mpjpe_all_mm == pytest.approx(20, rel=1e-4)


def test_object_errors(reference):
    rollouts = perfect(reference)
    turned = Rotation.from_rotvec([0.0, 0.6, 0.0]).as_quat(scalar_first=True)
    half = jnp.where(jnp.arange(T)[:, None, None] < 30, jnp.array([1.0, 0, 0, 0]), jnp.asarray(turned))
    scores = one(
        changed(
            rollouts,
            object_position=rollouts.frames.object_position + jnp.array([0.03, -0.04, 0.0]),
            object_rotation=jnp.asarray(half, jnp.float32),
        ),
        reference,
    )
    assert scores.t_obj_mm == pytest.approx(50, rel=1e-4)
    assert scores.o_obj_rad == pytest.approx(0.6 * 31 / 61, rel=1e-4)


@pytest.mark.parametrize(
    ("human_m", "object_m", "turn_rad", "paper", "tight"),
    [
        (0.099, 0.0, 0.0, True, True),
        (0.101, 0.0, 0.0, True, False),
        (0.199, 0.0, 0.0, True, False),
        (0.201, 0.0, 0.0, False, False),
        (0.0, 0.099, 0.0, True, True),
        (0.0, 0.101, 0.0, True, False),
        (0.0, 0.199, 0.0, True, False),
        (0.0, 0.201, 0.0, False, False),
        (0.0, 0.0, 0.89, True, True),
        (0.0, 0.0, 0.91, True, False),
        (0.0, 0.0, 3.0, True, False),  # section 5.1 bounds no rotation
    ],
)
def test_both_sets_of_thresholds(human_m, object_m, turn_rad, paper, tight, reference):
    rollouts = perfect(reference)
    about = jnp.asarray(Rotation.from_rotvec([0, 0, turn_rad]).as_quat(scalar_first=True), jnp.float32)
    scores = one(
        changed(
            rollouts,
            position=rollouts.frames.position + jnp.array([human_m, 0, 0]),
            object_position=rollouts.frames.object_position + jnp.array([0, object_m, 0]),
            object_rotation=jnp.broadcast_to(about, rollouts.frames.object_rotation.shape),
        ),
        reference,
    )
    assert (scores.success_paper, scores.success_tight) == (paper, tight)


@pytest.mark.parametrize("what", ["human", "object", "fall"])
def test_intermimics_duration_ends_where_it_first_fails(what, reference):
    rollouts = perfect(reference)
    late = (jnp.arange(T) == 45)[:, None, None]
    position, thing = rollouts.frames.position, rollouts.frames.object_position
    if what == "human":
        position = position + jnp.where(late[..., None], jnp.array([0.51, 0, 0]), 0)
    elif what == "object":
        thing = thing + jnp.where(late, jnp.array([0.51, 0, 0]), 0)
    else:
        position = jnp.where(late[..., None] & (jnp.arange(52) == 0)[:, None], jnp.array([0, 0, 0.149]), position)
    scores = one(changed(rollouts, position=position, object_position=thing), reference)
    assert not scores.success_intermimic
    assert scores.duration_s == pytest.approx(45 / 30)


@pytest.mark.parametrize("what", ["human", "object", "fall"])
def test_intermimic_goes_on_just_within_its_bounds(what, reference):
    rollouts = perfect(reference)
    position, thing = rollouts.frames.position, rollouts.frames.object_position
    if what == "human":
        position = position + jnp.array([0.49, 0, 0])
    elif what == "object":
        thing = thing + jnp.array([0.49, 0, 0])
    else:
        position = position.at[:, :, 0, 2].set(0.151)
    scores = one(changed(rollouts, position=position, object_position=thing), reference)
    assert scores.success_intermimic and scores.duration_s == pytest.approx(2.0)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9, 1.2])
def test_lift_is_the_height_gained_over_the_height_wanted(share, reference):
    rollouts = perfect(reference)
    gained = (rollouts.frames.object_position - rollouts.frames.object_position[:1]) * share
    lifted = rollouts.frames.object_position[:1] + gained
    assert one(changed(rollouts, object_position=lifted), reference).lift_ratio == pytest.approx(share, abs=1e-5)


def test_lift_counts_at_the_end_not_at_its_best(reference):
    """Lifted well, and dropped in the last frame."""
    rollouts = perfect(reference)
    dropped = rollouts.frames.object_position.at[-1, :, 2].set(0.8)
    assert one(changed(rollouts, object_position=dropped), reference).lift_ratio == pytest.approx(0.0, abs=1e-6)


def test_lift_of_a_clip_that_puts_the_object_down_again_counts_while_it_is_up(reference):
    height = np.asarray(reference.object_position[:, 2]).copy()
    height[50:] = np.linspace(1.0, 0.8, T - 50)
    down = replace(reference, object_position=reference.object_position.at[:, 2].set(jnp.asarray(height)))
    assert one(perfect(down), down).lift_ratio == pytest.approx(1.0)
    left = perfect(down)
    still = jnp.broadcast_to(left.frames.object_position[:1], left.frames.object_position.shape)
    assert one(changed(left, object_position=still), down).lift_ratio == pytest.approx(0.0)


def test_a_clip_without_lift_has_no_lift_ratio(reference):
    flat = replace(reference, object_position=reference.object_position.at[:, 2].set(0.8))
    assert one(perfect(flat), flat).lift_ratio is None


def test_contact_share_counts_the_frames_that_want_contact(reference):
    """31 frames want the right hand; it feels the object in every other of them, and the left hand's do not count."""
    rollouts = perfect(reference)
    force = rollouts.frames.contact_n.at[30::2, :, 1].set(0.0).at[:, :, 0, 5].set(3.0)
    assert one(changed(rollouts, contact_n=force), reference).contact_share == pytest.approx(15 / 31)
    nothing = replace(reference, contact=jnp.zeros((T, 2)))
    assert one(perfect(nothing), nothing).contact_share is None


def test_what_is_no_number_counts_as_a_metre_and_half_a_turn(reference):
    rollouts = perfect(reference)
    late = jnp.arange(T) >= 31
    frames = {
        "position": jnp.where(late[:, None, None, None], jnp.nan, rollouts.frames.position),
        "object_position": jnp.where(late[:, None, None], jnp.nan, rollouts.frames.object_position),
        "object_rotation": jnp.where(late[:, None, None], jnp.nan, rollouts.frames.object_rotation),
    }
    scores = one(changed(rollouts, **frames), reference)
    bad = 30 / 61
    for name in ("body", "hand", "all", "all_root_relative"):
        assert getattr(scores, f"mpjpe_{name}_mm") == pytest.approx(1000 * bad, rel=1e-4)
    assert scores.t_obj_mm == pytest.approx(1000 * bad, rel=1e-4)
    assert scores.o_obj_rad == pytest.approx(np.pi * bad, rel=1e-4)
    assert not scores.success_paper and not scores.success_intermimic
    assert scores.duration_s == pytest.approx(31 / 30) and scores.lift_ratio == 0.0


def test_without_object_poses_the_human_alone_decides(reference):
    blind = replace(reference, object_position=None, object_rotation=None)
    scores = one(perfect(reference), blind)
    assert (scores.t_obj_mm, scores.o_obj_rad, scores.lift_ratio) == (None, None, None)
    assert scores.success_paper and scores.success_tight
    far = perfect(reference)
    far = changed(far, position=far.frames.position + 0.3)
    assert not one(far, blind).success_paper


def test_rollouts_are_scored_one_by_one(reference):
    rollouts = perfect(reference, count=3)
    shift = jnp.array([0.0, 0.15, 0.4])[None, :, None, None] * jnp.array([1.0, 0, 0])
    scores = score(changed(rollouts, position=rollouts.frames.position + shift), reference, FPS)
    assert [s.mpjpe_all_mm for s in scores] == pytest.approx([0, 150, 400], rel=1e-4, abs=1e-3)
    assert [s.success_paper for s in scores] == [True, True, False]
    out = summary(scores)
    assert out["rollouts"] == 3
    assert out["success_rate"] == out["success_rate_paper"] == pytest.approx(2 / 3)
    assert out["parity_rate"] == pytest.approx(1 / 3)
    assert out["success_rate_tight"] == pytest.approx(1 / 3)
    assert out["mpjpe_all_mm"] == pytest.approx(550 / 3, rel=1e-4)


def test_alive_share_is_that_of_the_frames(reference):
    rollouts = perfect(reference)
    alive = jnp.arange(T)[:, None] < 20
    assert one(replace(rollouts, alive=alive), reference).alive_share == pytest.approx(20 / 61)


def test_means_of_what_some_rollouts_lack_are_none(reference):
    flat = replace(reference, object_position=reference.object_position.at[:, 2].set(0.8))
    out = summary(score(perfect(flat, count=2), flat, FPS))
    assert out["lift_ratio"] is None and out["success_rate"] == 1.0


def test_placed_is_measured_from_the_target_wherever_that_went(reference):
    """A tray that is pushed and turned, with the object on it; one that stays while the object is elsewhere."""
    released = replace(reference, contact=reference.contact.at[-5:].set(0.0))
    played = perfect(released, 3)
    turn = Rotation.from_euler("z", 90, degrees=True)
    tray = np.tile([0.0, 0.3, 0.7, 1.0, 0.0, 0.0, 0.0], (T, 3, 1))
    tray[-1, 0, :3] += [0.3, 0.0, 0.0]
    tray[-1, 0, 3:] = np.roll(turn.as_quat(), 1)
    away = np.asarray(released.object_position)[-1] - [0.0, 0.3, 0.7]
    thing = np.array(played.frames.object_position)
    thing[-1, 0] = tray[-1, 0, :3] + turn.apply(away)
    thing[-1, 1] += [0.0, 0.06, 0.0]
    played = replace(changed(played, object_position=jnp.asarray(thing)), target=jnp.asarray(tray))
    assert [s.placed for s in score(played, released, FPS)] == [True, False, True]
    assert summary(score(played, released, FPS))["placed_rate"] == pytest.approx(2 / 3)
    assert one(perfect(released), released).placed is None  # no target
    assert [s.placed for s in score(played, reference, FPS)] == [None] * 3  # still held
