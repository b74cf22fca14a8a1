"""A part of a film is the frames from some seconds to others, at its rate and as they were."""

import numpy as np
import pytest

from devi_jax.core.errors import VideoError
from perception.scene.working_film import part, working_film
from perception.video.video import probe, read, write

FPS, FRAMES = 20.0, 40


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Frames as bright as their number, which nothing has on it to track."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return write(path, [np.full((64, 96, 3), 5 * t, np.uint8) for t in range(FRAMES)], FPS)


def test_a_part_begins_and_ends_at_the_nearest_frames(film):
    assert part(film, (0, 2.0)) == (0, 40)
    assert part(film, (0.51, 1.24)) == (10, 25)
    assert part(film, (0.5, 2.04)) == (10, 40)


@pytest.mark.parametrize("seconds", [(-0.1, 1), (1, 1), (1.5, 0.5), (0, 2.2), (float("nan"), 1)])
def test_seconds_that_a_film_does_not_have_are_refused(film, seconds):
    with pytest.raises(VideoError, match="does not have seconds") as error:
        part(film, seconds)
    assert error.value.valid.endswith("from 0 to 2.0")


def test_only_that_part_is_written(film, tmp_path):
    said: list[str] = []
    video = working_film(film, tmp_path / "part.mp4", False, True, said.append, (0.5, 1.5))
    assert (video.frames, video.fps) == (20, FPS) and probe(video.path).frames == 20
    bright = [float(frame.mean()) for frame in read(video)]
    np.testing.assert_allclose(bright, [5 * t for t in range(10, 30)], atol=3)
    assert said[0] == "96 x 64, 20 frames at 20 fps, 1.0 s"


def test_too_short_a_part_is_refused_by_its_frames(film, tmp_path):
    with pytest.raises(VideoError, match="the film has 1 frame\n"):
        working_film(film, tmp_path / "part.mp4", False, True, print, (0.5, 0.55))
    assert not (tmp_path / "part.mp4").exists()


def test_of_an_uneven_film_the_part_is_taken_after_it_was_made_even(film, tmp_path):
    uneven = type(film)(film.path, film.fps, film.frames, film.width, film.height, even=False)
    video = working_film(uneven, tmp_path / "part.mp4", True, True, print, (0.5, 1.5))
    assert video.frames == 20
    np.testing.assert_allclose([float(f.mean()) for f in read(video)], [5 * t for t in range(10, 30)], atol=6)
