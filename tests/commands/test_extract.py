"""A video of a known scene becomes a clip; stages are kept, done again and replaced; bad input is one error."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from devi_jax import extract
from devi_jax.core import rotations as rot
from devi_jax.core.camera import Camera, frontal, project
from devi_jax.core.clip import Clip, ObjectPoses, bone_offsets
from devi_jax.core.clip_io import load_clip
from devi_jax.core.scene_file import scene_file_to_json
from devi_jax.core.skeleton import INDEX
from devi_jax.datasets.clip_quality import extraction_doubts
from devi_jax.datasets.scenes import load_scene_file
from devi_jax.rendering import gl
from devi_jax.scripted_video import compose
from envs.scenes.arrange import arrange
from perception.align.calibrate import first_points
from perception.align.landmarks import POINT
from perception.contracts import HAND21, PointTracks, load, save
from perception.contracts.keypoints import Keypoints
from perception.human.evidence import FirstPose
from perception.landmarks import estimate
from perception.landmarks.detect import Detection
from perception.landmarks.follow import FrameLandmarks, Networks
from perception.landmarks.pose import POSE33, Pose
from perception.landmarks.roi import Roi
from perception.quality import against_seen
from perception.quality.figure import QualityFigure
from perception.video.video import probe, write

pytest.importorskip("cv2")
pytest.importorskip("torch")
pytest.importorskip("ai_edge_litert")

needs_gl = pytest.mark.skipif(not gl.available(), reason="no offscreen OpenGL (EGL or OSMesa) on this machine")

WIDTH, HEIGHT, FPS, STILL, EVERY = 256, 144, 10.0, 9, 6
CAMERA = frontal(-45.0, width=WIDTH, height=HEIGHT)
QUICK = "--align.iterations=40"


def fails(arguments: list[str], capsys) -> str:
    """Run the command, which must leave with code 2; what it printed on stderr."""
    with pytest.raises(SystemExit) as leaving:
        extract.main(arguments)
    assert leaving.value.code == 2
    return capsys.readouterr().err


def write_camera(path: Path, camera: Camera) -> Path:
    told = {"K": camera.K.tolist(), "T_camera_world": camera.T_camera_world.tolist()}
    path.write_text(json.dumps({"camera": {**told, "width": camera.width, "height": camera.height}}))
    return path


def grey(frames: int) -> list[np.ndarray]:
    return [np.full((HEIGHT, WIDTH, 3), 90, np.uint8)] * frames


@pytest.fixture(scope="module")
def truth() -> Clip:
    """The bundled clip, standing still at first, then with great steps: few frames hold the whole motion."""
    clip = load_clip(Path(extract.__file__).parent / "data" / "clips" / "lift_can.npz")
    poses = clip.object_poses
    which = np.r_[np.zeros(STILL, int), np.arange(0, clip.frames, EVERY)]
    return replace(
        clip,
        fps=FPS,
        joint_rotations=clip.joint_rotations[which].astype(float),
        joint_positions=clip.joint_positions[which].astype(float),
        contact=clip.contact[which],
        object_poses=poses and ObjectPoses(poses.positions[which], poses.rotations[which].astype(float)),
        object_tracks=None,
    )


@pytest.fixture(scope="module")
def filmed(tmp_path_factory, truth) -> Path:
    """A folder as imagine leaves it, though its pictures all show the first frame."""
    folder = tmp_path_factory.mktemp("filmed")
    setup = load_scene_file("lift_can")
    (folder / "scene.json").write_text(json.dumps(scene_file_to_json(setup)))
    write_camera(folder / "video.json", CAMERA)
    scene = compose.compose_scene(setup)
    with compose.open_renderer(scene, setup.human.appearance, CAMERA) as studio:
        frame = studio.frame(scene.posture)
    write(folder / "video.mp4", [frame] * truth.frames, FPS)
    return folder


@pytest.fixture(scope="module")
def looked(filmed):
    """What is known of the scene, rendered once."""
    return extract._known(load_scene_file(str(filmed / "scene.json")), CAMERA, probe(filmed / "video.mp4"))


@pytest.fixture
def known(looked, monkeypatch):
    """The scene is not rendered again."""
    monkeypatch.setattr(extract, "_known", lambda *_: looked)
    return looked[0]


@pytest.fixture
def work(tmp_path, truth) -> Path:
    """Stage files with what perfect networks and a perfect tracker would see: no network is needed then."""
    folder = tmp_path / "stages"
    offsets = bone_offsets(truth)
    poses = zip(truth.joint_rotations, truth.joint_positions[:, 0], strict=True)
    points = np.stack([first_points(FirstPose(rotations, root, offsets)) for rotations, root in poses])
    save(seen(points, POSE33), folder / "landmarks-body.npz")
    for side in ("left", "right"):
        save(seen(points, tuple(f"{side}_{name}" for name in HAND21)), folder / f"landmarks-{side}.npz")
    save(tracked(truth), folder / "points.npz")
    return folder


def seen(points: np.ndarray, names: tuple[str, ...]) -> Keypoints:
    """Points (T, 62, 3) in the picture and along the camera's axes; what the skeleton lacks is at head or feet."""
    index = [POINT.get(name, INDEX["left_foot" if "heel" in name or "toe" in name else "head"]) for name in names]
    px, _ = project(points[:, index], CAMERA.K, CAMERA.T_camera_world)
    xyz = (points[:, index] - points[:, :1]) @ CAMERA.T_camera_world[:3, :3].T
    return Keypoints(fps=FPS, size_px=(WIDTH, HEIGHT), xy=px, conf=np.ones(px.shape[:2]), names=names, xyz=xyz)


def tracked(truth: Clip) -> PointTracks:
    """Eight vertices of the can where the truth has them."""
    setup, poses = load_scene_file("lift_can"), truth.object_poses
    assert poses is not None
    mesh = arrange(setup).models[setup.manipulated.name].mesh
    ids = np.linspace(0, len(mesh.vertices) - 1, 8).astype(int)
    turns = np.broadcast_to(poses.rotations[:, None], (truth.frames, len(ids), 4))
    world = (
        rot.rotate(turns, np.broadcast_to(mesh.vertices[ids], (truth.frames, len(ids), 3))) + poses.positions[:, None]
    )
    px, _ = project(world, CAMERA.K, CAMERA.T_camera_world)
    there = np.ones(px.shape[:2], bool)
    return PointTracks(
        fps=FPS, size_px=(WIDTH, HEIGHT), xy=px, visible=there, conf=there * 1.0, query_t=0 * ids, vertex_id=ids
    )


@needs_gl
@pytest.mark.slow
def test_perfect_estimates_give_the_truth_and_finished_stages_are_kept(filmed, work, truth, tmp_path, capsys):
    out = tmp_path / "clip.npz"
    command = [str(filmed), f"--out={out}", f"--work={work}", QUICK]
    extract.main(command)
    said = capsys.readouterr().out
    assert said.count("your own file") == 2 and said.count("  done") == 3
    clip = load_clip(out)
    assert (clip.frames, clip.fps, clip.scene.table) == (truth.frames, FPS, truth.scene.table)
    gap = np.linalg.norm(clip.joint_positions - truth.joint_positions, axis=-1)
    assert gap[0].max() < 1e-3 and np.median(gap[:, INDEX["right_wrist"]]) < 0.03
    assert clip.contact[:, 1].any() and not clip.contact[:, 0].any()
    assert clip.object_tracks is not None and len(clip.object_tracks.vertex_ids) == 8
    np.testing.assert_allclose(clip.object_tracks.points_px, tracked(truth).xy, atol=1e-3)
    assert {*clip.provenance["stages"]} == {"landmarks", "points", "object", "motion", "aligned"}
    assert clip.object_poses is None and "not found for" in clip.provenance["object_poses"]["why"]  # nothing moves
    assert "as seen: no object poses" in next(line for line in said.splitlines() if line.startswith("grip"))
    film = probe(tmp_path / "clip-overlay.mp4")
    assert (film.frames, film.width, film.height) == (truth.frames, WIDTH, HEIGHT)

    assert "--overwrite" in fails(command, capsys)
    less = load(work / "points.npz", PointTracks)
    save(replace(less, xy=less.xy + 0.25), work / "points.npz")
    extract.main([*command, "--overwrite"])
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "kept from an earlier run" in lines["motion"] and "done" in lines["aligned"]


@needs_gl
def test_stage_files_of_another_video_and_hands_never_seen_are_refused(filmed, known, work, tmp_path, capsys):
    command = [str(filmed), f"--out={tmp_path / 'clip.npz'}", f"--work={work}", QUICK]
    points = load(work / "points.npz", PointTracks)
    short_of(points, work / "points.npz")
    said = fails(command, capsys)
    assert f"holds {points.frames - 1} frames, the video {points.frames}" in said and "points.npz" in said
    right = load(work / "landmarks-right.npz", Keypoints)
    save(replace(right, conf=0 * right.conf), work / "landmarks-right.npz")
    assert "the right hand is seen in no frame" in fails(command, capsys)
    elsewhere = short_of(points, tmp_path / "mine.npz")
    save(right, work / "landmarks-right.npz")
    said = fails([*command, f"--points={elsewhere}", "--again", "points"], capsys)
    assert f"holds {points.frames - 1} frames, the video {points.frames}" in said and "mine.npz" in said
    assert not (tmp_path / "clip.npz").exists() and not (tmp_path / "clip-overlay.mp4").exists()


COTRACKER = """
import shutil, sys
import numpy as np
ready, video, queries, out = sys.argv[1:]
with np.load(queries) as asked:
    assert asked["queries"].shape == (len(asked["vertex_id"]), 3) and (asked["vertex_id"] >= 0).all()
print("tracked", len(open(video, "rb").read()) > 0)
shutil.copy(ready, out)
"""


@needs_gl
def test_a_tool_in_an_environment_of_ones_own_gives_its_stage(filmed, known, work, truth, tmp_path, capsys):
    points = load(work / "points.npz", PointTracks)
    (work / "points.npz").unlink()
    ready, program, out = tmp_path / "ready.npz", tmp_path / "program.py", tmp_path / "clip.npz"
    rows = {"tracks": points.xy - 0.5, "visibility": points.visible, "vertex_id": points.vertex_id}
    np.savez(ready, **rows, frames=np.array(truth.frames), size=np.array([WIDTH, HEIGHT]))
    program.write_text(COTRACKER)
    command = f"{{python}} {program} {ready} {{video}} {{queries}} {{out}}/cotracker.npz"
    flags = [f"--out={out}", f"--work={work}", QUICK, "--run", "cotracker", f"--cotracker.command={command}"]
    assert "--cotracker.python" in fails([str(filmed), *flags], capsys)
    extract.main([str(filmed), *flags, f"--cotracker.python={sys.executable}"])
    said = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "CC-BY-NC" in said["cotracker"] and " s " in said["cotracker"]
    assert (work / "cotracker.out.txt").read_text() == "tracked True\n"
    clip = load_clip(out)
    assert clip.object_tracks is not None
    np.testing.assert_allclose(clip.object_tracks.points_px, points.xy, atol=1e-3)
    run = clip.provenance["stages"]["cotracker"]["run"]
    assert run["tool"] == "cotracker" and run["command"][0] == sys.executable and run["seconds"] >= 0


@needs_gl
def test_a_clip_that_is_not_what_the_film_shows_is_not_written_unless_accepted(
    filmed, known, work, tmp_path, capsys, monkeypatch
):
    poor = QualityFigure("wrists from their landmarks, median", 340.0, "px", 10, 15, "look at the camera", (28, 40))
    monkeypatch.setattr(against_seen, "quality", lambda *_: [poor])
    out = tmp_path / "clip.npz"
    command = [str(filmed), f"--out={out}", f"--work={work}", QUICK]
    said = fails(command, capsys)
    assert "wrists from their landmarks, median 340 px" in said and "frames 28 to 40" in said and "at most 15" in said
    assert not list(tmp_path.glob("clip*")) and probe(work / "refused-overlay.mp4").frames > 1
    extract.main([*command, "--accept-poor"])
    assert "poor" in capsys.readouterr().out
    clip = load_clip(out)
    assert clip.provenance["quality"][0]["verdict"] == "poor" and "340 px is poor" in extraction_doubts(clip)[0]


def short_of(points: PointTracks, path: Path) -> Path:
    """The tracks without their first frame, as a file."""
    return save(replace(points, xy=points.xy[1:], visible=points.visible[1:], conf=points.conf[1:]), path)


@needs_gl
def test_nobody_is_an_error_and_of_two_the_one_in_the_scenes_place_is_taken_and_said(
    filmed, known, work, truth, tmp_path, capsys, monkeypatch
):
    body = load(work / "landmarks-body.npz", Keypoints)
    for path in work.glob("landmarks-*.npz"):
        path.unlink()
    hips, _ = project(truth.joint_positions[0, :1], CAMERA.K, CAMERA.T_camera_world)
    people = [person(hips[0] + [60.0, 0.0]), person(hips[0] + [2.0, 0.0])]
    chosen, found = [], []

    def follow(networks, image, before, config, who):
        chosen.extend([who] if who else [])
        return FrameLandmarks(
            Pose(body.xy[0], body.conf[0], body.xyz[0], 1.0, Roi(hips[0], 50.0)), {"left": None, "right": None}
        )

    monkeypatch.setattr(estimate, "load_networks", lambda _: Networks(*[lambda x: []] * 4))
    monkeypatch.setattr(estimate, "find_people", lambda *_: tuple(found))
    monkeypatch.setattr(estimate, "track_person", follow)
    command = [str(filmed), f"--out={tmp_path / 'clip.npz'}", f"--work={work}"]
    assert "no person is seen" in fails(command, capsys)
    found += people
    # that person's hands are not there, and the prompt needs one: what was chosen is said before
    with pytest.raises(SystemExit):
        extract.main(command)
    said = capsys.readouterr()
    assert "2 persons, the one nearest to where the scene has its human" in said.out
    assert "the right hand is seen in no frame" in said.err
    assert len(chosen) == 1 and chosen[0] is people[1]
    note = load(work / "landmarks-body.npz", Keypoints).origin.provenance
    assert (note["persons_in_first_frame"], note["person"]) == (2, "nearest to where the scene has its human")


def person(hips: np.ndarray) -> Detection:
    points = np.stack([hips, hips - [0.0, 40.0], hips, hips])
    return Detection(0.9, np.stack([hips - 20.0, hips + 20.0]), points)


@needs_gl
def test_a_video_of_another_scene_is_refused(filmed, known, tmp_path, capsys, rng):
    noise = rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    write(tmp_path / "v.mp4", [noise] * 3, FPS)
    where = [f"--scene={filmed / 'scene.json'}", f"--camera={filmed}", f"--out={tmp_path / 'out' / 'clip.npz'}"]
    assert "does not start like the scene's first frame" in fails([str(tmp_path / "v.mp4"), *where], capsys)
    assert [p.name for p in tmp_path.iterdir()] == ["v.mp4"]


def test_what_is_no_fitting_video_is_said_before_any_work(tmp_path, capsys):
    camera = write_camera(tmp_path / "camera.json", CAMERA)
    flags = ["--scene=lift_can", f"--camera={camera}", f"--out={tmp_path / 'clip.npz'}"]
    (tmp_path / "text.mp4").write_text("no video")
    assert "cannot be read as a video" in fails([str(tmp_path / "text.mp4"), *flags], capsys)
    assert "no such file" in fails([str(tmp_path / "absent.mp4"), *flags], capsys)
    write(tmp_path / "one.mp4", grey(1), FPS)
    assert "one frame" in fails([str(tmp_path / "one.mp4"), *flags], capsys)
    write(tmp_path / "even.mp4", grey(4), FPS)
    uneven = tmp_path / "uneven.mkv"
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(tmp_path / "even.mp4")]
    subprocess.run([*ffmpeg, "-vf", "setpts=N*N/10/TB", "-fps_mode", "vfr", str(uneven)], check=True)
    assert "not evenly spaced" in fails([str(uneven), *flags], capsys)
    write_camera(camera, frontal())
    assert "the camera 1024 x 576" in fails([str(tmp_path / "even.mp4"), *flags], capsys)
    camera.write_text("{}")
    assert "no camera can be read" in fails([str(tmp_path / "even.mp4"), *flags], capsys)
    assert "--scene and --camera" in fails([str(tmp_path / "even.mp4"), flags[-1]], capsys)
    assert not list(tmp_path.glob("clip*"))


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--body=gvhmr:absent.pt"], "no such file"),
        (["--hands=hamer:absent.npz"], "no such file"),
        (["--hands=left.npz,right.npz"], "no such file: left.npz"),
        (["--body=gvhmr"], "gvhmr:FILE"),
        (["--points=cotrack:tracks.npz"], "did you mean"),
        (["--masks=sam3:absent.npz"], "no such file"),
        (["--depth=spatracker"], "--run=spatracker starts it"),
        (["--run", "gem", "hamer"], "both estimate hands"),
        (["--run", "hamer", "--hamer.python=python", "--hamer.repo=absent"], "no such folder"),
        (["--points=cotracker:absent.npz"], "no such file"),
        (["--points=tracks.npz"], "what the stage wrote"),
        (["--points=tracks.pt"], "cotracker:FILE"),
        (["--contact.threshold-px=0"], "threshold_px"),
        (["--align.iterations=0"], "iterations"),
        (["--out=clip.json"], ".npz"),
    ],
)
def test_bad_flags_are_one_error(flags, said, tmp_path, capsys):
    assert said in fails([str(tmp_path), f"--out={tmp_path / 'clip.npz'}", *flags], capsys)
    assert not list(tmp_path.iterdir())
