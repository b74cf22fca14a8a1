"""Panels side by side as an mp4, or a few of their frames as one picture."""

import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from PIL import Image

from devi_jax.core.errors import DeviceError
from devi_jax.runtime.files import replacing
from devi_jax.runtime.panels import Panel, Stage


def film(path: Path, *panels: Panel, fps: int = 30, height: int = 360) -> None:
    """Write an H.264 mp4 of the panels side by side, whole or not at all; `height` is even.

    Raises:
        DeviceError: when this machine cannot render, or cannot write the film.
    """
    with Stage(panels, height) as stage, replacing(path) as temporary:
        _encode(temporary, (stage.image(t) for t in range(stage.frames)), stage.width, height, fps)


def _encode(path: Path, frames: Iterable[np.ndarray], width: int, height: int, fps: int) -> None:
    """Pipe frames, uint8 (height, width, 3), through ffmpeg.

    A plain child process: imageio's own writer forks with Python code to run in the child, which JAX's threads forbid.
    """
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(fps), "-i", "-"]
    codec = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "veryfast", "-crf", "20", "-movflags", "+faststart"]
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
            mend="make room, or name another folder with --out",
        )


def strip(path: Path, *panels: Panel, columns: int = 6, height: int = 300) -> None:
    """Write a PNG with `columns` frames from the first to the last in a row, one row a panel.

    Raises:
        DeviceError: when this machine cannot render.
    """
    rows = []
    for panel in panels:
        with Stage([panel], height) as stage:
            times = np.linspace(0, stage.frames - 1, columns).round().astype(int)
            rows.append(np.concatenate([stage.image(int(t)) for t in times], axis=1))
    widest = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, 0), (0, widest - row.shape[1]), (0, 0))) for row in rows]
    with replacing(path) as temporary:
        Image.fromarray(np.concatenate(padded)).save(temporary)
