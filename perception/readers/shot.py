"""What a reader has to know of the video that a foreign file belongs to, since few of those files say it."""

from dataclasses import dataclass

import numpy as np

from perception.contracts import EstimateError
from perception.video.video import Video


@dataclass(frozen=True)
class Shot:
    """A video's rate, length and size, and its camera `K` (3, 3) where that is known (a rendered first frame's is)."""

    fps: float
    frames: int
    width: int
    height: int
    K: np.ndarray | None = None

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height)."""
        return self.width, self.height

    def check_length(self, found: int, where: str) -> None:
        """Raise `EstimateError` unless a file with `found` frames can belong to this video."""
        if found != self.frames:
            raise EstimateError(
                f"the file holds {found} frames, the video {self.frames}",
                where=where,
                valid=f"an estimate of the same video, {self.frames} frames",
                fix="run the tool on the very video that is given here (no stride, no other frame rate, not trimmed)",
            )

    def check_size(self, width: float, height: float, where: str, part: float = 0.01) -> None:
        """Raise `EstimateError` unless the tool saw pictures of this size, give or take `part` of it."""
        if abs(width - self.width) > part * self.width or abs(height - self.height) > part * self.height:
            raise EstimateError(
                f"the tool saw {width:.0f} x {height:.0f} pixels, the video has {self.width} x {self.height}",
                where=where,
                valid=f"{self.width} x {self.height} pixels",
                fix="run the tool on the very video that is given here, not on a scaled one",
            )

    def check_frames(self, frames: np.ndarray, where: str) -> None:
        """Raise `EstimateError` unless frame numbers, counted from 0, are all of this video."""
        if len(frames) and not 0 <= frames.min() <= frames.max() < self.frames:
            raise EstimateError(
                f"the file speaks of frames {frames.min()} to {frames.max()}, the video has {self.frames}",
                where=where,
                valid=f"0 to {self.frames - 1}",
                fix="run the tool on the very video that is given here",
            )


def shot_of(video: Video, K: np.ndarray | None = None) -> Shot:
    """The shot of a video file; `K` (3, 3) is the camera's, if known."""
    return Shot(video.fps, video.frames, video.width, video.height, K)


def centred(focal_px: float, shot: Shot) -> np.ndarray:
    """The camera (3, 3) that looks through the middle of the picture."""
    return np.array([[focal_px, 0, shot.width / 2], [0, focal_px, shot.height / 2], [0, 0, 1.0]])
