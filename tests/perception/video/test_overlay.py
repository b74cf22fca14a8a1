"""What is drawn where: bones through their joints, points where they are visible, bars over time."""

from dataclasses import replace

import numpy as np
import pytest

from devi_jax.core.camera import frontal, project
from devi_jax.core.clip import Clip, ObjectTracks
from devi_jax.core.errors import ClipError
from devi_jax.core.skeleton import HAND_BODIES, INDEX, JOINTS, PARENTS
from perception.video.overlay import BODY, FREE, HANDS, POINT, bar_rows, overlay

T, WIDTH, HEIGHT = 4, 512, 288
POINTS = np.array([[40.5, 60.5], [90.5, 60.5]])


@pytest.fixture
def clip(rng) -> Clip:
    """A human all over the picture, two points of which one hides, a right hand that touches in the second half."""
    camera = frontal(width=WIDTH, height=HEIGHT)
    positions = np.broadcast_to(rng.uniform(-0.3, 0.3, (len(JOINTS), 3)) + [0, 0, 1.0], (T, len(JOINTS), 3)).copy()
    rotations = np.zeros((T, len(JOINTS), 4))
    rotations[..., 0] = 1
    contact = np.zeros((T, 2))
    contact[T // 2 :, 1] = 1
    visible = np.broadcast_to([True, False], (T, 2)).copy()
    tracks = ObjectTracks(np.broadcast_to(POINTS, (T, 2, 2)).copy(), visible, np.zeros((2, 3)), np.arange(2))
    return Clip("c", 30.0, rotations, positions, contact, camera=camera, object_tracks=tracks)


def drawn(clip: Clip, frames: int = T) -> list[np.ndarray]:
    return list(overlay([np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * frames, clip))


def test_every_bone_of_the_body_is_where_its_joints_are_seen(clip):
    positions = clip.joint_positions.copy()
    positions[:, HAND_BODIES[0][1:] + HAND_BODIES[1][1:]] += [0.0, 50.0, 0.0]  # fingers behind the camera
    image = drawn(replace(clip, object_tracks=None, joint_positions=positions))[0]
    assert clip.camera is not None
    px, _ = project(clip.joint_positions[0], clip.camera.K, clip.camera.T_camera_world)
    for name in ("left_knee", "spine2", "right_elbow", "right_wrist"):
        i = INDEX[name]
        x, y = np.floor((px[i] + px[PARENTS[i]]) / 2).astype(int)
        patch = image[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3)
        assert (np.abs(patch.astype(int) - BODY).max(axis=1) < 60).any(), name


def test_fingers_have_their_hands_colour(clip):
    image = drawn(replace(clip, object_tracks=None))[0][: bar_rows(HEIGHT, 0)[0]]
    assert all((image == colour).all(axis=-1).any() for colour in HANDS)


def test_only_visible_points_are_drawn(clip):
    nobody = replace(clip, joint_positions=clip.joint_positions + [0.0, 50.0, 0.0])  # behind the camera
    image = drawn(nobody)[0]
    np.testing.assert_array_equal(image[60, 40], POINT)
    assert not image[50:70, 80:100].any()
    assert (image == POINT).all(axis=-1).sum() < 40


def test_bars_show_the_labels_over_time_and_where_the_film_is(clip):
    images = drawn(clip)
    for side in (0, 1):
        top, bottom = bar_rows(HEIGHT, side)
        assert 0 < top < bottom < HEIGHT
    row = bar_rows(HEIGHT, 1)[0]
    half, ahead = WIDTH // 2, (np.array(HANDS[1]) * 0.5).astype(np.uint8)
    np.testing.assert_array_equal(images[0][row, half + 1], ahead)
    np.testing.assert_array_equal(images[-1][row, half + 1], HANDS[1])
    np.testing.assert_array_equal(images[-1][row, half - 1], FREE)
    assert (images[-1][bar_rows(HEIGHT, 0)[0]] == FREE).all()


def test_the_video_itself_is_left_as_it_was(clip):
    frame = np.full((HEIGHT, WIDTH, 3), 7, np.uint8)
    list(overlay([frame], clip))
    assert (frame == 7).all()


def test_what_cannot_be_drawn_is_refused(clip):
    with pytest.raises(ClipError, match="longer than the clip"):
        drawn(clip, T + 1)
    with pytest.raises(ClipError, match="without a camera"):
        drawn(replace(clip, camera=None))
