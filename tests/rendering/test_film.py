"""A film has its frames, size and dots; nothing is half-written."""

import subprocess

import imageio_ffmpeg
import mujoco
import numpy as np
import pytest
from PIL import Image

from devi_jax.core.camera import frontal
from devi_jax.core.errors import DeviceError
from devi_jax.core.video_writer import encode
from devi_jax.rendering import gl
from devi_jax.rendering.camera_framing import moving_points, third_person
from devi_jax.rendering.film import film, strip
from devi_jax.rendering.panels import GREEN, RED, Dots, Footage, Panel, Stage

pytestmark = pytest.mark.skipif(not gl.available(), reason="no offscreen OpenGL (EGL or OSMesa) on this machine")

XML = """
<mujoco><worldbody>
  <geom type="plane" size="3 3 .1"/><body pos="0 0 1"><joint type="slide" axis="0 0 1"/><geom size=".1"/></body>
</worldbody></mujoco>
"""


def panels(frames: int) -> tuple[Panel, Panel]:
    model = mujoco.MjModel.from_xml_string(XML)
    qpos = np.linspace(0, 0.5, frames)[:, None]
    clip_camera = frontal()
    points = np.broadcast_to(np.array([[100.0, 120.0], [900.0, 400.0], [np.nan, 5.0]]), (frames, 3, 2))
    visible = np.broadcast_to(np.array([True, False, True]), (frames, 3))
    shifted = Dots(points + [200.0, 0.0], visible, RED)
    aside = third_person(moving_points(model, qpos), 480, 360)
    return Panel("reference", model, qpos, aside), Panel(
        "camera", model, qpos, clip_camera, [Dots(points, visible), shifted]
    )


def test_a_film_has_its_frames_and_size(tmp_path):
    first, second = panels(11)
    short = Panel("short", first.model, first.qpos[:4], first.camera)
    film(tmp_path / "film.mp4", first, short, second, height=180)
    assert [p.name for p in tmp_path.iterdir()] == ["film.mp4"]
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-i",
        str(tmp_path / "film.mp4"),
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-",
    ]
    decoded = subprocess.run(command, capture_output=True, check=True)
    for word in ("Video: h264", "yuv420p", f"{240 + 240 + 320}x180", "30 fps"):
        assert word in decoded.stderr.decode()
    pictures = np.frombuffer(decoded.stdout, np.uint8).reshape(11, 180, 800, 3)
    moved = [np.abs(pictures[-1][:, a:b].astype(int) - pictures[4][:, a:b]).mean() for a, b in ((0, 240), (240, 480))]
    assert moved[0] > 10 * moved[1]


def test_dots_lie_where_the_tracks_are_and_only_visible_ones():
    _, panel = panels(2)
    with Stage([panel], 288) as stage:
        picture = stage.image(0)
    assert picture.shape == (288, 512, 3)
    assert tuple(picture[60, 50]) == GREEN and tuple(picture[60, 150]) == RED
    assert sum((picture == colour).all(axis=-1).sum() for colour in (GREEN, RED)) < 30


def test_at_most_64_dots_are_drawn():
    _, panel = panels(1)
    grid = np.stack(np.meshgrid(np.linspace(50, 970, 20), np.linspace(60, 500, 20)), -1).reshape(1, 400, 2)
    dots = Dots(grid, np.ones((1, 400), bool))
    with Stage([Panel("", panel.model, panel.qpos, panel.camera, [dots])], 576) as stage:
        green = (stage.image(0) == GREEN).all(axis=-1)
    corners = green & ~np.roll(green, 1, 0) & ~np.roll(green, 1, 1) & np.roll(green, -1, 0)
    assert 0 < green.sum() <= 64 * 16
    assert corners.sum() <= 64 * 2


def test_an_error_leaves_no_film(tmp_path):
    first, second = panels(3)
    broken = Panel("broken", first.model, np.zeros((3, 5)), first.camera)
    with pytest.raises(ValueError):
        film(tmp_path / "film.mp4", second, broken)
    assert list(tmp_path.iterdir()) == []


def test_a_film_that_cannot_be_written_says_why(tmp_path):
    frames = (np.zeros((64, 64, 3), np.uint8) for _ in range(200))
    with pytest.raises(DeviceError, match="No such file or directory") as e:
        encode(tmp_path / "absent" / "film.mp4", frames, 64, 64, 30)
    assert e.value.where == str(tmp_path / "absent" / "film.mp4")


def test_a_strip_is_a_row_of_frames_for_each_panel(tmp_path):
    first, second = panels(9)
    strip(tmp_path / "strip.png", first, second, columns=3, height=90)
    picture = np.asarray(Image.open(tmp_path / "strip.png"))
    assert picture.shape == (180, 3 * 160, 3)
    row = picture[:90, : 3 * 120].reshape(90, 3, 120, 3)
    assert (row[:, 0] != row[:, 2]).any() and (picture[:90, 3 * 120 :] == 0).all()


def test_a_video_stands_beside_what_is_rendered_as_large_as_the_film_and_holds_its_last_frame():
    _, panel = panels(5)
    pictures = np.stack([np.full((90, 160, 3), 40 * t, np.uint8) for t in range(1, 4)])
    with Stage([Footage("", pictures), panel], 180) as stage:
        assert (stage.width, stage.frames) == (320 + panel.width(180), 5)
        shown = [stage.image(t)[:, :320] for t in range(5)]
    assert [int(np.median(picture)) for picture in shown] == [40, 80, 120, 120, 120]
    with Stage([panel], 180) as alone, Stage([Footage("", pictures), panel], 180) as beside:
        np.testing.assert_array_equal(beside.image(2)[:, 320:], alone.image(2))
