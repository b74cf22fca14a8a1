"""When an object moves and which hand was there first, from points whose motion is known."""

import numpy as np
import pytest

from devi_jax.core.skeleton import HAND_BODIES
from perception.contact.contact_labels import ContactConfig
from perception.contact.hand_object_contact import MOVED_PX, find_reach_target, first_motion, hand_labels, held_frames
from perception.contracts import PointTracks
from perception.human.evidence import Landmarks2D

T, ARRIVES, MOVES = 40, 15, 25
SURFACE = np.zeros((1, 3))


def tracks(step_px: float, jitter_px: float = 0.0) -> PointTracks:
    """Five points that rest until `MOVES`, then go up by so many pixels a frame."""
    rng = np.random.default_rng(2)
    start = rng.uniform(480, 520, (5, 2))
    path = np.clip(np.arange(T) - MOVES + 1, 0, None)[:, None, None] * np.array([0.0, -step_px])
    xy = start + path + jitter_px * rng.normal(size=(T, 5, 2))
    seen = np.ones((T, 5), bool)
    ids = np.arange(5)
    return PointTracks(
        fps=30.0, size_px=(1024, 576), xy=xy, visible=seen, conf=seen * 1.0, query_t=0 * ids, vertex_id=ids
    )


def hands(unseen: tuple[int, ...] = ()) -> Landmarks2D:
    """Left hand far away and waving; right hand at the object from `ARRIVES` on, and with it from `MOVES`."""
    points = tuple(HAND_BODIES[0]) + tuple(HAND_BODIES[1])
    px = np.zeros((T, len(points), 2))
    half = len(points) // 2
    frame = np.arange(T)[:, None, None]
    px[:, :half] = [100.0, 300.0] + frame * np.array([4.0, 0.0])
    reach = np.clip(ARRIVES - frame, 0, None) * np.array([9.0, 0.0])
    px[:, half:] = [500.0, 500.0] + reach + np.clip(frame - MOVES + 1, 0, None) * np.array([0.0, -4.0])
    confidence = np.ones(px.shape[:2])
    for side in unseen:
        confidence[:, side * half : (side + 1) * half] = 0
    return Landmarks2D(px, confidence, points)


@pytest.mark.parametrize(("step", "late"), [(4.0, 0), (1.5, 1), (0.5, 4)])
def test_an_object_has_moved_when_it_is_far_enough_from_where_it_was(step, late):
    assert first_motion(tracks(step)) == MOVES + late
    assert (late + 1) * step > MOVED_PX >= late * step


def test_jitter_and_one_misplaced_frame_are_no_motion():
    still = tracks(0.0, jitter_px=0.5)
    still.xy[7] += 30.0
    assert first_motion(still) is None
    assert find_reach_target(still, hands(), SURFACE, ("right",)) is None


def test_the_hand_that_rests_at_the_object_before_it_moves_touches_it():
    touch = find_reach_target(tracks(4.0), hands(), SURFACE, (), ContactConfig())
    assert touch is not None and list(touch.hands) == [1]
    assert (touch.onset, touch.moves) == (ARRIVES + 1, MOVES)


def test_the_prompts_hands_count_though_they_are_not_seen():
    labels = hand_labels(tracks(4.0), hands(unseen=(0, 1)))
    assert labels.shape == (T, 2) and not labels.any()
    touch = find_reach_target(tracks(4.0), hands(unseen=(0, 1)), SURFACE, ("left", "right"))
    assert touch is not None and list(touch.hands) == [0, 1] and touch.onset is None


def test_a_hand_that_is_nowhere_seen_holds_nothing():
    labels = hand_labels(tracks(4.0), hands(unseen=(1,)), ContactConfig(hands="both"))
    assert labels[MOVES:, 0].any() and not labels[:, 1].any()


def test_two_hands_of_one_hold_let_go_together_and_one_that_leaves_does_not():
    seen, both = hands(), [0, 1]
    points = tracks(4.0)
    half = seen.px.shape[1] // 2
    seen.px[:, :half] = seen.px[:, half:] - [20.0, 0.0]  # the left hand is beside the right one
    labels = np.zeros((T, 2))
    labels[ARRIVES:, 1] = 1
    labels[ARRIVES : ARRIVES + 5, 0] = 1
    assert held_frames(labels, points, seen, both).sum(axis=0).tolist() == [T - ARRIVES, T - ARRIVES]
    seen.px[30:, :half] += [300.0, 0.0]
    assert np.flatnonzero(held_frames(labels, points, seen, both)[:, 0]).tolist() == [*range(ARRIVES, 30)]
    assert not held_frames(labels, points, seen, [1])[:, 0].any()
