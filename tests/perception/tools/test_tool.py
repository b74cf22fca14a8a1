"""Tools as fake checkouts that leave the real layout: run, found, read; and those that fail in each possible way."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from devi_jax.core.errors import ConfigError
from perception.contracts import BodyMotion, EstimateError, PointTracks, load, save
from perception.readers.gvhmr import read_gvhmr
from perception.readers.shot import Shot, centred
from perception.readers.spatracker import read_spatracker
from perception.tools.locations import ToolLocation
from perception.tools.table import GVHMR, HAMER, SPATRACKER, TOOLS
from perception.tools.tool import read_result, run_tool

SHOT = Shot(16.0, 6, 64, 48)

# what GVHMR's demo leaves; the results lie ready, since importing torch once more takes seconds
DEMO = """
import argparse, shutil
from pathlib import Path
parser = argparse.ArgumentParser()
parser.add_argument("--video", type=Path)
parser.add_argument("--output_root", type=Path)
parser.add_argument("-s", action="store_true")
a = parser.parse_args()
assert a.s and a.video.read_text() == "6"
folder = a.output_root / a.video.stem
(folder / "preprocess").mkdir(parents=True)
shutil.copy("hmr4d_results.pt", folder)
shutil.copy("vitpose.pt", folder / "preprocess")
"""


def write_gvhmr(repo: Path) -> None:
    """The results that `DEMO` copies: six frames of a person who stands still."""
    torch = pytest.importorskip("torch")
    params = {"body_pose": torch.zeros(6, 63), "betas": torch.zeros(6, 10), "global_orient": torch.zeros(6, 3)}
    params["transl"] = torch.tensor([[0.0, 0.5, 3.0]]).repeat(6, 1)
    K = torch.tensor([[80.0, 0, 32], [0, 80, 24], [0, 0, 1]]).repeat(6, 1, 1)
    content = {"smpl_params_global": params, "smpl_params_incam": params, "K_fullimg": K}
    torch.save(content, repo / "hmr4d_results.pt")
    torch.save(torch.zeros(6, 17, 3), repo / "vitpose.pt")


# what SpaTrackerV2 leaves
INFERENCE = """
import argparse, numpy as np
from pathlib import Path
parser = argparse.ArgumentParser()
for name in ("data_type", "data_dir", "video_name", "fps"):
    parser.add_argument(f"--{name}")
a = parser.parse_args()
assert (a.data_type, a.fps) == ("RGB", "1")
T = int(Path(a.data_dir, f"{a.video_name}.mp4").read_text())
out = Path(a.data_dir, "results")
out.mkdir()
K = np.tile(np.array([[60.0, 0, 32], [0, 60, 24], [0, 0, 1]]), (T, 1, 1))
np.savez(out / f"{a.video_name}_result.npz", coords=np.full((T, 2, 3), 1.0), extrinsics=np.tile(np.eye(4), (T, 1, 1)),
         intrinsics=K, depths=np.ones((T, 48, 64)), video=np.zeros((T, 3, 48, 64)), visibs=np.ones((T, 2), bool))
"""


@pytest.fixture
def checkout(tmp_path):
    """A fake checkout: `checkout(path, text)` writes a file of it and returns where the tool is."""

    def write(name: str, text: str) -> ToolLocation:
        path = tmp_path / "repo" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return ToolLocation(python=sys.executable, repo=tmp_path / "repo", timeout_s=120)

    return write


@pytest.fixture
def video(tmp_path) -> Path:
    """A file that stands for a video of six frames; its name has a space."""
    path = tmp_path / "my video.mp4"
    path.write_text("6")
    return path


def test_gvhmr_from_a_video_to_a_body_that_can_be_kept(tmp_path, checkout, video):
    said: list[str] = []
    place = checkout("tools/demo/demo.py", DEMO)
    write_gvhmr(place.repo)
    ran = run_tool(GVHMR, place, video, tmp_path / "work" / "body", say=said.append)
    assert ran.path == tmp_path / "work" / "body" / "my video" / "hmr4d_results.pt"
    body = read_result(ran, read_gvhmr, SHOT)
    assert body.frames == 6 and body.joints2d is not None
    (ran.path.parent / "old.txt").write_text("of another run")
    again = run_tool(GVHMR, place, video, tmp_path / "work" / "body", say=lambda _: None)
    assert again.path == ran.path and sorted(p.name for p in ran.path.parent.iterdir()) == [ran.path.name, "preprocess"]
    assert len(said) == 1 and "non-profit" in said[0] and "github.com/zju3dv/GVHMR" in said[0]
    run = load(save(body, tmp_path / "body.npz"), BodyMotion).origin.provenance["run"]
    assert run["licence"] == GVHMR.licence and run["command"][1] == "tools/demo/demo.py" and run["seconds"] > 0
    assert str(tmp_path / "work" / "body") in run["command"]


def test_a_result_of_another_length_is_refused(tmp_path, checkout, video):
    video.write_text("9")
    place = checkout("inference.py", INFERENCE)
    ran = run_tool(SPATRACKER, place, video, tmp_path / "points", say=lambda _: None)
    with pytest.raises(EstimateError, match="9 frames, the video 6"):
        read_result(ran, read_spatracker, SHOT)


def test_a_tool_that_fails_leaves_what_was_there_and_its_words(tmp_path, checkout, video):
    (tmp_path / "body").mkdir()
    (tmp_path / "body" / "kept.txt").write_text("kept")
    place = checkout("tools/demo/demo.py", "raise RuntimeError('CUDA out of memory')")
    with pytest.raises(EstimateError, match="exit code 1(.|\n)*CUDA out of memory") as caught:
        run_tool(GVHMR, place, video, tmp_path / "body", say=lambda _: None)
    assert "by hand" in caught.value.fix and str(place.repo) in caught.value.fix
    assert "demo.py" in caught.value.where
    assert [p.name for p in (tmp_path / "body").iterdir()] == ["kept.txt"]
    assert "CUDA" in (tmp_path / "body.err.txt").read_text()


def test_a_tool_that_leaves_nothing_or_something_else_is_refused(tmp_path, checkout, video):
    place = checkout("tools/demo/demo.py", "")
    with pytest.raises(EstimateError, match="left no result; there is nothing"):
        run_tool(GVHMR, place, video, tmp_path / "body", say=lambda _: None)
    text = "import sys; from pathlib import Path; Path(sys.argv[4], 'other.pt').write_text('')"
    with pytest.raises(EstimateError, match="there is other.pt") as caught:
        run_tool(GVHMR, checkout("tools/demo/demo.py", text), video, tmp_path / "body", say=lambda _: None)
    assert "my video/hmr4d_results.pt" in caught.value.valid and not (tmp_path / "body").exists()


def test_a_tool_that_hangs_is_ended(tmp_path, checkout, video):
    place = replace(checkout("tools/demo/demo.py", "import time; time.sleep(60)"), timeout_s=1.0)
    with pytest.raises(EstimateError, match="longer than 1 s"):
        run_tool(GVHMR, place, video, tmp_path / "body", say=lambda _: None)


def test_a_command_of_one_s_own_replaces_the_usual_one(tmp_path, checkout, video):
    repo = checkout("own.py", INFERENCE).repo
    line = f"{{python}} '{repo}/own.py' --data_type=RGB --fps=1 --data_dir={{out}} --video_name={{stem}}"
    place = ToolLocation(f"env {sys.executable}", command=line)
    ran = run_tool(SPATRACKER, place, video, tmp_path / "points", say=lambda _: None)
    assert read_result(ran, read_spatracker, SHOT).frames == 6 and ran.provenance["command"][0] == "env"


def test_spatracker_finds_the_video_beside_its_results(tmp_path, checkout, video):
    ran = run_tool(SPATRACKER, checkout("inference.py", INFERENCE), video, tmp_path / "points", say=lambda _: None)
    tracks: PointTracks = read_result(ran, read_spatracker, SHOT)
    np.testing.assert_allclose(tracks.xy, np.full((6, 2, 2), [92, 84]))


def test_it_has_to_be_said_where_a_tool_is(tmp_path, video):
    for tool, place, missing in [
        (GVHMR, ToolLocation(), "--gvhmr.python and --gvhmr.repo"),
        (GVHMR, ToolLocation(python="python"), "--gvhmr.repo"),
        (HAMER, ToolLocation(repo=tmp_path), "--hamer.python"),
        (TOOLS["wilor"], ToolLocation(), "--wilor.python"),
    ]:
        with pytest.raises(ConfigError, match=f": {missing}$|: {missing}\n") as caught:
            run_tool(tool, place, video, tmp_path / "out", say=lambda _: None)
        assert tool.home in caught.value.fix and f"{tool.name}:FILE" in caught.value.fix
    with pytest.raises(ConfigError, match="queries"):
        run_tool(TOOLS["tapir"], ToolLocation(python=sys.executable), video, tmp_path / "out", say=lambda _: None)


def test_every_tool_says_its_licence_and_is_named_once():
    assert len(TOOLS) == 9
    for name, tool in TOOLS.items():
        assert tool.name == name and len(tool.licence) > 10 and tool.home.startswith("https://")
        assert "{python}" in tool.command and "{out}" in tool.command


def test_the_camera_through_the_middle():
    np.testing.assert_array_equal(centred(50.0, SHOT), [[50, 0, 32], [0, 50, 24], [0, 0, 1]])
