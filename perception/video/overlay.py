"""What was recovered, drawn over the video: skeleton, hands, object points, and a bar of contact for each hand."""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from devi_jax.core.camera import project
from devi_jax.core.clip import Clip
from devi_jax.core.errors import ClipError
from devi_jax.core.skeleton import HAND_BODIES, PARENTS

Colour = tuple[int, int, int]

BODY: Colour = (240, 200, 60)
HANDS: tuple[Colour, Colour] = ((70, 150, 255), (255, 90, 60))
"""Left and right."""
POINT: Colour = (60, 255, 90)
FREE: Colour = (60, 60, 60)

BAR_PART, BAR_GAP_PART = 1 / 48, 1 / 96
"""Height of a contact bar, and of what is between two, over the picture's."""

SHIFT = 4
"""OpenCV draws at sixteenths of a pixel, counted from the centre of the first pixel."""


def overlay(frames: Iterable[np.ndarray], clip: Clip) -> Iterator[np.ndarray]:
    """The frames, uint8 RGB (H, W, 3), with the clip's human, object points and contact labels drawn over them.

    Raises:
        ClipError: the clip has no camera, or there are more frames than it has.
    """
    if clip.camera is None:
        raise ClipError("a clip without a camera cannot be drawn", where=clip.name, valid="a clip with its camera")
    joints, depth = project(clip.joint_positions, clip.camera.K, clip.camera.T_camera_world)
    tracks = clip.object_tracks
    for t, frame in enumerate(frames):
        if t >= clip.frames:
            raise ClipError(f"the video is longer than the clip's {clip.frames} frames", where=clip.name)
        out = np.ascontiguousarray(frame).copy()
        draw_skeleton(out, joints[t], depth[t] > 0)
        if tracks is not None:
            draw_points(out, tracks.points_px[t][tracks.visible[t]])
        draw_bars(out, clip.contact, t)
        yield out


def draw_skeleton(image: np.ndarray, px: np.ndarray, before: np.ndarray) -> None:
    """Bones between joints (52, 2) that are before (52,) the camera, into the image; hands in colours of their own."""
    body, hand = max(1, round(image.shape[0] / 200)), max(1, round(image.shape[0] / 400))
    for i, parent in enumerate(PARENTS):
        if parent >= 0 and before[i] and before[parent]:
            finger = [side for side in (0, 1) if i in HAND_BODIES[side][1:]]
            colour, width = (HANDS[finger[0]], hand) if finger else (BODY, body)
            cv2.line(image, _at(px[parent]), _at(px[i]), colour, width, cv2.LINE_AA, SHIFT)


def draw_points(image: np.ndarray, px: np.ndarray) -> None:
    """Points (N, 2) into the image."""
    radius = max(1.0, image.shape[0] / 280)
    for point in px:
        cv2.circle(image, _at(point), round(radius * 2**SHIFT), POINT, -1, cv2.LINE_AA, SHIFT)


def draw_bars(image: np.ndarray, contact: np.ndarray, now: int) -> None:
    """Labels (T, 2) over time along the lower edge, left above right; what is to come is half as bright."""
    for side in (0, 1):
        top, bottom = bar_rows(image.shape[0], side)
        frame = np.arange(image.shape[1]) * len(contact) // image.shape[1]
        held = contact[frame, side, None] > 0.5
        colour = np.where(held, HANDS[side], FREE) * np.where(frame[:, None] <= now, 1.0, 0.5)
        image[top:bottom] = colour.astype(np.uint8)


def bar_rows(height: int, side: int) -> tuple[int, int]:
    """First and last row, exclusive, of a hand's bar."""
    bar, gap = max(2, round(height * BAR_PART)), max(1, round(height * BAR_GAP_PART))
    bottom = height - gap - (1 - side) * (bar + gap)
    return bottom - bar, bottom


def _at(px: np.ndarray) -> tuple[int, int]:
    x, y = np.clip(np.round((px - 0.5) * 2**SHIFT), -(2**20), 2**20).astype(int)
    return int(x), int(y)
