"""The camera that a video was taken with, from a file, and whether the video fits it."""

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from devi_jax.core.camera import Camera
from devi_jax.core.errors import CameraError, VideoError
from perception.human.scene_prior import Person
from perception.video.video import Video, turned_deg


@dataclass(frozen=True)
class FilmNotes:
    """What a `video.json` says of its film: what it shows of the person, and whether its camera may move."""

    person: Person = "whole"
    keep_camera_motion: bool = False


def read_camera(path: Path) -> Camera:
    """The camera of a `video.json`, of the folder with one, or of a JSON file of its own.

    Raises:
        CameraError: there is none, or it is not sound.
    """
    path = path / "video.json" if path.is_dir() else path
    try:
        told = json.loads(path.read_text(encoding="utf-8-sig"))
        told = told.get("camera", told)
        K, T_camera_world = (np.array(told[key], float) for key in ("K", "T_camera_world"))
        camera = Camera(K, T_camera_world, int(told["width"]), int(told["height"]))
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"no camera can be read ({type(error).__name__}: {error})"
        valid = "JSON with K (3, 3), T_camera_world (4, 4), width and height"
        raise CameraError(what, where=str(path), valid=valid) from error
    camera.validate(str(path))
    return camera


def read_film_notes(path: Path) -> FilmNotes:
    """The notes in a `video.json` whose camera could be read; those of an imagined film where it says nothing.

    Raises:
        CameraError: they are not of their kind.
    """
    told = json.loads(path.read_text(encoding="utf-8-sig"))
    notes = FilmNotes(told.get("person", "whole"), told.get("keep_camera_motion", False))
    if notes.person not in ("whole", "hands") or not isinstance(notes.keep_camera_motion, bool):
        what = f"person is {notes.person!r}, keep_camera_motion {notes.keep_camera_motion!r}"
        raise CameraError(what, where=str(path), valid="person 'whole' or 'hands', keep_camera_motion true or false")
    return notes


def check_fits_camera(video: Video, camera: Camera) -> Video:
    """The video; raises `VideoError` where its rate, length or size will not do."""
    where = str(video.path)
    if video.frames < 2:
        raise VideoError("the video has one frame: nothing moves", where=where, valid="two frames or more")
    if not video.even:
        fix = f"ffmpeg -i {shlex.quote(where)} -vf fps={round(video.fps)} even.mp4"
        raise VideoError("its frames are not evenly spaced in time", where=where, valid="a constant rate", fix=fix)
    if (video.width, video.height) != (camera.width, camera.height):
        turned = turned_deg(video.path)
        said = f", turned by {turned} degrees as its metadata say" if turned else ""
        swapped = turned % 180 and (video.height, video.width) == (camera.width, camera.height)
        how = "take the turn out of the file: ffmpeg -display_rotation 0 -i VIDEO -c copy unturned.mp4"
        raise VideoError(
            f"the video has {video.width} x {video.height} pixels{said}; the camera {camera.width} x {camera.height}",
            where=where,
            valid="a video of the camera's size",
            fix=f"{how if swapped else 'scale the video'}, or give the camera of this size: --camera",
        )
    return video
