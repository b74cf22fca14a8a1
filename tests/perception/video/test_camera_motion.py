"""Camera motion known in closed form: pans, zooms and turns of a textured wall, with and without someone before it."""

import cv2
import numpy as np
import pytest

from devi_jax.core.errors import VideoError
from perception.video.camera_motion import (
    CameraMotionError,
    camera_motion,
    camera_paths,
    check_first_frame,
    check_steady,
    check_video,
    first_frame_psnr,
)
from perception.video.steady import resized, steadied
from perception.video.video import Video, read, write

T, W, H = 17, 512, 288


def filmed(path, wall: np.ndarray, warp=None, person: np.ndarray | None = None, noise: float = 0.0) -> Video:
    """A wall, 64 px larger than the picture all around, filmed by a camera whose picture moves by `warp(t)` (2, 3)."""
    rng = np.random.default_rng(1)
    frames = []
    for t in range(T):
        shift = np.array([[1.0, 0, -64], [0, 1, -64], [0, 0, 1]])
        camera = np.vstack([np.eye(2, 3) if warp is None else warp(t), [0, 0, 1]])
        picture = cv2.warpPerspective(wall, camera @ shift, (W, H), flags=cv2.INTER_CUBIC)
        if person is not None:
            x, y = 40 + 12 * t, 60 + 5 * t
            picture[y : y + person.shape[0], x : x + person.shape[1]] = person[: H - y, : W - x]
        noisy = picture + noise * rng.standard_normal(picture.shape)
        frames.append(noisy.round().clip(0, 255).astype(np.uint8))
    return write(path, frames, 16, crf=18)


def similarity(shift=(0.0, 0.0), zoom: float = 1.0, degrees: float = 0.0) -> np.ndarray:
    """About the middle of the picture."""
    matrix = cv2.getRotationMatrix2D((W / 2, H / 2), -degrees, zoom)
    return matrix + np.array([[0, 0, shift[0]], [0, 0, shift[1]]])


@pytest.fixture
def wall(textured):
    return textured(W + 128, H + 128)


def test_a_camera_on_a_tripod_stands_still(tmp_path, wall):
    motion = check_steady(filmed(tmp_path / "v.mp4", wall, noise=4.0))
    assert motion.corner_px < 0.3 and abs(motion.zoom_percent) < 0.1 and abs(motion.rotation_deg) < 0.05
    assert motion.tracks > 50


def test_a_pan_is_measured(tmp_path, wall):
    motion = camera_motion(filmed(tmp_path / "v.mp4", wall, lambda t: similarity((1.5 * t, -0.5 * t))))
    assert motion.shift_px == pytest.approx(16 * np.hypot(1.5, 0.5), abs=0.3)
    assert motion.speed_px == pytest.approx(np.hypot(1.5, 0.5), abs=0.05)
    assert abs(motion.zoom_percent) < 0.15 and abs(motion.rotation_deg) < 0.05


def test_a_zoom_is_measured(tmp_path, wall):
    motion = camera_motion(filmed(tmp_path / "v.mp4", wall, lambda t: similarity(zoom=1 + 0.002 * t)))
    assert motion.zoom_percent == pytest.approx(3.2, abs=0.1)
    assert motion.shift_px < 0.4
    assert motion.corner_px == pytest.approx(0.032 * np.hypot(W, H) / 2, abs=0.5)


def test_a_turn_is_measured(tmp_path, wall):
    motion = camera_motion(filmed(tmp_path / "v.mp4", wall, lambda t: similarity(degrees=-0.1 * t)))
    assert motion.rotation_deg == pytest.approx(-1.6, abs=0.06)
    assert motion.shift_px < 0.4


def test_a_camera_that_comes_back_has_moved(tmp_path, wall):
    motion = camera_motion(filmed(tmp_path / "v.mp4", wall, lambda t: similarity((8 * np.sin(np.pi * t / 16), 0))))
    assert motion.shift_px == pytest.approx(8, abs=0.3)


def test_someone_large_who_moves_is_not_the_camera(tmp_path, wall, textured):
    person = textured(180, 140, seed=5)
    still = filmed(tmp_path / "still.mp4", wall, person=person)
    assert check_steady(still).corner_px < 0.5
    moving = filmed(tmp_path / "moving.mp4", wall, lambda t: similarity((0.5 * t, 0)), person)
    assert camera_motion(moving).shift_px == pytest.approx(8, abs=0.4)


def test_a_mask_keeps_out_one_who_fills_the_picture(tmp_path, wall, textured):
    """Without a mask the larger part of the picture is taken for the background."""
    person = textured(400, 280, seed=5)
    flat = np.full_like(wall, 128)
    flat[64 : 64 + 56, 64:-64] = wall[64 : 64 + 56, 64:-64]
    still = filmed(tmp_path / "v.mp4", flat, person=person)
    mask = np.zeros((H, W), bool)
    mask[60:, 40:440] = True
    assert camera_motion(still, mask0=mask).corner_px < 0.5
    assert camera_motion(still).shift_px > 50


def test_a_camera_that_stands_elsewhere_than_the_scenes_is_noticed(tmp_path, wall):
    video = filmed(tmp_path / "v.mp4", wall, lambda t: similarity((6, 0)))
    assert camera_motion(video).shift_px < 0.3
    assert camera_motion(video, wall[64:-64, 64:-64]).shift_px == pytest.approx(6, abs=0.2)


def test_a_moving_camera_is_refused_with_its_motion_or_kept_by_flag(tmp_path, wall):
    video = filmed(tmp_path / "v.mp4", wall, lambda t: similarity((1.0 * t, 0)))
    with pytest.raises(CameraMotionError, match=r"shift 1\d\.\d px, 1\.\d\d px a frame, zoom .* %, rotation") as e:
        check_steady(video)
    assert e.value.motion.shift_px == pytest.approx(16, abs=0.3)
    assert "--keep-camera-motion" in e.value.fix and "at most 1.5 px" in e.value.valid
    assert check_steady(video, allowed=True) == e.value.motion
    assert check_steady(video, tolerance_px=40).shift_px == e.value.motion.shift_px


def test_a_blank_wall_tells_nothing(tmp_path):
    blank = write(tmp_path / "v.mp4", [np.full((H, W, 3), 128, np.uint8)] * 17, 16)
    with pytest.raises(VideoError, match="cannot be seen: the first frame's background has 0 corners"):
        check_steady(blank)


def test_a_cut_is_noticed(tmp_path, wall, textured):
    other = textured(W, H, seed=9)
    frames = [wall[64:-64, 64:-64]] * 8 + [other] * 9
    with pytest.raises(VideoError, match="from frame 8 on"):
        camera_motion(write(tmp_path / "v.mp4", frames, 16))


def test_the_first_frame_is_the_scenes(tmp_path, wall, textured):
    video = filmed(tmp_path / "v.mp4", wall)
    frame0 = wall[64:-64, 64:-64]
    assert check_first_frame(video, frame0) > 30
    codec = np.mean((next(read(video)).astype(float) - frame0) ** 2)
    bright = np.clip(frame0.astype(int) + 40, 0, 255)
    loss = 10 * np.log10(255**2 / (np.mean((bright - frame0.astype(float)) ** 2) + codec))
    assert first_frame_psnr(video, bright) == pytest.approx(loss, abs=0.3) and loss < 18
    with pytest.raises(VideoError, match="dB alike"):
        check_first_frame(video, textured(W, H, seed=7))


def test_flags_measure_what_would_be_refused(tmp_path, wall, textured):
    frame0, mask0 = wall[64:-64, 64:-64], np.zeros((H, W), bool)
    pan = filmed(tmp_path / "pan.mp4", wall, lambda t: similarity((1.0 * t, 0)))
    with pytest.raises(CameraMotionError):
        check_video(pan, frame0, mask0)
    seen = check_video(pan, frame0, mask0, keep_motion=True)
    assert seen.camera_motion is not None and seen.camera_motion.shift_px == pytest.approx(16, abs=0.3)
    other = filmed(tmp_path / "other.mp4", textured(W + 128, H + 128, seed=3))
    with pytest.raises(VideoError, match="dB alike"):
        check_video(other, frame0, mask0)
    seen = check_video(other, frame0, mask0, any_first_frame=True)
    assert seen.first_frame_db < 18 and seen.camera_motion is not None and seen.camera_motion.corner_px < 0.3
    blank = write(tmp_path / "v.mp4", [np.full((H, W, 3), 128, np.uint8)] * 17, 16)
    assert check_video(blank, frame0, mask0, keep_motion=True, any_first_frame=True).camera_motion is None


def test_a_small_drift_is_taken_out_of_the_frames(tmp_path, wall):
    drift = filmed(tmp_path / "v.mp4", wall, lambda t: similarity((0.3 * t, -0.2 * t), 1 + 0.0004 * t, 0.02 * t))
    paths, _ = camera_paths(drift)
    still = write(tmp_path / "still.mp4", steadied(read(drift), paths), drift.fps)
    assert camera_motion(drift).corner_px > 5
    assert camera_motion(still).corner_px < 0.8
    inner = (slice(20, -20), slice(20, -20))
    first, last = (frame[inner].astype(float) for k, frame in enumerate(read(still)) if k in (0, T - 1))
    assert np.abs(first - last).mean() < 6


def test_frames_are_made_smaller_by_area_and_kept_where_they_fit():
    frames = [np.full((40, 60, 3), value, np.uint8) for value in (10, 200)]
    assert [f.shape for f in resized(frames, 30, 20)] == [(20, 30, 3)] * 2
    assert next(resized(frames, 60, 40)) is frames[0]
