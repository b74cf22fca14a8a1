"""What a flag gives a stage: tools' files by name, own files by what they hold, and errors that say which is which."""

from pathlib import Path

import numpy as np
import pytest

from devi_jax.core.errors import ConfigError
from perception.contracts import EstimateError, HandMotion, PointTracks, save
from perception.pipeline.inputs import named_files, own_files, read_estimate, read_hands
from perception.readers import table
from perception.readers.shot import Shot

SHOT = Shot(30.0, 4, 64, 48)


def hand(side, frames: int = 4) -> HandMotion:
    return HandMotion(
        fps=30.0,
        size_px=(64, 48),
        side=side,
        valid=np.ones(frames, bool),
        global_orient=np.zeros((frames, 3)),
        hand_pose=np.zeros((frames, 15, 3)),
        joints2d=np.ones((frames, 21, 3)),
        betas=np.zeros(10),
        K_used=np.array([[50.0, 0, 32], [0, 50, 24], [0, 0, 1]]),
    )


def tracks(size: tuple[int, int] = (64, 48)) -> PointTracks:
    seen = np.ones((4, 2), bool)
    ids = np.zeros(2, int)
    xy = np.ones((4, 2, 2))
    return PointTracks(fps=30.0, size_px=size, xy=xy, visible=seen, conf=seen * 1.0, query_t=ids, vertex_id=ids - 1)


def test_tools_and_own_files_are_told_apart(tmp_path):
    path = save(tracks(), tmp_path / "t.npz")
    assert (
        named_files(str(path), table.POINTS, "--points")
        == [path]
        == named_files(f"tapir:{path}", table.POINTS, "--points")
    )
    assert own_files("a.npz,b.npz") == [Path("a.npz"), Path("b.npz")]
    assert own_files("tapir:a.npz") == [] == own_files("a.npz,b.pt")
    for value, said in (
        ("absent.npz", "no such file"),
        ("tapirs:x.npz", "tapir"),
        ("tapr", "did you mean"),
        ("", "names no file"),
    ):
        with pytest.raises(ConfigError, match=said):
            named_files(value, table.POINTS, "--points")


def test_a_folder_is_searched_for_its_tools_result(tmp_path):
    with pytest.raises(ConfigError, match=r"holds no hmr4d_results\.pt"):
        named_files(f"gvhmr:{tmp_path}", table.BODY, "--body")
    inner = tmp_path / "demo" / "walk" / "hmr4d_results.pt"
    inner.parent.mkdir(parents=True)
    inner.touch()
    for tool in ("gvhmr", "gvhmr-world"):
        assert named_files(f"{tool}:{tmp_path}", table.BODY, "--body") == [inner]
    (tmp_path / "hmr4d_results.pt").touch()
    with pytest.raises(ConfigError, match="there are 2 results"):
        named_files(f"gvhmr:{tmp_path}", table.BODY, "--body")
    (tmp_path / "a_result.npz").touch()
    assert named_files(f"spatracker:{tmp_path}", table.POINTS, "--points") == [tmp_path / "a_result.npz"]


def test_own_files_are_of_this_video_and_of_their_kind(tmp_path):
    path = save(tracks(), tmp_path / "t.npz")
    assert read_estimate(str(path), table.POINTS, PointTracks, "--points", SHOT).xy.shape == (4, 2, 2)
    with pytest.raises(EstimateError, match="64 x 48 pixels, the video has 128 x 96"):
        read_estimate(str(path), table.POINTS, PointTracks, "--points", Shot(30.0, 4, 128, 96))
    with pytest.raises(EstimateError, match="holds 4 frames, the video 5"):
        read_estimate(str(path), table.POINTS, PointTracks, "--points", Shot(30.0, 5, 64, 48))
    with pytest.raises(EstimateError, match="holds PointTracks"):
        read_hands(str(path), table.HANDS, "--hands", SHOT)
    with pytest.raises(ConfigError, match="2 files"):
        read_estimate(f"{path},{path}", table.POINTS, PointTracks, "--points", SHOT)


def test_hands_of_ones_own_are_a_file_each(tmp_path):
    left, right = (save(hand(side), tmp_path / f"{side}.npz") for side in ("left", "right"))
    both = read_hands(f"{left},{right}", table.HANDS, "--hands", SHOT)
    assert {side: found.side for side, found in both.items()} == {"left": "left", "right": "right"}
    assert not both["left"].crop
    assert [*read_hands(str(right), table.HANDS, "--hands", SHOT)] == ["right"]
    with pytest.raises(EstimateError, match="two files are of the left hand"):
        read_hands(f"{left},{left}", table.HANDS, "--hands", SHOT)
