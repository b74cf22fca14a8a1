"""A user's film as the other steps look at it: an even rate, an even size, a camera that stands still."""

from collections.abc import Callable
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


def working_film(film: Video, path: Path, even: bool, keep_camera_motion: bool, say: Callable[[str], None]) -> Video:
    """Write the film anew to `path`.

    Args:
        even: a film whose frames are not evenly spaced in time is taken at its mean rate.
        keep_camera_motion: a camera that moves, or shows too little of its background to tell, is left as it is.
        say: told what was found.

    Raises:
        VideoError: a film of a few frames, of an uneven rate, or whose camera moves.
    """
    where = str(film.path)
    if film.frames < LEAST_FRAMES:
        raise VideoError(f"the film has {film.frames} frames", where=where, valid=f"{LEAST_FRAMES} frames or more")
    if not film.even and not even:
        fix = "--even writes it anew at an even rate"
        raise VideoError("its frames are not evenly spaced in time", where=where, valid="a constant rate", fix=fix)
    wide = min(film.width, MOST_WIDE) // 2 * 2
    tall = round(film.height * wide / film.width / 2) * 2
    if film.even:
        video = write(path, resized(read(film), wide, tall), film.fps)
    else:
        video = convert(film, path, float(round(film.fps)), wide, tall)
    say(film.summary)
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
