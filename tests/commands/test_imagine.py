"""A scene and a sentence become files, all or none; what cannot be is said before anything is written."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from devi_jax import imagine
from devi_jax.core.clip_io import load_clip
from devi_jax.core.scene_file import setup_from_json
from devi_jax.rendering import gl
from perception.video.video import Video, probe, read, write

ASKED = ["--camera", "-45", "15", "1.8"]

needs_gl = pytest.mark.skipif(not gl.available(), reason="no offscreen OpenGL (EGL or OSMesa) on this machine")

SHIFT = """
import sys
sys.path.insert(0, {root!r})
import numpy as np
from PIL import Image
from perception.video.video import write
image, out, pan = sys.argv[1:]
first = np.asarray(Image.open(image))
write(out, [np.roll(first, int(pan) * t, axis=1) for t in range(17)], 16)
"""


@pytest.fixture
def generator(tmp_path):
    """`generator(pan)`: the flag of a program that shows the first frame, moved by `pan` pixels a frame."""
    path = tmp_path / "program.py"
    path.write_text(SHIFT.format(root=str(Path(__file__).resolve().parents[2])))
    return lambda pan: f"--command.line={sys.executable} {path} {{image}} {{out}} {pan}"


def fails(arguments: list[str], capsys) -> str:
    """Run the command, which must leave with code 2; what it printed on stderr."""
    with pytest.raises(SystemExit) as leaving:
        imagine.main(arguments)
    assert leaving.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scene=lift_cann"], "lift_can"),
        (["--prompt=A person lifts the kettle with the right hand"], "no 'kettle' in the scene"),
        (["--prompt=A person juggles the can"], "no action of the prompt"),
        (["--width=100"], "--width"),
        (["--imperfect.noise=-1"], "--imperfect.noise"),
        (["--wrong.depth-scale=9"], "--wrong"),
        (["--wrong.drift-m=0.05", "--spoil=mild"], "two ways"),
        (["--generator=wan", "--wan.frames=80"], "81"),
        (["--generator=file"], "--file.path"),
        (["--generator=file", "--file.path=absent.mp4"], "no such file"),
        (["--generator=command"], "--command.line"),
        (["--generator=command", "--command.line=absent-program {out}"], "absent-program"),
        (["--llm=absent-program"], "absent-program"),
    ],
)
def test_bad_input_is_one_error_and_no_file(arguments, said, tmp_path, capsys):
    assert said in fails([*arguments, f"--out={tmp_path / 'out'}"], capsys)
    assert list(tmp_path.iterdir()) == []


def test_a_thing_out_of_reach_is_refused(tmp_path, capsys):
    scene = {"name": "far", "things": [{"name": "can", "model": "can", "position": [0.0, 3.0]}]}
    (tmp_path / "far.json").write_text(json.dumps(scene))
    where = [f"--scene={tmp_path / 'far.json'}", f"--out={tmp_path / 'out'}"]
    assert "out of reach" in fails([*where, "--prompt=A person lifts the can with the right hand"], capsys)
    assert "there is no prompt" in fails(where, capsys)
    assert [p.name for p in tmp_path.iterdir()] == ["far.json"]


def test_files_of_others_are_left_alone(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert "--overwrite" in fails([f"--out={tmp_path}"], capsys)
    assert "a file of that name" in fails([f"--out={tmp_path / 'mine.txt'}"], capsys)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


@needs_gl
def test_a_program_makes_the_video_of_the_first_frame(tmp_path, capsys, generator):
    out = tmp_path / "out"
    prompt = "A woman lifts the can with the left hand"
    imagine.main(["--generator=command", generator(0), f"--prompt={prompt}", "--width=512", f"--out={out}"])
    said = capsys.readouterr().out
    assert "contact pairs: left hand x can" in said and "17 frames at 16 fps" in said
    assert sorted(p.name for p in out.iterdir()) == ["frame0.png", "scene.json", "video.json", "video.mp4"]
    frame0 = np.asarray(Image.open(out / "frame0.png"))
    assert frame0.shape == (288, 512, 3)
    video = probe(out / "video.mp4")
    assert (video.frames, video.fps, video.width, video.height) == (17, 16, 512, 288)
    assert np.abs(next(read(video)).astype(int) - frame0).mean() < 4
    told = json.loads((out / "video.json").read_text())
    assert told["intent"]["contact_pairs"] == [["left hand", "can"]]
    assert told["camera"]["K"][0][0] == 256 and told["checks"]["first_frame_db"] > 30
    assert told["checks"]["camera_motion"]["corner_px"] < 1
    setup = setup_from_json(json.loads((out / "scene.json").read_text()), "scene.json")
    assert setup.prompt.startswith(prompt) and setup.manipulated.name == "can"


@needs_gl
def test_a_camera_that_moves_is_refused_and_kept_by_flag(tmp_path, capsys, generator):
    where = ["--generator=command", generator(1), "--width=512", f"--out={tmp_path / 'out'}", *ASKED]
    message = fails(where, capsys)
    assert "the camera of the video moves: shift 1" in message and "--keep-camera-motion" in message
    assert [p.name for p in tmp_path.iterdir()] == ["program.py"]
    imagine.main([*where, "--keep-camera-motion"])
    told = json.loads((tmp_path / "out" / "video.json").read_text())
    assert told["checks"]["camera_motion"]["shift_px"] == pytest.approx(16, abs=1)


@needs_gl
def test_a_video_of_another_scene_or_size_is_refused(tmp_path, capsys, rng):
    def own(width: int, height: int, frames: int) -> Video:
        noise = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        return write(tmp_path / "own.mp4", [noise] * frames, 16)

    where = ["--generator=file", f"--file.path={tmp_path / 'own.mp4'}", "--width=256", f"--out={tmp_path / 'out'}"]
    own(256, 144, 32)
    assert "does not start like the scene's first frame" in fails([*where, *ASKED], capsys)
    own(512, 288, 32)
    assert "--file.resize" in fails([*where, *ASKED], capsys)
    assert [p.name for p in tmp_path.iterdir()] == ["own.mp4"]


@needs_gl
@pytest.mark.slow
def test_the_planner_films_its_motion_and_writes_its_truth(tmp_path, capsys):
    out = tmp_path / "out"
    knobs = ["--imperfect.noise=3", "--imperfect.shutter-frames=2", "--imperfect.crf=20"]
    imagine.main(["--scene=lift_can", "--width=256", f"--out={out}", *knobs, *ASKED])
    assert sorted(p.name for p in out.iterdir()) == ["clip.npz", "frame0.png", "scene.json", "video.json", "video.mp4"]
    clip, video = load_clip(out / "clip.npz"), probe(out / "video.mp4")
    assert (clip.frames, clip.fps) == (video.frames, video.fps)
    assert clip.camera is not None and (clip.camera.width, clip.camera.height) == (256, 144)
    assert clip.object_poses is not None
    assert clip.object_poses.positions[-1, 2] - clip.object_poses.positions[0, 2] == pytest.approx(0.2, abs=0.01)
    assert clip.contact[:, 1].any() and not clip.contact[:, 0].any()
    told = json.loads((out / "video.json").read_text())
    assert told["imperfect"]["noise"] == 3
    np.testing.assert_allclose(told["camera"]["T_camera_world"], clip.camera.T_camera_world)
