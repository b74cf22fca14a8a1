"""Tools started by an extraction: which stage each serves, that each is run once and kept, and what scenes tell it."""

import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from devi_jax.core.camera import frontal
from devi_jax.core.errors import ConfigError
from devi_jax.core.scene import SceneSpec
from devi_jax.core.skeleton import JOINTS
from perception.contracts import Depth, EstimateError, Masks, PointTracks, load
from perception.human.evidence import FirstPose
from perception.human.scene_prior import ScenePrior
from perception.pipeline.config import READERS, PipelineConfig
from perception.pipeline.progress import StageReporter
from perception.pipeline.run_tools import scene_settings
from perception.pipeline.stage_cache import StageCache
from perception.pipeline.stages import ExtractionPipeline
from perception.tools.locations import Sam3Location, ToolLocation, ToolLocations
from perception.tools.table import TOOLS
from perception.video.video import Video
from tests.stand_in import stand_in

T, WIDTH, HEIGHT = 4, 64, 48
CAMERA = frontal(0.0, width=WIDTH, height=HEIGHT)

SPATRACKER = """
import argparse, numpy as np
from pathlib import Path
parser = argparse.ArgumentParser()
for name in ("data_type", "data_dir", "video_name", "fps"):
    parser.add_argument(f"--{name}")
a = parser.parse_args()
print("tracking", a.video_name)
with open("calls.txt", "a") as calls:
    calls.write("called ")
out = Path(a.data_dir, "results")
out.mkdir()
K = np.tile(np.array([[60.0, 0, 32], [0, 60, 24], [0, 0, 1]]), (4, 1, 1))
np.savez(out / f"{a.video_name}_result.npz", coords=np.full((4, 2, 3), 1.0), extrinsics=np.tile(np.eye(4), (4, 1, 1)),
         intrinsics=K, depths=np.ones((4, 48, 64)), video=np.zeros((4, 3, 48, 64)), visibs=np.ones((4, 2), bool))
"""

SAM3 = """
import sys, numpy as np
out, prompts = sys.argv[1:]
masks = np.zeros((4, 48, 64), bool)
masks[:, 3] = True
np.savez(out, frame_index=np.arange(4), out_obj_ids=np.zeros(4, int), out_probs=np.full(4, 0.5), out_binary_masks=masks,
         object_ids=np.zeros(1, int), labels=np.array([prompts]))
"""


@pytest.fixture
def repo(tmp_path) -> Path:
    """A checkout of SpaTrackerV2 and a program like SAM 3's."""
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "inference.py").write_text(SPATRACKER)
    (folder / "sam3.py").write_text(SAM3)
    return folder


@pytest.fixture
def pipeline(tmp_path, repo):
    """`pipeline(config)`: an extraction in tmp_path / "work" from a video that no tool looks at."""
    path = tmp_path / "video.mp4"
    path.write_bytes(b"a video")
    rest = np.tile([1.0, 0, 0, 0], (len(JOINTS), 1))
    first = FirstPose(rest, np.zeros(3), np.zeros((len(JOINTS), 3)))
    corners = np.eye(3)
    inside = np.zeros((HEIGHT, WIDTH), bool)
    known = ScenePrior(
        CAMERA, SceneSpec(), first, corners, np.array([[0, 1, 2]]), np.zeros(7), inside, object_name="tin can"
    )

    @contextmanager
    def step(name: str):
        yield stand_in(StageReporter, __call__=lambda self, note: None, part=lambda self, done: None)

    def make(config: PipelineConfig, again: tuple[str, ...] = ()) -> ExtractionPipeline:
        cache = StageCache(tmp_path / "work", again)
        return ExtractionPipeline(config, Video(path, 30.0, T, WIDTH, HEIGHT), known, "k", cache, step)

    return make


def located(repo: Path) -> ToolLocations:
    sam3 = f"{{python}} '{repo / 'sam3.py'}' {{out}}/sam3.npz {{prompts}}"
    return ToolLocations(
        spatracker=ToolLocation(sys.executable, repo, timeout_s=120), sam3=Sam3Location(sys.executable, command=sam3)
    )


def test_one_run_serves_all_stages_that_it_estimates_and_is_kept(tmp_path, repo, pipeline):
    config = PipelineConfig(run=("spatracker", "sam3"), tools=located(repo))
    config.validate()
    stages = pipeline(config)
    tracks, depth, masks = stages.points(), stages.depth(), stages.masks()
    np.testing.assert_allclose(tracks.xy, np.full((T, 2, 2), [92, 84]))
    assert depth is not None and depth.depth.shape == (T, HEIGHT, WIDTH) and masks is not None
    assert masks.labels == ("person; tin can",) and masks.masks[:, 0, 3].all()
    assert (repo / "calls.txt").read_text() == "called "
    work = tmp_path / "work"
    assert (work / "spatracker.out.txt").read_text() == "tracking video\n"
    kept = [
        load(work / f"{kind}.npz", of) for kind, of in (("points", PointTracks), ("depth", Depth), ("masks", Masks))
    ]
    assert all(estimate.origin.provenance["run"]["seconds"] >= 0 for estimate in kept)
    assert stages.told["spatracker"]["run"]["command"][1] == "inference.py"

    again = pipeline(config)
    again.points()
    assert (repo / "calls.txt").read_text() == "called "
    assert again.told["spatracker"]["state"] == "kept from an earlier run" == again.told["points"]["state"]
    pipeline(config, ("spatracker",)).points()
    assert (repo / "calls.txt").read_text() == "called called "


def test_another_location_runs_again_and_a_result_put_there_is_used(tmp_path, repo, pipeline):
    config = PipelineConfig(masks="sam3", run=("sam3",), tools=located(repo))
    first = pipeline(config).masks()
    asked = replace(config.tools.sam3, prompts="hand")
    other = pipeline(replace(config, tools=replace(config.tools, sam3=asked))).masks()
    assert first.labels == ("person; tin can",) and other.labels == ("hand",)
    result = tmp_path / "work" / "sam3" / "sam3.npz"
    with np.load(result) as file:
        values = dict(file)
    np.savez(result, **{**values, "labels": np.array(["mine"])})
    stages = pipeline(config)
    assert stages.masks().labels == ("mine",) and stages.told["sam3"]["state"] == "your own file"


def test_a_tool_that_fails_names_its_log(repo, pipeline):
    (repo / "inference.py").write_text("raise RuntimeError('out of memory')")
    config = PipelineConfig(run=("spatracker",), tools=located(repo))
    with pytest.raises(EstimateError, match="out of memory") as caught:
        pipeline(config).points()
    assert "spatracker.err.txt" in caught.value.fix


@pytest.mark.parametrize(
    ("config", "said", "remedy"),
    [
        (PipelineConfig(run=("gem", "hamer")), "gem and hamer both estimate hands", "--hands=gem"),
        (PipelineConfig(hands="wilor", run=("hamer",)), "'wilor' names no file", "--run=wilor"),
        (PipelineConfig(run=("hamer",)), "not said where hamer is: --hamer.python and --hamer.repo", "hamer:FILE"),
    ],
)
def test_what_cannot_be_run_is_said_before_any_work(config, said, remedy):
    with pytest.raises(ConfigError, match=said) as caught:
        config.validate()
    assert remedy in caught.value.fix


def test_a_tool_that_no_stage_takes_is_refused(tmp_path):
    own = tmp_path / "own.npz"
    own.write_bytes(b"")
    with pytest.raises(ConfigError, match="nothing takes what cotracker estimates") as caught:
        PipelineConfig(points=str(own), run=("cotracker",)).validate()
    assert caught.value.valid == "--points=cotracker"


def test_tools_serve_the_stages_that_no_flag_settles():
    config = PipelineConfig(body="gvhmr-world", run=("gvhmr", "gem", "tapir"), hands="gem").resolved()
    assert (config.body, config.hands, config.points, config.masks) == ("gvhmr-world", "gem", "tapir", "")
    assert config.runs("gvhmr-world") == "gvhmr" and config.runs("auto") is None


def test_a_scene_tells_a_tool_its_focal_length_and_what_to_segment(tmp_path, pipeline):
    settings = scene_settings("{python} x.py", pipeline(PipelineConfig()).known, tmp_path)
    assert settings == {"focal_px": CAMERA.K[0, 0], "prompts": "person; tin can"}


def test_the_page_of_estimators_lists_every_tool_with_its_stages():
    page = (Path(__file__).resolve().parents[3] / "docs" / "estimators.md").read_text()
    for name, tool in TOOLS.items():
        stages = ", ".join(stage for stage, readers in READERS.items() if name in readers)
        row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` | {stages} | "))
        assert tool.home in row and f"--{name}.python" in row and (".repo" in row) == tool.repo
