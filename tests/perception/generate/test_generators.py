"""Programs and files as generators, and what any video has to be."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from devi_jax.core.errors import ConfigError, VideoError
from perception.generate.command import Command
from perception.generate.file import File
from perception.generate.generator import VideoLimits, check_fit
from perception.video.video import Video, probe, read, write

GOOD = Video(Path("video.mp4"), 16.0, 81, 1024, 576)

PROGRAM = """
import sys
import numpy as np
from PIL import Image
from perception.video.video import write
image, prompt, out, seed, fps, frames = sys.argv[1:]
first = np.asarray(Image.open(image))
print(f"{prompt}|{seed}", file=open(out + ".txt", "w"))
write(out, [np.roll(first, t, axis=1) for t in range(int(frames))], float(fps))
"""


def program(tmp_path: Path, text: str = PROGRAM) -> str:
    root = Path(__file__).resolve().parents[3]
    (tmp_path / "program.py").write_text(f"import sys; sys.path.insert(0, {str(root)!r})\n{text}")
    return f"{sys.executable} {tmp_path / 'program.py'} {{image}} {{prompt}} {{out}} {{seed}} {{fps}} {{frames}}"


def test_a_program_gets_its_values_and_leaves_a_video(tmp_path, textured):
    frame0, out = textured(64, 32), tmp_path / "video.mp4"
    prompt = 'A "person"; rm -rf $HOME {seed} | lifts'
    command = Command(program(tmp_path), fps=12, frames=17)
    video = command.generate(frame0, prompt, "", 7, out)
    assert (video.frames, video.fps, video.width, video.height) == (17, 12, 64, 32)
    assert np.abs(next(read(video)).astype(int) - frame0).mean() < 8
    assert (tmp_path / "video.mp4.txt").read_text().strip() == f"{prompt}|7"


def test_a_program_that_fails_is_quoted(tmp_path, textured):
    line = program(
        tmp_path, "import sys\nprint('\\n'.join(f'line {i}' for i in range(40)), file=sys.stderr)\nsys.exit(3)"
    )
    with pytest.raises(VideoError, match="exit code 3") as e:
        Command(line).generate(textured(64, 32), "p", "", 0, tmp_path / "v.mp4")
    assert "line 39" in e.value.what and "line 27" not in e.value.what


def test_a_program_without_a_video_end_or_start_is_refused(tmp_path, textured):
    frame0, out = textured(64, 32), tmp_path / "v.mp4"
    with pytest.raises(VideoError, match="left no video"):
        Command(program(tmp_path, "")).generate(frame0, "p", "", 0, out)
    with pytest.raises(VideoError, match="longer than 0.2 s"):
        Command(program(tmp_path, "import time\ntime.sleep(9)"), timeout_s=0.2).generate(frame0, "p", "", 0, out)
    with pytest.raises(ConfigError, match="'absent-program' cannot be started"):
        Command("absent-program {out}").generate(frame0, "p", "", 0, out)
    for line, said in [("x {picture}", "picture"), ("x 'open", "quotation"), ("", "empty")]:
        with pytest.raises(ConfigError, match=said):
            Command(line).generate(frame0, "p", "", 0, out)
    assert not out.exists()


def test_a_program_with_a_video_of_another_size_is_refused(tmp_path, textured):
    with pytest.raises(VideoError, match="32 x 64 pixels, the scene's camera 64 x 32, of another aspect ratio"):
        line = program(tmp_path, PROGRAM.replace("np.asarray(Image.open(image))", "np.zeros((64, 32, 3), np.uint8)"))
        Command(line).generate(textured(64, 32), "p", "", 0, tmp_path / "v.mp4")


@pytest.mark.parametrize(
    ("change", "said", "fix"),
    [
        ({"width": 832, "height": 468}, "832 x 468 pixels, the scene's camera 1024 x 576$", "size"),
        ({"width": 576, "height": 1024}, r"another aspect ratio \(0.562, not 1.778\)", ""),
        ({"even": False}, "gaps", "rate"),
        ({"fps": 5.0}, "5 frames a second", "rate"),
        ({"fps": 120.0, "frames": 240}, "120 frames a second", "rate"),
        ({"frames": 9}, r"takes 0.56 s \(9 frames\)", ""),
        ({"frames": 960}, r"takes 60.00 s \(960 frames\)", ""),
    ],
)
def test_a_video_that_does_not_fit_is_refused_with_its_numbers(change, said, fix):
    check_fit(GOOD, 1024, 576)
    with pytest.raises(VideoError) as e:
        check_fit(replace(GOOD, **change), 1024, 576, fix=("size", "rate"))
    import re

    assert re.search(said, e.value.what) and e.value.fix == fix


def test_limits_may_be_others():
    check_fit(replace(GOOD, frames=9), 1024, 576, VideoLimits(min_seconds=0.5))


def clip(tmp_path: Path, width: int, height: int, fps: float, textured) -> Path:
    return write(tmp_path / "own.mp4", [textured(width, height)] * 24, fps).path


def test_a_file_that_fits_is_taken_as_it_is(tmp_path, textured):
    own = clip(tmp_path, 64, 32, 16, textured)
    video = File(own).generate(textured(64, 32), "p", "", 0, tmp_path / "video.mp4")
    assert video.path.read_bytes() == own.read_bytes()
    assert video.provenance["source"] == str(own) and len(video.provenance["sha256"]) == 64


def test_a_file_of_another_size_or_rate_is_mended_only_by_flag(tmp_path, textured):
    own, frame0, out = clip(tmp_path, 128, 64, 5, textured), textured(64, 32), tmp_path / "video.mp4"
    with pytest.raises(VideoError) as e:
        File(own).generate(frame0, "p", "", 0, out)
    assert e.value.fix == "scale it: --file.resize"
    with pytest.raises(VideoError, match="5 frames a second") as e:
        File(own, resize=True).generate(frame0, "p", "", 0, out)
    assert "--file.fps=16" in e.value.fix and not out.exists()
    video = File(own, resize=True, fps=10).generate(frame0, "p", "", 0, out)
    assert (video.width, video.height, video.fps, video.frames) == (64, 32, 10, 48)
    assert video == probe(out, **video.provenance)
    assert "128 x 64" in video.provenance["was"]


def test_a_flag_does_not_distort(tmp_path, textured):
    own = clip(tmp_path, 64, 64, 16, textured)
    with pytest.raises(VideoError, match="another aspect ratio"):
        File(own, resize=True).generate(textured(64, 32), "p", "", 0, tmp_path / "video.mp4")


def test_what_is_not_there_is_an_error(tmp_path, textured):
    for flawed, said in [
        (File(), "no video is named"),
        (Command("absent-program"), "no program"),
        (Command(), "empty"),
    ]:
        with pytest.raises(ConfigError, match=said):
            flawed.validate()
    Command(f"{sys.executable} x {{out}}").validate()
    with pytest.raises(ConfigError, match="no video is named"):
        File().generate(textured(64, 32), "p", "", 0, tmp_path / "v.mp4")
    with pytest.raises(VideoError, match="no such file"):
        File(tmp_path / "absent.mp4").generate(textured(64, 32), "p", "", 0, tmp_path / "v.mp4")
