"""What every generator does, and what every video has to be before anything is recovered from it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from devi_jax.core.errors import VideoError
from perception.video.video import Video

ASPECT_TOLERANCE = 0.01
"""Aspect ratios that differ by less are the same picture at another size."""


@runtime_checkable
class Generator(Protocol):
    """From a first frame and a sentence to a video."""

    def validate(self) -> None:
        """Raise what `generate` would raise, as far as that can be known before there is a frame."""
        ...

    def generate(self, frame0: np.ndarray, prompt: str, negative_prompt: str, seed: int, out: Path) -> Video:
        """Write a video that starts like `frame0`, uint8 RGB (H, W, 3), to the .mp4 `out`.

        Raises:
            DeviceError: this machine lacks what the generator needs.
            ConfigError: its settings have no meaning.
            VideoError: it left no video, or one that is not usable.
        """
        ...


@dataclass(frozen=True)
class VideoLimits:
    """Videos that the later stages take."""

    min_fps: float = 8.0
    max_fps: float = 60.0
    min_seconds: float = 1.0
    max_seconds: float = 20.0


def same_aspect(video: Video, width: int, height: int) -> bool:
    """Whether scaling makes the video `width` x `height` without visible distortion."""
    return abs(video.width * height / (video.height * width) - 1) < ASPECT_TOLERANCE


def check_fit(
    video: Video, width: int, height: int, limits: VideoLimits | None = None, fix: tuple[str, str] = ("", "")
) -> None:
    """Raise `VideoError`, with numbers, unless `video` is what a camera of `width` x `height` pixels could have filmed.

    `fix`: what a user may do about the size, and about the frame rate.
    """
    limits = limits or VideoLimits()
    resize, resample = fix
    where = f"{video.path} ({video.summary})"
    if (video.width, video.height) != (width, height):
        same = same_aspect(video, width, height)
        shape = (
            "" if same else f", of another aspect ratio ({video.width / video.height:.3f}, not {width / height:.3f})"
        )
        raise VideoError(
            f"the video has {video.width} x {video.height} pixels, the scene's camera {width} x {height}{shape}",
            where=where,
            valid=f"{width} x {height} pixels, filmed from frame0.png",
            fix=resize if same else "",
        )
    if not video.even:
        raise VideoError(
            "the gaps between the video's frames differ", where=where, valid="a constant frame rate", fix=resample
        )
    if not limits.min_fps <= video.fps <= limits.max_fps:
        valid = f"{limits.min_fps:g} to {limits.max_fps:g} frames a second"
        raise VideoError(f"the video has {video.fps:g} frames a second", where=where, valid=valid, fix=resample)
    if not limits.min_seconds <= video.duration_s <= limits.max_seconds:
        raise VideoError(
            f"the video takes {video.duration_s:.2f} s ({video.frames} frames)",
            where=where,
            valid=f"{limits.min_seconds:g} to {limits.max_seconds:g} s, one action from its beginning to its end",
        )
