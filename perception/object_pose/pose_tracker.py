"""The object's 6-DoF poses over a video, with metric depth, since its mesh and start are known.

Perspective-n-point on tracks says roughly where it is, its looks say where exactly, and steady motion fills gaps.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

import cv2
import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.errors import ConfigError
from perception.contracts import ObjectMotion, Origin, PointTracks
from perception.human.chain_solver import bend, solve_chain
from perception.human.scene_prior import ScenePrior
from perception.object_pose.jacobians import PoseOrigin, project_poses
from perception.object_pose.photometric import PhotometricConfig, track_photometric
from perception.object_tracks.visible import visible_vertices

LEAST_POINTS = 6
"""Fewer visible points do not tell where an object is."""


@dataclass(frozen=True)
class PoseTrackerConfig:
    """How an object is followed in space."""

    look: PhotometricConfig = field(default_factory=PhotometricConfig)
    trial_px: float = 3.0
    """Tracks that agree to this belong to one rigid object (RANSAC)."""
    agree_px: float = 6.0
    """Where tracks are seen further off than this on the median, looks and tracks do not speak of the same thing, and
    the object counts as not found; in a picture of 1175 px diagonal."""
    step_m: float = 0.02
    """By how much an object moves from frame to frame, at 30 frames a second."""
    step_rad: float = 0.06
    """By how much it turns."""

    def validate(self) -> None:
        """Raise `ConfigError` unless the numbers are positive."""
        if not min(self.trial_px, self.agree_px, self.step_m, self.step_rad) > 0:
            raise ConfigError(
                "a length, an angle or a limit is not positive", where="PoseTrackerConfig", valid="above 0"
            )


def track_pose(
    frames: Iterable[np.ndarray],
    points: PointTracks,
    known: ScenePrior,
    moves: int,
    config: PoseTrackerConfig | None = None,
) -> ObjectMotion:
    """The object's poses; before frame `moves` it rests. One that never moves is found as long as tracks see it.

    Raises:
        ConfigError: the configuration has no meaning.
    """
    config = config or PoseTrackerConfig()
    config.validate()
    start, rests = known.object_start, np.arange(points.frames) < moves
    surface = rot.rotate(np.broadcast_to(start[3:], (len(known.points), 4)), known.points)
    visible, _ = visible_vertices(known.points_world, known.faces, known.camera, known.inside)
    setting = PoseOrigin(known.camera, start[:3])
    guess = pose_of_tracks(points, surface, setting, rests, config.trial_px)
    sight = track_photometric(frames, setting, surface, visible, guess, rests, config.look)
    limit = config.agree_px * known.camera.diagonal_px / float(np.hypot(1024, 576))
    off = off_tracks(points, surface, setting, sight.pose)
    # a frame counts only where something tells the place: looks that fit there alone, or tracks that agree
    found = sight.found & ~(off > limit) & (sight.distinct | (off <= limit))
    if rests.all():
        found &= np.arange(points.frames) <= np.flatnonzero(points.visible.any(axis=1)).max(initial=0)
    step = np.repeat([config.step_m, config.step_rad], 3) * 30 / points.fps
    pose = smooth_poses(sight.pose, sight.information * found[:, None, None], rests, step)
    turned = rot.quat_mul(rot.quat_exp(pose[:, 3:]), np.broadcast_to(start[3:], (points.frames, 4)))
    return ObjectMotion(
        fps=points.fps,
        size_px=points.size_px,
        origin=Origin("perception.object_pose", "Apache-2.0", {"config": asdict(config), "moves": moves}),
        positions=start[:3] + pose[:, :3],
        rotations=turned,
        found=found,
    )


def pose_of_tracks(
    points: PointTracks, surface: np.ndarray, setting: PoseOrigin, rests: np.ndarray, trial_px: float
) -> np.ndarray:
    """Shifts and rotation vectors (T, 6) from the start by PnP on visible tracks; NaN where these do not tell.

    Args:
        surface: the places that `vertex_id` counts, (P, 3), in the world's axes about the object's origin.
    """
    out = np.full((points.frames, 6), np.nan)
    K, T = setting.camera.K, setting.camera.T_camera_world
    turn, where = T[:3, :3], T[:3, :3] @ setting.start + T[:3, 3]
    last = np.zeros(6)
    for t in np.flatnonzero(~rests):
        seen = points.visible[t] & (points.vertex_id >= 0)
        if seen.sum() < LEAST_POINTS:
            continue
        ok, rotvec, shift, agree = cv2.solvePnPRansac(
            surface[points.vertex_id[seen]],
            points.xy[t, seen],
            K,
            np.zeros(4),
            cv2.Rodrigues(turn @ rot.quat_to_matrix(rot.quat_exp(last[3:])))[0],
            (where + turn @ last[:3])[:, None],
            useExtrinsicGuess=True,
            reprojectionError=trial_px,
            flags=cv2.SOLVEPNP_ITERATIVE,
        )
        if ok and agree is not None and len(agree) >= LEAST_POINTS:
            back = rot.quat_log(rot.matrix_to_quat(turn.T @ cv2.Rodrigues(rotvec)[0]))
            last = np.concatenate([turn.T @ (shift[:, 0] - where), _unwrapped(back, last[3:])])
            out[t] = last
    return out


def off_tracks(points: PointTracks, surface: np.ndarray, setting: PoseOrigin, pose: np.ndarray) -> np.ndarray:
    """How far visible tracks are from where the poses (T, 6) have them, median of each frame (T,) in pixels; NaN where
    too few are visible."""
    known = points.vertex_id >= 0
    px, _ = project_poses(setting, surface[points.vertex_id[known]], pose)
    gap = np.linalg.norm(px - points.xy[:, known], axis=-1)
    seen = points.visible[:, known]
    enough = seen.sum(axis=1) >= LEAST_POINTS
    return np.array([np.median(g[v]) if e else np.nan for g, v, e in zip(gap, seen, enough, strict=True)], float)


def smooth_poses(pose: np.ndarray, information: np.ndarray, rests: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Poses (T, 6), known as sharply as `information` (T, 6, 6) says, that change by about `step` (6,) a frame."""
    hold = np.where(rests, 1e9, 1e-6)[:, None, None] * np.eye(6)
    gradient = (hold @ pose[..., None])[..., 0] - step**-2.0 * bend(pose)
    return pose - solve_chain(information + hold, step**-2.0, gradient).reshape(pose.shape)


def _unwrapped(rotvec: np.ndarray, near: np.ndarray) -> np.ndarray:
    """The rotation vector (3,) of the same rotation, whole turns added, that is closest to another."""
    angle = np.linalg.norm(rotvec)
    if angle < 1e-6:
        return rotvec
    turns = np.round((near @ rotvec / angle - angle) / (2 * np.pi))
    return rotvec * (1 + 2 * np.pi * turns / angle)
