"""Object motions without a human: `.npz` of TCDM (Dasari et al. 2023) and MyoDM (Caggiano et al. 2023), from GRAB.

TCDM: `object_translation` (T, 3) of the centre of mass and `object_orientation` (T, 4), 25 Hz. MyoDM: `time` (T,),
`object` (T, 7), position in the mesh's frame and quaternion, and a hand's joints `robot`. Both w first, z up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.clip import ObjectPoses
from devi_jax.core.errors import ClipError
from devi_jax.core.safe_load.npz import Npz

TCDM = frozenset({"object_translation", "object_orientation"})
MYODM = frozenset({"time", "object", "robot"})
"""By which such files are known."""
TCDM_FPS = 25.0
REACH_M = 2.0
"""A thing in somebody's hands moves less far: a larger number is in another unit."""
SPEED_M_S = 8.0
"""Nobody moves a thing faster; a wrong frame rate or unit would."""


@dataclass(frozen=True)
class ObjectMotion:
    """`poses` of one object at `fps`; `origin`: what its position is of; `notes`: what was found and assumed."""

    name: str
    fps: float
    poses: ObjectPoses
    origin: str
    notes: tuple[str, ...]


def is_object_motion(keys: Mapping[str, Any]) -> bool:
    """Whether an archive holds one."""
    return TCDM <= set(keys) or MYODM <= set(keys)


def read_object_motion(path: Path) -> ObjectMotion:
    """The object motion in an archive. Raises `ClipError` for another file, and naming what is wrong in it."""
    data = Npz(path)
    where = str(path)
    if TCDM <= set(data):
        position, rotation, fps = data["object_translation"], data["object_orientation"], TCDM_FPS
        origin, notes = "centre of mass", ("TCDM at 25 Hz, object at its centre of mass",)
    elif MYODM <= set(data):
        position, rotation = data["object"][:, :3], data["object"][:, 3:]
        fps = _rate(np.asarray(data["time"], float), where)
        origin, notes = "mesh", (f"MyoDM at {fps:g} Hz: shorter than the GRAB motion it follows, as released",)
    else:
        raise ClipError(
            f"the archive holds {', '.join(data) or 'nothing'}",
            where=where,
            valid=f"TCDM's {', '.join(sorted(TCDM))} or MyoDM's {', '.join(sorted(MYODM))}",
        )
    position, rotation = np.asarray(position, float), np.asarray(rotation, float)
    _check(position, rotation, fps, where)
    return ObjectMotion(path.stem, fps, ObjectPoses(position, rot.quat_normalise(rotation)), origin, notes)


def of_mesh(motion: ObjectMotion, centre_of_mass: np.ndarray, fps: float) -> ObjectPoses:
    """The poses of the mesh's own frame, whose centre of mass is at `centre_of_mass` (3,), resampled to `fps`."""
    poses = motion.poses
    if motion.origin != "mesh":
        away = rot.rotate(poses.rotations, np.tile(centre_of_mass, (len(poses.positions), 1)))
        poses = ObjectPoses(poses.positions - away, poses.rotations)
    times = np.arange(0, (len(poses.positions) - 1) / motion.fps + 1e-9, 1 / fps) * motion.fps
    low = np.minimum(times.astype(int), len(poses.positions) - 2)
    part = times - low
    positions = poses.positions[low] * (1 - part[:, None]) + poses.positions[low + 1] * part[:, None]
    return ObjectPoses(positions, rot.slerp(poses.rotations[low], poses.rotations[low + 1], part))


def _rate(time: np.ndarray, where: str) -> float:
    steps = np.diff(time)
    if len(steps) < 2 or not np.isfinite(steps).all() or steps.min() <= 0 or np.ptp(steps) > 0.1 * steps.mean():
        raise ClipError(
            "the time does not advance evenly", where=f"{where}: time", valid="seconds, one step from frame to frame"
        )
    return float(np.round(1 / steps.mean(), 3))


def _check(position: np.ndarray, rotation: np.ndarray, fps: float, where: str) -> None:
    if position.shape[1:] != (3,) or rotation.shape != (len(position), 4) or len(position) < 3:
        raise ClipError(
            f"positions and rotations have shapes {position.shape} and {rotation.shape}",
            where=where,
            valid="(T, 3) and (T, 4), at least 3 frames",
        )
    norms = np.linalg.norm(rotation, axis=1)
    if not (np.isfinite(position).all() and np.isfinite(norms).all()) or np.abs(norms - 1).max() > 1e-2:
        raise ClipError("a rotation is no unit quaternion", where=where, valid="finite numbers; quaternions w first")
    speed = np.linalg.norm(np.diff(position, axis=0), axis=1) * fps
    travel = float(np.ptp(position, axis=0).max())
    if travel > REACH_M or speed.max() > SPEED_M_S:
        raise ClipError(
            f"the object travels {travel:.3g} m, at up to {speed.max():.3g} m/s",
            where=where,
            valid=f"metres and seconds: at most {REACH_M:g} m, {SPEED_M_S:g} m/s",
            fix="divide millimetres by 1000",
        )
