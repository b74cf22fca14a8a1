"""Named points: through a file, and what is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from perception.contracts import EstimateError, load, save
from perception.contracts.keypoints import Keypoints

POINTS = Keypoints(
    fps=30.0,
    size_px=(64, 48),
    xy=np.arange(12.0).reshape(2, 3, 2),
    conf=np.array([[0.5, 1.0, 0.0], [0.0, 0.0, 0.0]]),
    names=("nose", "left_wrist", "right_wrist"),
    xyz=np.zeros((2, 3, 3)),
)


def test_points_come_back_from_their_file(tmp_path: Path):
    back = load(save(POINTS, tmp_path / "points.npz"), Keypoints)
    assert back.names == POINTS.names and back.fps == 30 and back.xyz is not None
    np.testing.assert_array_equal(back.xy, POINTS.xy)
    assert back.seen.tolist() == [True, False]
    assert back.index("right_wrist", "nose") == [2, 0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"names": ("nose", "nose", "left_wrist")}, "stand twice: nose"),
        ({"conf": POINTS.conf + 0.6}, "reach from 0.6"),
        ({"xy": np.where(POINTS.xy == 2, np.nan, POINTS.xy)}, "not finite"),
        ({"xyz": np.zeros((2, 2, 3))}, r"\(2, 2, 3\)"),
    ],
)
def test_points_that_are_not_sound_are_refused(change: dict, said: str):
    with pytest.raises(EstimateError, match=said):
        replace(POINTS, **change).validate()


def test_places_of_points_that_were_not_seen_do_not_matter():
    replace(POINTS, xy=np.where(np.arange(2)[:, None, None] == 1, np.nan, POINTS.xy)).validate()
