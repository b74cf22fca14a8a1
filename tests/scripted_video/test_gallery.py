"""The gallery: a page that shows every suite clip, and pictures that exist and are small."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import devi_jax
from devi_jax.core.errors import VideoError
from devi_jax.core.video_writer import encode
from devi_jax.datasets.bundled_sets import SETS
from devi_jax.scripted_video.gallery import filmed, page, shown
from devi_jax.scripted_video.gallery_films import write_film

DOCS = Path(devi_jax.__file__).parents[1] / "docs"


def test_shown_page_is_the_one_the_command_writes():
    clips, seen = shown(), filmed(DOCS)
    written = page(clips, seen)
    assert (DOCS / "gallery.md").read_text() == written
    pictures = re.findall(r"!\[.*\]\((.*)\)", written)
    films = re.findall(r"\[film\]\((.*)\)", written)
    assert len(pictures) == len(clips) + len(seen) and len(films) == len(seen) >= 12
    assert {clip.name for clip in clips} == {name for names in SETS.values() for name in names}
    for picture in pictures + films:
        assert 5_000 < (DOCS / picture).stat().st_size < 250_000


def test_a_film_is_made_small_and_its_strip_shows_it_from_first_to_last(tmp_path):
    """A square that moves right by 40 pixels a frame."""
    frames = np.zeros((6, 288, 512, 3), np.uint8)
    for t in range(6):
        frames[t, 100:200, 40 * t : 40 * t + 100] = (250, 20, 20)
    (tmp_path / "square").mkdir()
    encode(tmp_path / "square" / "video.mp4", iter(frames), 512, 288, 30)
    film, strip = write_film(tmp_path / "square" / "video.mp4", tmp_path / "out" / "square")
    assert film.stat().st_size < (tmp_path / "square" / "video.mp4").stat().st_size * 1.5
    row = np.asarray(Image.open(strip).convert("RGB"))
    assert row.shape == (180, 6 * 320, 3)
    red = (row[94, :, 0] > 150) & (row[94, :, 1] < 100)
    left = [int(np.flatnonzero(red[320 * t : 320 * (t + 1)])[0]) for t in range(6)]
    np.testing.assert_allclose(left, 25 * np.arange(6), atol=3)
    with pytest.raises(VideoError, match="no film") as caught:
        write_film(tmp_path / "circle" / "video.mp4", tmp_path / "out" / "circle")
    assert "imagine --scene=circle" in str(caught.value.fix)
