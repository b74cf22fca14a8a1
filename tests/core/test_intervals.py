"""Runs of frames, by hand."""

import numpy as np
import pytest

from devi_jax.core.intervals import true_runs


@pytest.mark.parametrize(
    ("mask", "runs"),
    [
        ([], []),
        ([0, 0], []),
        ([1, 1, 1], [[0, 1, 2]]),
        ([1, 0, 0, 1, 1, 0, 1], [[0], [3, 4], [6]]),
    ],
)
def test_runs_are_the_frames_between_gaps(mask, runs):
    assert [run.tolist() for run in true_runs(np.array(mask, bool))] == runs
