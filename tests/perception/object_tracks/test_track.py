"""A textured square that moves, turns and is covered, before a textured room: where the tracks say it is."""

import cv2
import numpy as np
import pytest

from perception.contracts.checks import EstimateError
from perception.object_tracks.match import Match
from perception.object_tracks.template import (
    apply_transform,
    compose_transforms,
    gray,
    invert_transform,
    make_template,
    warped,
)
from perception.object_tracks.track import TrackConfig, beside_match, bridge_gaps, track_points

WIDTH, HEIGHT, SIDE = 240, 180, 48
CORNER = np.array([60.0, 70.0])


def turned(angle: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    """The similarity (2, 3) about the middle of the square in the first frame."""
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    turn, middle = np.array([[c, -s], [s, c]]), CORNER + SIDE / 2
    return np.column_stack([turn, middle - turn @ middle + shift])


def draw(room: np.ndarray, thing: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """The square `thing` (S, S, 3) at `motion` (2, 3) before the room."""
    place = compose_transforms(motion, np.array([[1.0, 0, CORNER[0]], [0, 1, CORNER[1]]]))
    back = invert_transform(place)
    size = (room.shape[1], room.shape[0])
    flags = cv2.INTER_CUBIC
    centred = invert_transform(back)
    centred[:, 2] += centred[:, :2] @ [0.5, 0.5] - 0.5
    drawn = cv2.warpAffine(thing, centred, size, flags=flags)
    cover = cv2.warpAffine(np.ones(thing.shape[:2], np.float32), centred, size, flags=cv2.INTER_LINEAR)
    return (drawn * cover[..., None] + room * (1 - cover[..., None])).astype(np.uint8)


@pytest.fixture
def scene(textured):
    room, thing = (
        textured(WIDTH, HEIGHT, 1),
        cv2.resize(textured(96, 96, 2), (SIDE, SIDE), interpolation=cv2.INTER_AREA),
    )
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[int(CORNER[1]) : int(CORNER[1]) + SIDE, int(CORNER[0]) : int(CORNER[0]) + SIDE] = True
    grid = CORNER + np.stack(np.meshgrid([6.0, 24, 42], [6.0, 24, 42]), axis=-1).reshape(-1, 2)
    return room, thing, inside, grid


def test_points_follow_a_motion_that_turns_and_grows(scene):
    room, thing, inside, points = scene
    motions = [turned(0.04 * t, 1 + 0.01 * t, (3.1 * t, -1.3 * t)) for t in range(10)]
    got = track_points((draw(room, thing, m) for m in motions), 30.0, points, np.arange(9), inside)
    got.validate()
    truth = np.stack([apply_transform(m, points) for m in motions])
    error = np.linalg.norm(got.xy - truth, axis=-1)
    assert np.median(error) < 0.15 and error.max() < 0.6
    assert got.visible.mean() > 0.9 and got.vertex_id.tolist() == list(range(9))


def test_covered_points_are_marked_and_carried(scene):
    room, thing, inside, points = scene
    motions = [turned(0.0, 1.0, (2.0 * t, 0.0)) for t in range(8)]
    frames = [draw(room, thing, m) for m in motions]
    for t in range(4, 8):  # a plain finger over the left third of the square
        left = int(CORNER[0] + 2 * t)
        frames[t][60:130, left - 4 : left + 16] = 210
    got = track_points(frames, 30.0, points, np.arange(9), inside)
    left, right = points[:, 0] < CORNER[0] + 10, points[:, 0] > CORNER[0] + 30
    assert not got.visible[4:, left].any() and got.visible[:, right].all() and got.visible[:4].all()
    truth = np.stack([apply_transform(m, points) for m in motions])
    assert np.linalg.norm(got.xy - truth, axis=-1).max() < 0.6


def test_an_object_that_was_hidden_is_found_where_it_comes_out(scene):
    room, thing, inside, points = scene
    motions = [turned(0.0, 1.0, (0.0, 0.0))] * 2 + [turned(0.3, 1.1, (95.0, 10.0))] * 3
    frames = [draw(room, thing, m) for m in motions]
    hidden = room.copy()
    got = track_points([*frames[:2], hidden, hidden, *frames[2:]], 30.0, points, np.arange(9), inside)
    assert not got.visible[2:4].any() and got.visible[5:].mean() > 0.8
    assert np.linalg.norm(got.xy[5:] - apply_transform(motions[-1], points), axis=-1).max() < 0.8
    # while it is hidden, points are on the way from where it went to where it came out
    np.testing.assert_array_less(got.xy[1, :, 0], got.xy[2, :, 0])
    np.testing.assert_array_less(got.xy[2, :, 0], got.xy[3, :, 0])


def test_a_plain_object_in_a_plain_room_is_refused(scene):
    _, _, inside, points = scene
    grey = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    with pytest.raises(EstimateError, match="no corner"):
        track_points([grey], 30.0, points, np.arange(9), inside)
    with pytest.raises(EstimateError, match="not in the picture"):
        track_points([grey], 30.0, points, np.arange(9), np.zeros_like(inside))
    with pytest.raises(EstimateError, match="no frames"):
        track_points([], 30.0, points, np.arange(9), inside)


def test_points_that_are_seen_in_the_first_frame_only_are_left_out(scene):
    room, thing, inside, points = scene
    frames = [draw(room, thing, turned(0.0, 1.0, (0.0, 0.0))), *[room.copy()] * 3]
    with pytest.raises(EstimateError, match="visible for long enough"):
        track_points(frames, 30.0, points, np.arange(9), inside, TrackConfig(least_visible=0.5))


def test_a_template_shows_the_picture_enlarged(scene):
    room, thing, inside, _ = scene
    image = gray(draw(room, thing, turned(0.0, 1.0, (0.0, 0.0))))
    template = make_template(image, inside, TrackConfig().template)
    np.testing.assert_allclose(apply_transform(template.to_video, np.zeros((1, 2))), [CORNER - 12])
    assert template.gray.shape == (2 * (SIDE + 24), 2 * (SIDE + 24))
    same = warped(image, np.array([[1.0, 0, 10], [0, 1, 20]]), (30, 40))
    np.testing.assert_array_equal(same, image[20:60, 10:40])
    assert abs(template.inside.sum() - 4 * SIDE**2) < 4 * SIDE


def test_gaps_are_bridged_in_time_and_ends_held():
    a, b = np.zeros((2, 3)), np.full((2, 3), 3.0)
    got = bridge_gaps([None, a, None, None, b, None])
    np.testing.assert_allclose(got[:, 0, 0], [0, 0, 1, 2, 3, 3])


def test_points_near_corners_share_what_these_do_beside_the_common_motion():
    found = Match(np.eye(2, 3), np.zeros((1, 1)), np.zeros((9, 2)), np.full((9, 2), 1.0))
    got = beside_match(found, np.array([[0.0, 0.0], [100.0, 0.0]]), 8.0)
    np.testing.assert_allclose(got, [[0.9, 0.9], [0.0, 0.0]], atol=1e-12)
