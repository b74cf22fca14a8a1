"""Videos as files: counts, rates and pictures come back; what is no video is refused."""

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest

from devi_jax.core.camera import frontal
from devi_jax.core.errors import VideoError
from perception.pipeline.camera_file import check_fits_camera
from perception.video.video import convert, probe, read, turned_deg, write


def ramp(frames: int = 17, width: int = 96, height: int = 64) -> list[np.ndarray]:
    """Grey frames, each ten levels brighter."""
    return [np.full((height, width, 3), 10 * k, np.uint8) for k in range(frames)]


@pytest.mark.parametrize("fps", [16, 24, 29.97, 30])
def test_what_was_written_is_found_again(tmp_path, fps):
    written = write(tmp_path / "a.mp4", ramp(), fps, by="test")
    found = probe(tmp_path / "a.mp4", by="test")
    assert found == written
    assert (found.frames, found.width, found.height, found.even) == (17, 96, 64, True)
    assert found.duration_s == pytest.approx(17 / fps)


def test_frames_come_back_in_order_and_nearly_the_same(tmp_path, textured):
    frames = [np.roll(textured(128, 64), 4 * t, axis=1) for t in range(6)]
    back = list(read(write(tmp_path / "a.mp4", frames, 16)))
    assert len(back) == 6
    for sent, got in zip(frames, back, strict=True):
        assert np.abs(sent.astype(float).mean(axis=2) - got.mean(axis=2)).mean() < 3


def test_reading_may_stop_early(tmp_path):
    frames = read(write(tmp_path / "a.mp4", ramp(), 16))
    assert next(frames).mean() < 1
    frames.close()


def test_an_uneven_rate_is_noticed_and_every_frame_read_once(tmp_path):
    write(tmp_path / "a.mp4", ramp(), 16)
    thin = ["-vf", "select='lt(n,6)+not(mod(n,3)-1)'", "-fps_mode", "vfr", str(tmp_path / "b.mp4")]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(tmp_path / "a.mp4"), *thin], check=True)
    kept = [n for n in range(17) if n < 6 or n % 3 == 1]
    video = probe(tmp_path / "b.mp4")
    assert not video.even and video.frames == len(kept)
    assert video.fps == pytest.approx((len(kept) - 1) / ((kept[-1] - kept[0]) / 16), abs=0.02)
    np.testing.assert_allclose([f.mean() for f in read(video)], [10.0 * n for n in kept], atol=1.5)


def test_another_rate_and_size_take_the_nearest_frames(tmp_path):
    half = convert(write(tmp_path / "a.mp4", ramp(16), 16), tmp_path / "b.mp4", 8, 48, 32)
    assert (half.frames, half.fps, half.width, half.height) == (8, 8.0, 48, 32)
    steps = np.diff([f.mean() for f in read(half)])
    np.testing.assert_allclose(steps, 20.0, atol=2)


def test_a_picture_is_a_video_of_one_frame(tmp_path, textured):
    from PIL import Image

    Image.fromarray(textured(64, 48)).save(tmp_path / "a.png")
    assert probe(tmp_path / "a.png").frames == 1


def test_what_is_no_video_is_refused(tmp_path):
    (tmp_path / "a.mp4").write_text("not a video")
    write(tmp_path / "whole.mp4", ramp(), 16)
    (tmp_path / "short.mp4").write_bytes((tmp_path / "whole.mp4").read_bytes()[:-200])
    sound = ["-f", "lavfi", "-i", "sine=duration=1", str(tmp_path / "sound.wav")]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *sound], check=True)
    for name, said in [
        ("a.mp4", "cannot be read"),
        ("short.mp4", "cannot be read"),
        ("sound.wav", "cannot be read"),
        ("absent.mp4", "no such file"),
    ]:
        with pytest.raises(VideoError, match=said) as e:
            probe(tmp_path / name)
        assert e.value.where == str(tmp_path / name)


def test_frames_that_make_no_video_leave_none(tmp_path):
    odd = [np.zeros((63, 64, 3), np.uint8)]
    mixed = [*ramp(3), np.zeros((32, 32, 3), np.uint8)]
    for frames, said in [([], "no frames"), (odd, "64 x 63"), (mixed, "frame 3")]:
        with pytest.raises(VideoError, match=said):
            write(tmp_path / "a.mp4", frames, 16)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_lost_its_end_since_is_noticed(tmp_path):
    from dataclasses import replace

    video = write(tmp_path / "a.mp4", ramp(), 16)
    with pytest.raises(VideoError, match="breaks off at frame 17 of 18"):
        list(read(replace(video, frames=18)))


def test_a_phones_turn_is_read_and_named_where_the_size_does_not_fit(tmp_path):
    even = write(tmp_path / "even.mp4", ramp(), 16).path
    turned = tmp_path / "turned.mp4"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-display_rotation", "90", "-i", str(even)]
    subprocess.run([*command, "-c", "copy", str(turned)], check=True)
    assert (turned_deg(even), turned_deg(turned) % 180) == (0, 90)
    found = probe(turned)
    assert (found.width, found.height) == (64, 96) and next(read(found)).shape == (96, 64, 3)
    with pytest.raises(VideoError, match="turned by .* degrees as its metadata say") as refused:
        check_fits_camera(found, frontal(width=96, height=64))
    assert "take the turn out" in str(refused.value) and "scale" not in str(refused.value)
    with pytest.raises(VideoError, match="scale the video"):
        check_fits_camera(probe(even), frontal(width=192, height=128))
