"""Where episodes start: the share of pre-contact starts, and which frame that is."""

import jax
import numpy as np
import pytest

from envs.tracking.config import ResetConfig
from envs.tracking.resets import CLEAR_M, clear_frame, pre_contact_frame, start_frame

DRAWS = 4000


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_share_of_pre_contact_starts(share, key):
    config = ResetConfig(pre_contact=share)
    frames = jax.vmap(lambda k: start_frame(k, 37, config))(jax.random.split(key, DRAWS))
    counts = dict(zip(*np.unique(frames, return_counts=True), strict=True))
    assert set(counts) <= {0, 37}
    four_sigma = 4 * np.sqrt(share * (1 - share) / DRAWS)
    assert abs(counts.get(37, 0) / DRAWS - share) <= four_sigma


@pytest.mark.parametrize(
    ("onset", "frames", "lead", "wanted"),
    [
        (56, 110, 0, 55),  # the last frame before contact
        (56, 110, 1, 55),
        (56, 110, 10, 46),
        (5, 110, 10, 0),  # a lead beyond the beginning
        (0, 110, 0, 0),  # begins in contact
        (1, 110, 0, 0),
        (110, 110, 0, 0),  # never touches
    ],
)
def test_pre_contact_frame(onset, frames, lead, wanted):
    assert pre_contact_frame(onset, frames, lead) == wanted


@pytest.mark.parametrize(
    ("deep", "wanted"),
    [((), 40), ((40,), 39), (range(30, 41), 29), (range(0, 41), 0), (range(50, 60), 40), ((10, 39, 40), 38)],
)
def test_a_start_is_clear_of_the_object(deep, wanted):
    overlap = np.full(80, CLEAR_M / 2)
    overlap[list(deep)] = 2 * CLEAR_M
    assert clear_frame(40, overlap) == wanted
