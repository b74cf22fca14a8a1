"""Videos as files: what one holds, its frames one after the other, and frames back to a file."""

import itertools
import re
import subprocess
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np

from devi_jax.core.errors import VideoError
from devi_jax.core.files import replacing
from devi_jax.core.video_writer import encode

EVEN_PART, EVEN_S = 0.1, 2.1e-3
"""Gaps between frames that differ by less than this part of a gap, or these seconds, are even: containers round."""

FINE_CRF = 14
"""x264's quality for videos that trackers read: hardly distinguishable, some 2 MB for five seconds."""


@dataclass(frozen=True)
class Video:
    """A video file: `frames` pictures of `width` x `height` pixels, `fps` a second on average.

    `even` is False where the gaps between frames differ. `provenance` says who made it, and with which settings.
    """

    path: Path
    fps: float
    frames: int
    width: int
    height: int
    even: bool = True
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def duration_s(self) -> float:
        """How long it plays, seconds."""
        return self.frames / self.fps

    @property
    def summary(self) -> str:
        """Size, length and rate in one line."""
        return f"{self.width} x {self.height}, {self.frames} frames at {self.fps:g} fps, {self.duration_s:.1f} s"


def probe(path: str | Path, **provenance: Any) -> Video:
    """Decode a video once and say what it holds; `provenance` becomes the video's.

    Raises:
        VideoError: there is no such file, it is no video, it breaks off, or it has no frames.
    """
    path = Path(path)
    log = _ffmpeg(path, ["-fps_mode", "passthrough", "-enc_time_base", "demux", "-f", "framecrc", "-"])
    text = log.decode(errors="replace")
    base = re.search(r"^#tb 0: (\d+)/(\d+)", text, re.MULTILINE)
    size = re.search(r"^#dimensions 0: (\d+)x(\d+)", text, re.MULTILINE)
    # a line a frame: stream, decoding time, presentation time, duration, bytes, checksum
    times = np.array([int(line.split(",")[2]) for line in text.splitlines() if line and line[0] != "#"], float)
    if base is None or size is None or len(times) == 0:
        raise VideoError("the video has no frames", where=str(path), valid="a video with at least one frame")
    times *= int(base[1]) / int(base[2])
    gaps = np.diff(times)
    fps = len(gaps) / (times[-1] - times[0]) if len(gaps) and times[-1] > times[0] else _stated_fps(path)
    even = bool(len(gaps) == 0 or np.ptp(gaps) <= max(EVEN_PART / fps, EVEN_S))
    return Video(path, _tidy(fps), len(times), int(size[1]), int(size[2]), even, provenance)


def turned_deg(path: Path) -> int:
    """By how many degrees the file's metadata have its pictures turned for display; 0 where they say nothing."""
    stated = re.search(rb"rotation of (-?[\d.]+) degrees", _header(path))
    return round(float(stated[1])) % 360 if stated else 0


def read(video: Video) -> Generator[np.ndarray, None, None]:
    """Frames as uint8 RGB (height, width, 3), one after the other, each once.

    Raises:
        VideoError: the file breaks off.
    """
    size = video.width * video.height * 3
    command = _command(video.path, ["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as decoder:
        assert decoder.stdout is not None
        try:
            for t in range(video.frames):
                raw = decoder.stdout.read(size)
                if len(raw) < size:
                    raise VideoError(f"the video breaks off at frame {t} of {video.frames}", where=str(video.path))
                yield np.frombuffer(raw, np.uint8).reshape(video.height, video.width, 3)
        finally:
            decoder.stdout.close()
            decoder.kill()


def write(path: str | Path, frames: Iterable[np.ndarray], fps: float, crf: int = FINE_CRF, **provenance: Any) -> Video:
    """Write frames, uint8 RGB (height, width, 3), as an H.264 mp4, whole or not at all.

    Raises:
        VideoError: no frames, frames of different sizes, or a size that is odd (H.264 halves the colours' resolution).
        DeviceError: the file cannot be written.
    """
    path = Path(path)
    rest = iter(frames)
    first = next(rest, None)
    if first is None:
        raise VideoError("there are no frames to write", where=str(path))
    height, width = first.shape[:2]
    if height % 2 or width % 2:
        raise VideoError(f"frames are {width} x {height} pixels", where=str(path), valid="even width and height")
    count = 0

    def counted() -> Iterator[np.ndarray]:
        nonlocal count
        for frame in itertools.chain([first], rest):
            if frame.shape != (height, width, 3) or frame.dtype != np.uint8:
                raise VideoError(
                    f"frame {count} is {frame.dtype} {frame.shape}",
                    where=str(path),
                    valid=f"uint8 ({height}, {width}, 3)",
                )
            count += 1
            yield frame

    with replacing(path) as temporary:
        encode(temporary, counted(), width, height, fps, crf)
    return Video(path, fps, count, width, height, True, provenance)


def convert(video: Video, out: Path, fps: float, width: int, height: int) -> Video:
    """The video at another rate and size: frames nearest in time, pictures scaled by area or bicubic."""
    filters = f"fps={fps:g},scale={width}:{height}:flags=bicubic"
    quality = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", str(FINE_CRF), "-movflags", "+faststart"]
    with replacing(out) as temporary:
        _ffmpeg(video.path, ["-vf", filters, *quality, "-y", str(temporary)])
    return probe(out, **video.provenance)


def _command(path: Path, output: list[str]) -> list[str]:
    return [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-nostdin",
        "-xerror",
        "-i",
        str(path),
        "-map",
        "0:v:0",
        *output,
    ]


def _ffmpeg(path: Path, output: list[str]) -> bytes:
    """Run ffmpeg on a file; what it writes to stdout."""
    if not path.is_file():
        raise VideoError("there is no such file", where=str(path), valid="a video such as .mp4, .webm, .mov or .gif")
    done = subprocess.run(_command(path, output), capture_output=True)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise VideoError(
            f"the file cannot be read as a video ({said[-1] if said else 'no reason given'})",
            where=str(path),
            valid="a video such as .mp4, .webm, .mov or .gif",
        )
    return done.stdout


def _stated_fps(path: Path) -> float:
    """The rate that the file's header states: what there is to know about a video of one frame."""
    stated = re.search(rb"([\d.]+) fps", _header(path))
    return float(stated[1]) if stated else 1.0


def _header(path: Path) -> bytes:
    """What ffmpeg says of a file before it decodes anything."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-i", str(path)]
    return subprocess.run(command, capture_output=True).stderr


def _tidy(fps: float) -> float:
    """A rate without the rounding of the container's clock: 29.9999 is 30."""
    return float(round(fps) if abs(fps - round(fps)) < 0.01 else round(fps, 3))
