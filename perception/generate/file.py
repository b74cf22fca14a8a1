"""A video that the user has: filmed, or generated elsewhere from the scene's first frame."""

import hashlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from devi_jax.core.errors import ConfigError
from perception.generate.generator import check_fit, same_aspect
from perception.video.video import Video, convert, probe

MEND_SIZE = "scale it: --file.resize"
MEND_RATE = "take frames at a constant rate: --file.fps=16"


@dataclass(frozen=True)
class File:
    """A video file as a generator: prompt and seed do not change it."""

    path: Path | None = None
    """The video: what the scene's camera could have filmed. Its first frame is compared with frame0.png."""
    resize: bool = False
    """Scale a video of the camera's aspect ratio to the camera's size."""
    fps: float | None = None
    """Take frames at this rate, nearest in time; needed where the video's rate varies."""

    def validate(self) -> None:
        """Raise `ConfigError` unless a video is named, `VideoError` unless it is one."""
        probe(self._named())

    def generate(self, frame0: np.ndarray, prompt: str, negative_prompt: str, seed: int, out: Path) -> Video:
        """See `Generator.generate`."""
        source = self._named()
        video = probe(source)
        height, width = frame0.shape[:2]
        provenance = {
            "generator": "file",
            "source": str(source),
            "sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
            "was": video.summary,
        }
        # what a flag mends is judged as it will be
        fps = self.fps or video.fps
        settled = replace(video, fps=fps, frames=round(video.duration_s * fps), even=video.even or self.fps is not None)
        if self.resize and same_aspect(video, width, height):
            settled = replace(settled, width=width, height=height)
        check_fit(settled, width, height, fix=(MEND_SIZE, MEND_RATE))
        if settled == video and source.suffix.lower() == ".mp4":
            shutil.copyfile(source, out)
        else:
            convert(video, out, settled.fps, width, height)
        return probe(out, **provenance)

    def _named(self) -> Path:
        if self.path is None:
            raise ConfigError("no video is named", where="--file.path", valid="the path of a video")
        return self.path
