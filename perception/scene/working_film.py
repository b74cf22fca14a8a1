"""A user's film as the other steps look at it: a part, an even rate, an even size, a camera that stands still."""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

from devi_jax.core.errors import VideoError
from perception.video.camera_motion import CameraMotionError, camera_paths, summarise
from perception.video.steady import resized, steadied
from perception.video.video import Video, convert, read, write

MOST_WIDE = 1024
"""Wider films are made smaller: networks and trackers look at less."""
LEAST_FRAMES = 10
STILL_PX, STEADIED_PX = 1.5, 12.0
"""By how much a camera may drift, in pixels of a picture 1024 wide, until it is steadied, and until it is refused."""


def working_film(
    film: Video,
    path: Path,
    even: bool,
    keep_camera_motion: bool,
    say: Callable[[str], None],
    seconds: tuple[float, float] | None = None,
) -> Video:
    """Write the film anew to `path`.

    Args:
        seconds: from when to when of it; all of it where that is not said.
        even: a film whose frames are not evenly spaced in time is taken at its mean rate.
        keep_camera_motion: a camera that moves, or shows too little of its background to tell, is left as it is.
        say: told what was found.

    Raises:
        VideoError: a film of a few frames, of an uneven rate, or whose camera moves; seconds that it does not have.
    """
    where = str(film.path)
    first, end = (0, film.frames) if seconds is None else part(film, seconds)
    if end - first < LEAST_FRAMES:
        counted = f"{end - first} {'frame' if end - first == 1 else 'frames'}"
        raise VideoError(f"the film has {counted}", where=where, valid=f"{LEAST_FRAMES} frames or more")
    if not film.even and not even:
        fix = "--even writes it anew at an even rate"
        raise VideoError("its frames are not evenly spaced in time", where=where, valid="a constant rate", fix=fix)
    wide = min(film.width, MOST_WIDE) // 2 * 2
    tall = round(film.height * wide / film.width / 2) * 2
    even_film = film if film.even else convert(film, path, float(round(film.fps)), wide, tall)
    video = even_film
    if film.even or seconds:
        first, end = (0, video.frames) if seconds is None else part(video, seconds)
        video = write(path, resized(islice(read(video), first, end), wide, tall), video.fps)
    say(replace(film, frames=video.frames).summary)
    try:
        paths, tracks = camera_paths(video)
    except VideoError as error:
        if not keep_camera_motion:
            raise VideoError(error.what, where=where, valid=error.valid, fix=error.fix) from error
        say("whether the camera moves is not to be seen")
        return video
    motion = summarise(paths, video.width, video.height, tracks)
    say(motion.summary)
    limit = STEADIED_PX * video.width / 1024
    if motion.corner_px > limit and not keep_camera_motion:
        raise CameraMotionError(motion, limit, where, "film with a camera that stands, or --keep-camera-motion")
    if keep_camera_motion or motion.corner_px <= STILL_PX * video.width / 1024:
        return video
    say("steadied")
    return write(path, steadied(read(video), paths), video.fps)


def part(film: Video, seconds: tuple[float, float]) -> tuple[int, int]:
    """The first frame from some seconds to others, and the one after the last. Raises `VideoError` for others."""
    start, stop = seconds
    if not 0 <= start < stop <= film.duration_s + 1 / film.fps:
        raise VideoError(
            f"the film does not have seconds {start:g} to {stop:g}",
            where=str(film.path),
            valid=f"two numbers, the lesser first, from 0 to {film.duration_s:.1f}",
        )
    return round(start * film.fps), min(round(stop * film.fps), film.frames)
