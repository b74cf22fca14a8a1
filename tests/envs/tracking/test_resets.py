"""Where episodes start: the share of pre-contact starts, and which frame that is."""

import jax
import numpy as np
import pytest

from envs.tracking.config import ResetConfig
from envs.tracking.resets import pre_contact_frame, start_frame

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
