"""A clip as a camera and a tracker would give it: its object in noisy, hidden or one-sided 2D tracks.

The object's poses are then those that these tracks tell, by perspective-n-point, and no longer the recorded ones.
"""

from dataclasses import asdict, dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import least_squares

from devi_jax.core import rotations as rot
from devi_jax.core.camera import Camera, project
from devi_jax.core.clip import Clip, ObjectPoses, ObjectTracks
from devi_jax.core.errors import ClipError, ConfigError
from envs.scenes.objects.surface_points import sample_oriented
from envs.tracking.clip_camera import choose_camera, object_points, project_object

LEAST_POINTS = 6
"""With fewer visible points a frame's pose is interpolated."""
HIDDEN_S = 1 / 3
"""How long a point is hidden, in the mean."""
SMOOTH_S = 1 / 15
"""Standard deviation of the Gaussian over time by which poses are smoothed: what noise tells of them is no motion."""
OUTLIER_PX = 8.0
"""Beyond this a point's error counts by its size, not its square (Huber)."""


@dataclass(frozen=True)
class TrackDegradation:
    """How 2D tracks are degraded; the defaults leave them exact."""

    noise_px: float = 0.0
    """Standard deviation of each coordinate of each point in each frame, pixels."""
    hidden: float = 0.0
    """Share of points that are hidden at a time, each for a third of a second in the mean."""
    one_sided: bool = False
    """Only points that face the camera in the first frame, where a tracker would begin, and while they do."""

    def validate(self) -> None:
        """Raise `ConfigError` unless all numbers have meaning."""
        if not 0 <= self.noise_px <= 100:
            raise ConfigError(f"noise of {self.noise_px} pixels", where="--noise-px", valid="0 to 100")
        if not 0 <= self.hidden <= 0.95:
            raise ConfigError(f"{self.hidden} of the points hidden", where="--hidden", valid="0 to 0.95")


def degrade_tracks(clip: Clip, how: TrackDegradation, points: int = 128, seed: int = 0) -> Clip:
    """The clip with `points` tracks (fewer if one-sided) and the poses that they tell; provenance has how, and by how
    much these poses are off.

    Raises:
        ClipError: the clip has no object poses to begin with, or too few of its points face the camera.
        ConfigError: `how` has no meaning.
    """
    how.validate()
    thing, truth = clip.scene.object, clip.object_poses
    if thing is None or truth is None or clip.object_start is None:
        raise ClipError("the clip does not say where its object is", where=clip.name, valid="a clip with object poses")
    surface, normals = sample_oriented(thing, points, seed)
    camera = clip.camera or choose_camera(clip, surface)
    facing = _faces(clip, camera, surface, normals)
    if how.one_sided:
        surface, facing = surface[facing[0]], facing[:, facing[0]]
    if len(surface) < LEAST_POINTS:
        raise ClipError(
            f"{len(surface)} of {points} points on the object face the camera",
            where=clip.name,
            valid=f"{LEAST_POINTS} or more",
            fix="add --points",
        )
    rng = np.random.default_rng(seed)
    pixels = project_object(clip, camera, surface)
    pixels = pixels + how.noise_px * rng.standard_normal(pixels.shape)
    visible = facing if how.one_sided else np.ones_like(facing)
    visible = visible & ~_hidden(rng, visible.shape, how.hidden, HIDDEN_S * clip.fps)
    tracks = ObjectTracks(pixels, visible, surface, np.full(len(surface), -1, np.int32))
    poses = solve_poses(tracks, camera, clip.object_start, clip.fps)
    gap = np.linalg.norm(poses.positions - truth.positions, axis=1)
    turn = rot.angle_between(poses.rotations, truth.rotations)
    told = {
        "tracks": asdict(how) | {"points": points, "seed": seed},
        "poses_off": {"rms_m": float(np.sqrt(np.mean(gap**2))), "rms_rad": float(np.sqrt(np.mean(turn**2)))},
    }
    return replace(
        clip,
        camera=camera,
        object_tracks=tracks,
        object_poses=poses,
        provenance={**clip.provenance, "degraded": told},
    )


def solve_poses(tracks: ObjectTracks, camera: Camera, start: np.ndarray, fps: float) -> ObjectPoses:
    """Poses of T frames by perspective-n-point, frame by frame from the one before, the first one given; smoothed.

    Where too few points are visible: in between those of the frames around.
    """
    poses = [np.concatenate([start[:3], np.zeros(3)])]
    known = [0]
    for t in range(1, len(tracks.points_px)):
        seen = tracks.visible[t]
        if seen.sum() < LEAST_POINTS:
            continue
        poses.append(_solve_pose(tracks.points_object[seen], tracks.points_px[t, seen], camera, start, poses[-1]))
        known.append(t)
    told = np.array(poses)
    frames = np.arange(len(tracks.points_px))
    every = np.stack([np.interp(frames, known, told[:, k]) for k in range(6)], axis=1)
    every = gaussian_filter1d(every, SMOOTH_S * fps, axis=0, mode="nearest")
    turned = rot.quat_mul(rot.quat_exp(every[:, 3:]), np.broadcast_to(start[3:], (len(frames), 4)))
    return ObjectPoses(every[:, :3], rot.quat_normalise(turned))


def _solve_pose(
    surface: np.ndarray, pixels: np.ndarray, camera: Camera, start: np.ndarray, guess: np.ndarray
) -> np.ndarray:
    """Position and rotation vector from the start's rotation (6,) that project points (P, 3) best to pixels (P, 2)."""
    upright = rot.rotate(np.broadcast_to(start[3:], (len(surface), 4)), surface)

    def errors(pose: np.ndarray) -> np.ndarray:
        turned = rot.rotate(np.broadcast_to(rot.quat_exp(pose[3:]), (len(upright), 4)), upright)
        return (project(turned + pose[:3], camera.K, camera.T_camera_world)[0] - pixels).ravel()

    return least_squares(errors, guess, loss="huber", f_scale=OUTLIER_PX, x_scale=[0.1, 0.1, 0.1, 1, 1, 1]).x


def _faces(clip: Clip, camera: Camera, surface: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Whether each point (T, P) of the object faces the camera; what hides it otherwise is not asked."""
    assert clip.object_poses is not None
    world = object_points(clip, surface)
    outward = rot.rotate(clip.object_poses.rotations[:, None], np.broadcast_to(normals, world.shape))
    T = camera.T_camera_world
    eye = -T[:3, :3].T @ T[:3, 3]
    return ((eye - world) * outward).sum(axis=-1) > 0


def _hidden(rng: np.random.Generator, shape: tuple[int, int], share: float, frames: float) -> np.ndarray:
    """Which points are hidden when, (T, P): Markov chains, `share` of the time hidden, for `frames` in the mean."""
    out = np.empty(shape, bool)
    leave = 1 / frames
    enter = leave * share / (1 - share)
    out[0] = rng.random(shape[1]) < share
    for t in range(1, shape[0]):
        draw = rng.random(shape[1])
        out[t] = np.where(out[t - 1], draw >= leave, draw < enter)
    return out
