"""Pictures as imperfect as generated videos are: motion blur, noise, flicker, compression. Poses spoil elsewhere."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from devi_jax.core.errors import ConfigError

GAMMA = 2.2
"""Light is averaged as light: a picture's value is about light to the power of 1 / 2.2."""


@dataclass(frozen=True)
class ImageDegradation:
    """How far pictures are from perfect; the defaults leave them as they are."""

    shutter_frames: int = 1
    """Pictures rendered between two frames and averaged over an open shutter: motion blur. 1 is a sharp picture."""
    noise: float = 0.0
    """Standard deviation of the noise of each pixel, of 255."""
    flicker: float = 0.0
    """Standard deviation of each frame's exposure, as a part of it: 0.02 is as much as generated videos flicker."""
    jpeg_quality: int | None = None
    """Each frame through JPEG of this quality, 1 to 95: blocks and ringing."""
    crf: int = 14
    """x264's quality of the video, 0 (lossless) to 51; generated videos as they are shared have 23 to 30."""

    def validate(self) -> None:
        """Raise `ConfigError` unless all numbers have meaning."""
        quality = 95 if self.jpeg_quality is None else self.jpeg_quality
        for name, good, valid in (
            ("shutter_frames", 1 <= self.shutter_frames <= 64, "1 to 64"),
            ("noise", 0 <= self.noise <= 128, "0 to 128"),
            ("flicker", 0 <= self.flicker <= 0.5, "0 to 0.5"),
            ("jpeg_quality", 1 <= quality <= 95, "1 to 95"),
            ("crf", 0 <= self.crf <= 51, "0 to 51"),
        ):
            if not good:
                where = f"--imperfect.{name.replace('_', '-')}"
                raise ConfigError(f"{name} is {getattr(self, name)}", where=where, valid=valid)


def degrade_frames(frames: Iterable[np.ndarray], knobs: ImageDegradation, seed: int = 0) -> Iterator[np.ndarray]:
    """Frames, uint8 (H, W, 3), as a worse camera and a worse file would have them, in the order of light's way.

    `frames` come `knobs.shutter_frames` times as often as those that leave. The same seed gives the same frames.

    Raises:
        ConfigError: the knobs have no meaning.
    """
    knobs.validate()
    rng = np.random.default_rng(seed)
    for frame in _exposed(frames, knobs.shutter_frames):
        if knobs.flicker:
            frame = _relit(frame, max(0.0, 1 + knobs.flicker * rng.standard_normal()))
        if knobs.noise:
            noisy = frame + knobs.noise * rng.standard_normal(frame.shape, dtype=np.float32)
            frame = noisy.round().clip(0, 255).astype(np.uint8)
        yield frame if knobs.jpeg_quality is None else _jpeg(frame, knobs.jpeg_quality)


def _exposed(frames: Iterable[np.ndarray], count: int) -> Iterator[np.ndarray]:
    """The mean light of each `count` pictures; a rest at the end is a frame of its own."""
    if count == 1:
        yield from frames
        return
    light = (np.arange(256) / 255.0).astype(np.float32) ** GAMMA
    total, seen = None, 0
    for frame in frames:
        total = light[frame] + (0 if total is None else total)
        seen += 1
        if seen == count:
            yield _developed(total / seen)
            total, seen = None, 0
    if total is not None:
        yield _developed(total / seen)


def _relit(frame: np.ndarray, exposure: float) -> np.ndarray:
    values = 255 * ((np.arange(256) / 255) ** GAMMA * exposure).clip(0, 1) ** (1 / GAMMA)
    return values.round().astype(np.uint8)[frame]


def _developed(light: np.ndarray) -> np.ndarray:
    return np.round(255 * light ** (1 / GAMMA)).astype(np.uint8)


def _jpeg(frame: np.ndarray, quality: int) -> np.ndarray:
    packed = io.BytesIO()
    Image.fromarray(frame).save(packed, "JPEG", quality=quality)
    return np.asarray(Image.open(packed))
