"""Imagined videos for a page: each film small, and a strip of its pictures."""

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from PIL import Image

from devi_jax.core.errors import DeviceError, VideoError
from devi_jax.core.files import replacing
from devi_jax.core.scene_file import Setup

COLUMNS, WIDTH = 6, 320
"""Pictures of a strip, and the width of each in pixels; a film is twice as wide."""

COLOURS = 128
"""Of a strip."""


def write_film(video: Path, out: Path) -> list[Path]:
    """Write `out`.mp4, smaller, and `out`.png, six frames from the first to the last.

    Raises:
        VideoError: there is no such video. DeviceError: it cannot be encoded.
    """
    if not video.is_file():
        raise VideoError(
            "there is no film",
            where=str(video),
            valid="folders written by imagine, named as their scenes",
            fix=f"python -m devi_jax.imagine --scene={out.stem} --out={video.parent}",
        )
    film, strip = out.with_suffix(".mp4"), out.with_suffix(".png")
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(film) as temporary:
        _shrink(video, temporary)
    frames = _frames(film)
    chosen = [frames[i] for i in np.linspace(0, len(frames) - 1, COLUMNS).round().astype(int)]
    row = np.concatenate([np.asarray(Image.fromarray(f).reduce(2)) for f in chosen], axis=1)
    with replacing(strip) as temporary:
        few = Image.fromarray(row).quantize(COLOURS, dither=Image.Dither.NONE)
        few.save(temporary, format="png", optimize=True)
    return [film, strip]


def paragraphs(setups: list[Setup], folder: str) -> list[str]:
    """Markdown lines of one film after another, which lie in `folder`."""
    lines = []
    for setup in setups:
        lines += [
            "",
            f"### {setup.name}",
            "",
            f"“{setup.prompt}” `python -m devi_jax.imagine --scene={setup.name}`; [film]({folder}/{setup.name}.mp4).",
            "",
            f"![Six frames of {setup.name}]({folder}/{setup.name}.png)",
        ]
    return lines


def _shrink(video: Path, out: Path) -> None:
    codec = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "slow", "-crf", "27", "-movflags", "+faststart"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", "-i", str(video)]
    command += ["-vf", f"scale={2 * WIDTH}:-2:flags=area", *codec, "-f", "mp4", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise DeviceError(f"the film could not be written ({done.stderr.strip()[:300]})", where=str(out))


def _frames(film: Path) -> np.ndarray:
    """All frames (T, H, W, 3), as ffmpeg pipes them: each a PPM, whose header of one length tells the size."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(film)]
    piped = subprocess.run([*command, "-f", "image2pipe", "-c:v", "ppm", "-"], capture_output=True, check=True).stdout
    magic, size, depth = piped.split(b"\n", 3)[:3]
    width, height = map(int, size.split())
    header = len(magic) + len(size) + len(depth) + 3
    whole = np.frombuffer(piped, np.uint8).reshape(-1, header + 3 * width * height)
    return whole[:, header:].reshape(-1, height, width, 3)
