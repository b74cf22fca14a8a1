"""A textured square that leaves its place with a hand is found; what the hand only passes is not."""

import numpy as np
import pytest

from perception.contracts import EstimateError
from perception.scene.box_mask import mask_in_box, whole_piece
from perception.scene.moved_thing import Box, FilmMotion, box_of, find_moved_thing, taken_from

FPS, SIDE, LEAVES = 30.0, 44, 15
PLACE = (200, 150)
"""Column and row of the thing's corner."""


def scene(textured, shift: int, hand: tuple[int, int] | None, thing: bool = True) -> np.ndarray:
    """A picture 480 x 320: ground, a still card, the thing `shift` pixels up, a plain hand over all."""
    out = np.full((320, 480, 3), 190, np.uint8)
    out[40:100, 60:140] = textured(80, 60, 3)
    if thing:
        x, y = PLACE[0], PLACE[1] - shift
        out[y : y + SIDE, x : x + SIDE] = np.clip(2 * (textured(SIDE, SIDE, 7).astype(int) - 100), 0, 160)
    if hand is not None:
        out[max(0, hand[1]) : hand[1] + 40, max(0, hand[0]) : hand[0] + 50] = (220, 170, 150)
    return out


def points(hand: tuple[int, int]) -> np.ndarray:
    """21 points of a hand whose wrist is at the right of its square of 50 x 40 pixels."""
    along, across = np.linspace(50, 0, 21), np.tile([0.0, 20, 40], 7)
    return np.stack([hand[0] + along, hand[1] + across], axis=1)


@pytest.fixture
def film(textured):
    """The hand passes the card, comes to the thing, takes it up from frame `LEAVES` on; with its points (T, 21, 2)."""
    motion, hands = FilmMotion(), []
    for t in range(30):
        shift = 2 * max(0, t - LEAVES)
        at = (420 - 12 * min(t, LEAVES), 170 - shift)
        motion.add(scene(textured, shift, at))
        hands.append(points(at))
    return motion, np.array(hands)


def test_the_thing_is_found_where_it_stood_as_it_leaves(film):
    motion, hands = film
    found = find_moved_thing(motion, [hands, np.full_like(hands, np.nan)], FPS)
    assert abs(found.taken - LEAVES) <= 4
    assert [found.box.x, found.box.y] == pytest.approx(PLACE, abs=8)
    assert [found.box.width, found.box.height] == pytest.approx([SIDE, SIDE], abs=12)


def test_a_thing_whose_place_is_given_leaves_at_the_same_time(film):
    motion, _ = film
    mask = np.zeros((320, 480), bool)
    mask[PLACE[1] : PLACE[1] + SIDE, PLACE[0] : PLACE[0] + SIDE] = True
    assert abs(taken_from(motion, mask, FPS) - LEAVES) <= 4


def test_what_stays_is_refused_and_so_is_a_hand_that_takes_nothing(textured):
    motion, hands = FilmMotion(), []
    for t in range(20):
        at = (420 - 12 * t, 230)
        motion.add(scene(textured, 0, at))
        hands.append(points(at))
    with pytest.raises(EstimateError, match="nothing is seen that a hand takes away"):
        find_moved_thing(motion, [np.array(hands)], FPS)
    card = np.zeros((320, 480), bool)
    card[40:100, 60:140] = True
    with pytest.raises(EstimateError, match="stays where it is"):
        taken_from(motion, card, FPS)


def test_a_box_grows_scales_and_is_cut_at_the_picture():
    box = Box(10, 20, 40, 20)
    assert box.grown(0.5) == Box(-10, 0, 80, 60)
    assert box.scaled(2) == Box(20, 40, 80, 40)
    assert box.grown(0.5).slices(50, 60) == (slice(0, 50), slice(0, 60))
    mask = np.zeros((50, 60), bool)
    mask[5:9, 7:10] = True
    assert box_of(mask) == Box(7, 5, 3, 4)


def test_the_cut_follows_the_thing_also_beyond_a_box_that_is_too_small(textured):
    image = scene(textured, 0, None, thing=False)
    y, x = np.mgrid[:320, :480]
    disc = (x - 240) ** 2 + (y - 180) ** 2 < 40**2
    image[disc] = (150, 30, 40)
    whole = mask_in_box(image, Box(195, 135, 90, 90))
    assert (whole & disc).sum() / (whole | disc).sum() > 0.95
    part = Box(195, 135, 90, 55)
    grown = mask_in_box(image, part, beyond=True)
    assert (grown & disc).sum() / (grown | disc).sum() > 0.93


def test_a_box_beside_the_picture_or_on_plain_ground_is_refused(textured):
    image = scene(textured, 0, None, thing=False)
    with pytest.raises(EstimateError, match="no part of the picture"):
        mask_in_box(image, Box(900, 20, 50, 50))
    with pytest.raises(EstimateError, match="no thing stands out"):
        mask_in_box(image, Box(300, 200, 80, 80))


def test_a_whole_piece_has_no_holes_and_no_islands():
    mask = np.zeros((60, 60), bool)
    mask[10:40, 10:40] = True
    mask[20:25, 20:25] = False
    mask[50:55, 50:55] = True
    assert whole_piece(mask).sum() == 900
