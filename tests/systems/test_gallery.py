"""The gallery: a page that shows every suite clip, and pictures that exist and are small."""

import re
from pathlib import Path

import devi_jax
from devi_jax.core.clipfile import load_clip
from devi_jax.sources.resolve import bundled
from devi_jax.sources.suite import SUITE
from devi_jax.systems.gallery import page

DOCS = Path(devi_jax.__file__).parents[1] / "docs"


def test_shown_page_is_the_one_the_command_writes():
    written = page([load_clip(bundled()[name]) for name in SUITE])
    assert (DOCS / "gallery.md").read_text() == written
    pictures = re.findall(r"!\[.*\]\((.*)\)", written)
    assert len(pictures) == len(SUITE)
    for picture in pictures:
        assert 5_000 < (DOCS / picture).stat().st_size < 150_000
