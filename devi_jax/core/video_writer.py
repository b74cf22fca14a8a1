"""Frames to an H.264 mp4, through the ffmpeg program that comes with imageio-ffmpeg."""

import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from devi_jax.core.errors import DeviceError


def encode(path: Path, frames: Iterable[np.ndarray], width: int, height: int, fps: float, crf: int = 20) -> None:
    """Pipe frames, uint8 (height, width, 3) of even size, through ffmpeg; `crf` 0 (lossless) to 51 (worst).

    A plain child process: imageio's own writer forks with Python code to run in the child, which JAX's threads forbid.

    Raises:
        DeviceError: the file cannot be written; what was written of it stays for the caller to remove.
    """
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", f"{fps:g}", "-i", "-"]
    quality = ["-preset", "veryfast", "-crf", str(crf), "-movflags", "+faststart"]
    codec = ["-c:v", "libx264", "-pix_fmt", "yuv420p", *quality]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", *raw, *codec, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as encoder:
        assert encoder.stdin is not None and encoder.stderr is not None
        with suppress(BrokenPipeError), encoder.stdin as pipe:  # ffmpeg's reason is on its stderr
            for frame in frames:
                pipe.write(frame.tobytes())
        said = encoder.stderr.read().decode(errors="replace").strip()
    if encoder.returncode:
        raise DeviceError(
            f"the film could not be written ({said[:300]})",
            where=str(path),
            valid="a folder with space on a disk that can be written",
            fix="make room, or name another folder with --out",
        )
