"""Whether a video's camera stands still, as the scene says it does: background tracks, and the motion they agree on.

What moves by itself (person, object) is masked where a mask is known; where not, it is outvoted.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from devi_jax.core.errors import VideoError
from perception.video.video import Video, read

WORKING_WIDTH = 640
"""Tracks are made at this width: fast, and finer than any tolerance."""

MAX_CORNERS, MIN_CORNERS = 400, 12
RETURN_PX = 0.5
"""A track must come back this close to where it began when tracked backwards."""

INLIER_PX = 0.7
REFERENCE_WIDTH = 1024
KEEP = "let the model hold the camera (say 'Stationary camera.'), or keep the motion: --keep-camera-motion"


@dataclass(frozen=True)
class CameraMotion:
    """How the picture of the background moves, in pixels of the video.

    `shift_px` is the largest distance that the picture's middle is away from where it began, `speed_px` its mean step a
    frame, `zoom_percent` and `rotation_deg` the values of largest size, `corner_px` the largest displacement anywhere
    in the picture: zero for a camera on a tripod. `tracks` is how many background points agreed in the worst frame.
    """

    shift_px: float
    speed_px: float
    zoom_percent: float
    rotation_deg: float
    corner_px: float
    tracks: int

    @property
    def summary(self) -> str:
        """All numbers in one line."""
        return (
            f"shift {self.shift_px:.1f} px, {self.speed_px:.2f} px a frame, zoom {self.zoom_percent:+.2f} %, "
            f"rotation {self.rotation_deg:+.2f} degrees, {self.corner_px:.1f} px at most, by {self.tracks} tracks"
        )


class CameraMotionError(VideoError):
    """A video's camera moves; `motion` says how."""

    def __init__(self, motion: CameraMotion, tolerance_px: float, where: str, fix: str = KEEP):
        self.motion = motion
        super().__init__(
            f"the camera of the video moves: {motion.summary}",
            where=where,
            valid=f"a camera that stands still: at most {tolerance_px:.1f} px anywhere in the picture",
            fix=fix,
        )


def camera_motion(video: Video, frame0: np.ndarray | None = None, mask0: np.ndarray | None = None) -> CameraMotion:
    """Measure how the camera of a video moves: the numbers of `camera_paths`, whose arguments and errors it has."""
    paths, tracks = camera_paths(video, frame0, mask0)
    return summarise(paths, video.width, video.height, tracks)


def camera_paths(
    video: Video, frame0: np.ndarray | None = None, mask0: np.ndarray | None = None
) -> tuple[np.ndarray, int]:
    """Similarities (T, 2, 3) from the first frame to each, in pixels of the video, and the least number of tracks.

    Corners of the first frame are followed into every frame (pyramidal Lucas-Kanade, there and back); the similarity
    that most of them agree on (RANSAC) is the camera's. Frames are compared with the first, so that nothing drifts.

    Args:
        video: what to look at.
        frame0: the picture that the video should start with, uint8 RGB (height, width, 3); the motion is then measured
            from this one, so that a video taken from another place is noticed too. Without it: the video's first frame.
        mask0: bool (height, width) of the first frame, True where person or object are; without it they must not show
            more corners that move alike than the background.

    Raises:
        VideoError: too few corners to tell, in the first frame or later.
    """
    scale = min(1.0, WORKING_WIDTH / video.width)
    grey = (_grey(frame, scale) for frame in read(video))
    first = next(grey) if frame0 is None else _grey(frame0, scale)
    corners = _corners(first, mask0)
    if len(corners) < MIN_CORNERS:
        raise _cannot_tell(video, f"the first frame's background has {len(corners)} corners")
    paths, counts = [np.eye(2, 3)], [len(corners)]
    now = corners
    for t, frame in enumerate(grey, start=1):
        now, good = _follow(first, frame, corners, now)
        fit, inliers = (None, None) if good.sum() < MIN_CORNERS else _similarity(corners[good], now[good])
        if fit is None or inliers is None or (agree := int(inliers.sum())) < MIN_CORNERS:
            raise _cannot_tell(video, f"from frame {t} on fewer than {MIN_CORNERS} corners of the background agree")
        # a lost track looks for its corner where the camera's motion would have it
        now = np.where(good[:, None], now, corners @ fit[:, :2].T + fit[:, 2]).astype(np.float32)
        fit[:, 2] /= scale
        paths.append(fit)
        counts.append(agree)
    return np.stack(paths), min(counts)


def check_steady(
    video: Video,
    frame0: np.ndarray | None = None,
    mask0: np.ndarray | None = None,
    tolerance_px: float = 3.0,
    allowed: bool = False,
) -> CameraMotion:
    """Measure the camera's motion and refuse it where it is too much, unless `allowed`.

    Args:
        video, frame0, mask0: see `camera_motion`.
        tolerance_px: how far the background may be displaced anywhere, in pixels of a picture 1024 wide; 3 px are a
            third of a degree at DeVI's focal length.
        allowed: measure only.

    Raises:
        CameraMotionError: the camera moves more than that.
        VideoError: too few corners to tell, and not `allowed`.
    """
    limit = tolerance_px * video.width / REFERENCE_WIDTH
    motion = camera_motion(video, frame0, mask0)
    if motion.corner_px > limit and not allowed:
        raise CameraMotionError(motion, limit, str(video.path))
    return motion


def first_frame_psnr(video: Video, frame0: np.ndarray) -> float:
    """How alike a video's first frame and the picture it was made from are, dB; a re-encoding of it has some 30."""
    error = next(read(video)).astype(float) - frame0
    return float(10 * np.log10(255**2 / max(np.mean(error**2), 1e-9)))


def check_first_frame(video: Video, frame0: np.ndarray, least_db: float = 18.0) -> float:
    """Refuse a video that does not start like `frame0`, uint8 (height, width, 3): its scene and camera are others.

    Raises:
        VideoError: with the measured likeness.
    """
    likeness = first_frame_psnr(video, frame0)
    if likeness < least_db:
        raise VideoError(
            f"the video does not start like the scene's first frame: {likeness:.1f} dB alike",
            where=str(video.path),
            valid=f"{least_db:g} dB (a re-encoding of frame0.png has 30), a video generated from frame0.png",
            fix="generate it from the frame0.png of this scene and camera, or --any-first-frame",
        )
    return likeness


@dataclass(frozen=True)
class VideoCheck:
    """What was measured of a video: its first frame's likeness, dB, and its camera's motion, None if not to be seen."""

    first_frame_db: float
    camera_motion: CameraMotion | None

    @property
    def summary(self) -> str:
        """Both in one line."""
        motion = "not to be seen" if self.camera_motion is None else self.camera_motion.summary
        return f"first frame {self.first_frame_db:.1f} dB; camera: {motion}"


def check_video(
    video: Video, frame0: np.ndarray, mask0: np.ndarray, keep_motion: bool = False, any_first_frame: bool = False
) -> VideoCheck:
    """Both checks of a video that should start like `frame0` with its foreground at `mask0`, each measured only where
    its flag is set. Raises what `check_first_frame` and `check_steady` raise.
    """
    alike = first_frame_psnr(video, frame0) if any_first_frame else check_first_frame(video, frame0)
    # a video that starts elsewhere has its foreground elsewhere too
    reference = (None, None) if any_first_frame else (frame0, mask0)
    try:
        return VideoCheck(alike, check_steady(video, *reference, allowed=keep_motion))
    except VideoError:
        if not keep_motion:
            raise
        return VideoCheck(alike, None)


def _grey(frame: np.ndarray, scale: float) -> np.ndarray:
    size = (round(frame.shape[1] * scale), round(frame.shape[0] * scale))
    return cv2.resize(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)


def _corners(first: np.ndarray, mask0: np.ndarray | None) -> np.ndarray:
    """Corners (N, 2) float32, spread over the background."""
    free = None
    if mask0 is not None:
        size = (first.shape[1], first.shape[0])
        blocked = cv2.resize(mask0.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        # tracking windows reach over the edge of a mask
        free = (cv2.dilate(blocked, np.ones((15, 15), np.uint8)) == 0).astype(np.uint8) * 255
    found = cv2.goodFeaturesToTrack(first, MAX_CORNERS, qualityLevel=0.01, minDistance=10, mask=free)
    return np.zeros((0, 2), np.float32) if found is None else found.reshape(-1, 2)


def _follow(
    first: np.ndarray, frame: np.ndarray, corners: np.ndarray, guess: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where `corners` of the first frame are now, (N, 2), and which of them came back, (N,)."""
    window = {"winSize": (21, 21), "maxLevel": 3, "flags": cv2.OPTFLOW_USE_INITIAL_FLOW}
    there, seen, _ = cv2.calcOpticalFlowPyrLK(first, frame, corners, guess.copy(), **window)
    back, kept, _ = cv2.calcOpticalFlowPyrLK(frame, first, there, corners.copy(), **window)
    good = (seen[:, 0] == 1) & (kept[:, 0] == 1) & (np.linalg.norm(back - corners, axis=1) < RETURN_PX)
    height, width = frame.shape
    return there, good & (there >= 0).all(axis=1) & (there[:, 0] < width) & (there[:, 1] < height)


def _similarity(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Similarity (2, 3) that most pairs agree on, and which those are, (N,) bool."""
    cv2.setRNGSeed(0)
    fit, inliers = cv2.estimateAffinePartial2D(
        source, target, method=cv2.RANSAC, ransacReprojThreshold=INLIER_PX, maxIters=4000, confidence=0.999
    )
    return fit, None if inliers is None else inliers[:, 0].astype(bool)


def summarise(paths: np.ndarray, width: int, height: int, tracks: int) -> CameraMotion:
    """The numbers of similarities (T, 2, 3)."""
    frame = np.array([[width / 2, height / 2], [0, 0], [width, 0], [0, height], [width, height]])
    moved = frame @ paths[:, :, :2].transpose(0, 2, 1) + paths[:, None, :, 2] - frame
    middle = moved[:, 0]
    zoom = 100 * (np.hypot(paths[:, 0, 0], paths[:, 1, 0]) - 1)
    turn = np.degrees(np.arctan2(paths[:, 1, 0], paths[:, 0, 0]))
    steps = np.linalg.norm(np.diff(middle, axis=0), axis=1)
    return CameraMotion(
        shift_px=float(np.linalg.norm(middle, axis=1).max()),
        speed_px=float(steps.mean()) if len(steps) else 0.0,
        zoom_percent=float(zoom[np.abs(zoom).argmax()]),
        rotation_deg=float(turn[np.abs(turn).argmax()]),
        corner_px=float(np.linalg.norm(moved, axis=2).max()),
        tracks=tracks,
    )


def _cannot_tell(video: Video, why: str) -> VideoError:
    return VideoError(
        f"whether the camera moves cannot be seen: {why}",
        where=str(video.path),
        valid=f"at least {MIN_CORNERS} corners, such as a checkered floor's, that stay in the picture",
        fix="--keep-camera-motion takes the video as it is",
    )
