"""A clip: the motion of one human, and what is known of one object, that a policy should imitate.

DeVI's hybrid imitation target (Eq. 4-5): the human in 3D, the object as 2D point tracks, optionally with 6-DoF
poses where a source has them. NumPy only, so that perception can write clips where JAX is absent.
The file format lives in `clipfile`.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.camera import Camera
from devi_jax.core.errors import ClipError
from devi_jax.core.scene import SceneSpec
from devi_jax.core.skeleton import JOINTS, PARENTS

N_JOINTS = len(JOINTS)

CONVERT = "write the clip again: python -m devi_jax.clips convert SOURCE --out=CLIP.npz"
"""What mends a clip file whose content is not sound."""


@dataclass(frozen=True)
class ObjectPoses:
    """6-DoF object poses in the world: `positions` (T, 3) metres, `rotations` (T, 4) wxyz."""

    positions: np.ndarray
    rotations: np.ndarray


@dataclass(frozen=True)
class ObjectTracks:
    """2D tracks of M object points in the clip's camera.

    `points_px` (T, M, 2) pixels, `visible` (T, M) bool, `points_object` (M, 3) the same points in the object's frame
    in metres, `vertex_ids` (M,) their mesh vertices or -1.
    """

    points_px: np.ndarray
    visible: np.ndarray
    points_object: np.ndarray
    vertex_ids: np.ndarray


@dataclass(frozen=True)
class Clip:
    """One imitation target of T frames.

    `joint_rotations` (T, 52, 4): unit quaternions wxyz of each joint relative to its parent, the pelvis relative to the
    world; all identity is the T-pose facing +y. `joint_positions` (T, 52, 3): joint centres in the world, metres, with
    the clip's own bone lengths. `contact` (T, 2): 1 where the left/right hand must touch the object (psi, A.9).
    `object_start` (7,): the object's initial position and wxyz rotation, known from the scene even without poses.
    """

    name: str
    fps: float
    joint_rotations: np.ndarray
    joint_positions: np.ndarray
    contact: np.ndarray
    scene: SceneSpec = SceneSpec()
    camera: Camera | None = None
    object_start: np.ndarray | None = None
    object_poses: ObjectPoses | None = None
    object_tracks: ObjectTracks | None = None
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return len(self.joint_rotations)

    @property
    def duration_s(self) -> float:
        """Time from the first to the last frame in seconds."""
        return (self.frames - 1) / self.fps

    @property
    def onset(self) -> int:
        """First frame of hand-object contact; T when there is none."""
        touched = np.flatnonzero(self.contact.max(axis=1) > 0.5)
        return int(touched[0]) if len(touched) else self.frames


def global_rotations(local: np.ndarray) -> np.ndarray:
    """World rotations (T, 52, 4) from parent-relative ones (T, 52, 4)."""
    out = np.array(local, copy=True)
    for i, parent in enumerate(PARENTS):
        if parent >= 0:
            out[:, i] = rot.quat_mul(out[:, parent], local[:, i])
    return out


def bone_offsets(clip: Clip) -> np.ndarray:
    """Joint offsets from the parent in the T-pose, (52, 3) metres, zero for the pelvis; the median over frames.

    A clip brings its own bone lengths: its body follows from its positions and rotations alone.
    """
    world = global_rotations(clip.joint_rotations)
    out = np.zeros((N_JOINTS, 3))
    for i, parent in enumerate(PARENTS):
        if parent >= 0:
            step = clip.joint_positions[:, i] - clip.joint_positions[:, parent]
            out[i] = np.median(rot.rotate_inverse(world[:, parent], step), axis=0)
    return out


def forward_kinematics(local: np.ndarray, root: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Joint positions (T, 52, 3) of rotations (T, 52, 4), root positions (T, 3) and bone offsets (52, 3)."""
    world = global_rotations(local)
    out = np.zeros((*local.shape[:2], 3))
    out[:, 0] = root
    for i, parent in enumerate(PARENTS):
        if parent >= 0:
            out[:, i] = out[:, parent] + rot.rotate(world[:, parent], np.broadcast_to(offsets[i], (len(local), 3)))
    return out


def resample(clip: Clip, fps: float) -> Clip:
    """The clip at another frame rate: linear positions, geodesic rotations, nearest labels and visibility."""
    if abs(clip.fps - fps) < 1e-6 or clip.frames < 2:
        return replace(clip, fps=fps) if clip.frames < 2 else clip
    times = np.arange(0, clip.duration_s + 1e-9, 1 / fps) * clip.fps
    low = np.minimum(times.astype(int), clip.frames - 2)
    fraction = times - low
    nearest = np.minimum(np.rint(times).astype(int), clip.frames - 1)

    def linear(x: np.ndarray) -> np.ndarray:
        f = fraction.reshape(-1, *[1] * (x.ndim - 1))
        return x[low] * (1 - f) + x[low + 1] * f

    def geodesic(q: np.ndarray) -> np.ndarray:
        f = np.broadcast_to(fraction.reshape(-1, *[1] * (q.ndim - 2)), (len(low), *q.shape[1:-1]))
        return rot.slerp(q[low], q[low + 1], f)

    poses, tracks = clip.object_poses, clip.object_tracks
    return replace(
        clip,
        fps=fps,
        joint_rotations=geodesic(clip.joint_rotations),
        joint_positions=linear(clip.joint_positions),
        contact=clip.contact[nearest],
        object_poses=poses and ObjectPoses(linear(poses.positions), geodesic(poses.rotations)),
        object_tracks=tracks and replace(tracks, points_px=linear(tracks.points_px), visible=tracks.visible[nearest]),
    )


def crop(clip: Clip, start: int, stop: int) -> Clip:
    """Frames start..stop-1 of a clip; the object starts where its pose at `start` says, if it has poses."""
    if not 0 <= start < stop <= clip.frames:
        raise ClipError(
            f"cannot take frames {start}:{stop} of {clip.frames}",
            where=f"{clip.name}: --start, --stop",
            valid=f"0 <= start < stop <= {clip.frames}",
        )
    part = slice(start, stop)
    poses, tracks = clip.object_poses, clip.object_tracks
    begin = clip.object_start
    if poses is not None and start > 0:
        begin = np.concatenate([poses.positions[start], poses.rotations[start]])
    return replace(
        clip,
        joint_rotations=clip.joint_rotations[part],
        joint_positions=clip.joint_positions[part],
        contact=clip.contact[part],
        object_start=begin,
        object_poses=poses and ObjectPoses(poses.positions[part], poses.rotations[part]),
        object_tracks=tracks and replace(tracks, points_px=tracks.points_px[part], visible=tracks.visible[part]),
    )


def body_only(clip: Clip) -> Clip:
    """The human's motion alone: no object, nothing to touch."""
    return replace(
        clip,
        contact=np.zeros_like(clip.contact),
        scene=replace(clip.scene, object=None, props=()),
        object_start=None,
        object_poses=None,
        object_tracks=None,
    )


def validate(clip: Clip, where: str) -> None:
    """Raise `ClipError` naming the field unless every array has its shape and holds usable numbers."""
    t = clip.frames
    arrays: dict[str, tuple[np.ndarray | None, tuple[int | None, ...]]] = {
        "joint_rotations": (clip.joint_rotations, (t, N_JOINTS, 4)),
        "joint_positions": (clip.joint_positions, (t, N_JOINTS, 3)),
        "contact": (clip.contact, (t, 2)),
        "object_start": (clip.object_start, (7,)),
    }
    if clip.object_poses is not None:
        arrays["object_positions"] = (clip.object_poses.positions, (t, 3))
        arrays["object_rotations"] = (clip.object_poses.rotations, (t, 4))
    if clip.object_tracks is not None:
        tracks = clip.object_tracks
        m = tracks.vertex_ids.size
        arrays["object_points_px"] = (tracks.points_px, (t, m, 2))
        arrays["object_points_visible"] = (tracks.visible, (t, m))
        arrays["object_points_object"] = (tracks.points_object, (m, 3))
        arrays["object_vertex_ids"] = (tracks.vertex_ids, (m,))
    if t < 2:
        raise ClipError(f"clip has {t} frame(s)", where=where, valid="at least 2 frames", fix=CONVERT)
    if not 1 <= clip.fps <= 1000:
        raise ClipError(f"fps is {clip.fps}", where=f"{where}: fps", valid="1 to 1000 frames a second", fix=CONVERT)
    for key, (value, shape) in arrays.items():
        if value is not None:
            _check_array(value, shape, f"{where}: {key}")
    if clip.contact.min() < 0 or clip.contact.max() > 1:
        raise ClipError("a contact label is no label", where=f"{where}: contact", valid="0 to 1", fix=CONVERT)
    for key in ("joint_rotations", "object_rotations"):
        value = arrays.get(key, (None, ()))[0]
        if value is not None:
            _check_quaternions(value, f"{where}: {key}")
    if clip.object_start is not None:
        _check_quaternions(clip.object_start[None, 3:], f"{where}: object_start[3:]")
    clip.scene.validate(f"{where}: scene")
    if clip.scene.object is not None and clip.object_start is None:
        raise ClipError(
            "the scene has an object but the clip does not say where it starts",
            where=f"{where}: object_start",
            valid="(7,): position in metres and wxyz rotation",
            fix=CONVERT,
        )
    if clip.camera is not None:
        clip.camera.validate(f"{where}: camera")


def _check_array(value: np.ndarray, shape: tuple[int | None, ...], where: str) -> None:
    if value.shape != shape:
        raise ClipError(f"array has shape {value.shape}", where=where, valid=f"shape {shape}", fix=CONVERT)
    if not np.isfinite(value.astype(float)).all():
        frame = int(np.argwhere(~np.isfinite(value.astype(float)))[0][0])
        raise ClipError(
            f"array has a value that is not finite (first at frame {frame})",
            where=where,
            valid="finite numbers in every frame",
            fix=f"cut or fill the frame at the source, then {CONVERT}",
        )


def _check_quaternions(value: np.ndarray, where: str) -> None:
    norms = np.linalg.norm(value, axis=-1)
    if (norms < 0.5).any():
        frame = int(np.argwhere(norms < 0.5)[0][0])
        raise ClipError(
            f"zero quaternion at frame {frame}",
            where=where,
            valid="unit quaternions, w first",
            fix=f"cut the frame at the source, then {CONVERT}",
        )
    if (np.abs(norms - 1) > 1e-2).any():
        raise ClipError(
            "quaternions are not of unit length", where=where, valid="norm 1 within 0.01, w first", fix=CONVERT
        )
