"""The last step of perception: what was recovered from a video becomes a clip, contact labels included.

The other side of this file is `devi_jax.core.clip_io`: nothing crosses to the simulator but the `.npz`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.camera import Camera, project
from devi_jax.core.clip import Clip, ObjectPoses, ObjectTracks, validate
from devi_jax.core.clip_io import save_clip
from devi_jax.core.errors import ClipError
from devi_jax.core.scene import SceneSpec
from devi_jax.core.skeleton import HAND_BODIES, JOINTS, SMPLX_JOINTS
from perception.contact.by_object_poses import by_object_poses
from perception.contact.contact_labels import ContactConfig, contact_labels
from perception.contracts import ObjectMotion
from perception.human.interpolate import fill_positions, fill_rotations, longest_gap

GAP_S = 0.2
"""An object that is not found for longer has no poses: nobody knows where it was meanwhile."""


@dataclass(frozen=True)
class Reconstruction:
    """One video's human in 3D and object in 2D, in the world of the scene (z up, human first at the origin facing +y).

    `rotations` and `positions`: by SMPL-X joint name, (T, 4) wxyz relative to the parent and (T, 3) metres; the three
    face joints may be there and are left out. `object_start` (7,): position and wxyz rotation before any contact.
    `object_motion`: where it was after that, as far as it was found. `object_seen` (T,): frames in which something
    showed where; in the others of `object_motion` it was carried. None: it was seen wherever it was found. `seen_near`:
    of hands seen from near by, whose object's poses say as well when they hold it.
    """

    fps: float
    rotations: Mapping[str, np.ndarray]
    positions: Mapping[str, np.ndarray]
    camera: Camera
    scene: SceneSpec = SceneSpec()
    object_tracks: ObjectTracks | None = None
    object_start: np.ndarray | None = None
    object_motion: ObjectMotion | None = None
    object_seen: np.ndarray | None = None
    seen_near: bool = False
    provenance: Mapping[str, Any] = field(default_factory=dict)


def to_clip(name: str, recovered: Reconstruction, contact: ContactConfig | None = None) -> Clip:
    """A validated clip. Contact labels are Algorithm 1's (A.7); there are none without object tracks.

    Object poses are an estimate, for planning and judging; `provenance["object_poses"]` says by how much they miss the
    tracks and how often the object was not found. Gaps up to `GAP_S` are filled, longer ones leave the clip without
    poses, and the reason stands there.

    Raises:
        ClipError: joints are missing, unknown or of different lengths, or an array is not usable.
        ConfigError: `contact` has no meaning.
    """
    rotations = _stack(recovered.rotations, f"{name}: rotations")
    positions = _stack(recovered.positions, f"{name}: positions")
    poses, told = _object_poses(recovered)
    clip = Clip(
        name=name,
        fps=recovered.fps,
        joint_rotations=rotations,
        joint_positions=positions,
        contact=np.zeros((len(rotations), 2)),
        scene=recovered.scene,
        camera=recovered.camera,
        object_start=recovered.object_start,
        object_poses=poses,
        object_tracks=recovered.object_tracks,
        provenance={**recovered.provenance, "object_poses": told},
    )
    validate(clip, name)
    return _with_contact(clip, recovered.camera, contact or ContactConfig(), recovered.seen_near)


def export(name: str, recovered: Reconstruction, path: str | Path, contact: ContactConfig | None = None) -> Path:
    """Write the clip of `to_clip` to `path`, whole or not at all."""
    return save_clip(to_clip(name, recovered, contact), path)


def _stack(joints: Mapping[str, np.ndarray], where: str) -> np.ndarray:
    """Arrays by joint name as one array (T, 52, .) in the order of `JOINTS`."""
    absent = [n for n in JOINTS if n not in joints]
    unknown = [n for n in joints if n not in SMPLX_JOINTS]
    if absent or unknown:
        raise ClipError(
            f"joint names do not match: unknown {unknown[:5]}, absent {absent[:5]}",
            where=where,
            valid=f"SMPL-X's joint names ({JOINTS[0]}, {JOINTS[1]}, ...), in any order",
        )
    lengths = {len(joints[n]) for n in JOINTS}
    if len(lengths) > 1:
        raise ClipError(
            f"joints have {sorted(lengths)} frames", where=where, valid="the same number of frames for every joint"
        )
    return np.stack([np.asarray(joints[n], dtype=float) for n in JOINTS], axis=1)


def _object_poses(recovered: Reconstruction) -> tuple[ObjectPoses | None, dict[str, Any]]:
    """The object's poses with short gaps filled, and what is to be said of them."""
    motion, tracks = recovered.object_motion, recovered.object_tracks
    if motion is None:
        return None, {"source": "none", "why": "nothing followed the object in space"}
    seen = motion.found if recovered.object_seen is None else recovered.object_seen
    gap, most = longest_gap(motion.found), int(GAP_S * recovered.fps)
    told: dict[str, Any] = {
        "source": "estimated from the video",
        "stage": "object",
        "tool": motion.origin.tool or "unknown",
        "found": float(seen.mean()),
        "carried_frames": np.flatnonzero(motion.found & ~seen).tolist(),
        "longest_gap_frames": gap,
    }
    if gap > most:
        where = int(np.flatnonzero(~motion.found)[0])
        why = f"not found for {gap} frames in a row, {most} may be filled; first lost in frame {where}"
        return None, told | {"source": "none", "why": why}
    poses = ObjectPoses(fill_positions(motion.positions, motion.found), fill_rotations(motion.rotations, motion.found))
    if tracks is not None:
        off = off_tracks_px(poses, tracks, recovered.camera)
        told["off_tracks_px"] = float(np.nanmedian(off)) if np.isfinite(off).any() else None
    return poses, told


def off_tracks_px(poses: ObjectPoses, tracks: ObjectTracks, camera: Camera) -> np.ndarray:
    """How far tracks are from where the poses have them (T, P), pixels; NaN where they are not visible."""
    every = np.broadcast_to(tracks.points_object, (*tracks.visible.shape, 3))
    turns = np.broadcast_to(poses.rotations[:, None], (*tracks.visible.shape, 4))
    px, _ = project(rot.rotate(turns, every) + poses.positions[:, None], camera.K, camera.T_camera_world)
    return np.where(tracks.visible, np.linalg.norm(px - tracks.points_px, axis=-1), np.nan)


def _with_contact(clip: Clip, camera: Camera, config: ContactConfig, seen_near: bool) -> Clip:
    """The clip with labels from its own projected hand joints and object tracks; if `seen_near`, also from its object's
    poses."""
    config.validate()
    tracks = clip.object_tracks
    if tracks is None:
        return clip
    hands = np.stack([clip.joint_positions[:, list(side)] for side in HAND_BODIES], axis=1)
    hands_px, _ = project(hands, camera.K, camera.T_camera_world)
    labels = contact_labels(tracks.points_px, tracks.visible, hands_px, camera.diagonal_px, clip.fps, config)
    if seen_near and clip.object_poses is not None:
        found = np.ones(clip.frames, bool)
        labels = by_object_poses(labels > 0.5, clip.object_poses.positions, found, clip.fps).astype(float)
    return replace(clip, contact=labels)
