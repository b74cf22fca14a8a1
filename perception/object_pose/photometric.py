"""The object followed by its looks: what the first frame shows of its surface, laid over every other frame.

Direct alignment in six degrees of freedom (Baker and Matthews 2004): whatever is visible takes part, and turns out of
the picture's plane, which a flat motion of tracks misses, are seen.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from devi_jax.core import rotations as rot
from perception.object_pose.first_frame_appearance import (
    SurfaceAppearance,
    crop_with_gradients,
    sample_appearance,
    sample_crop,
)
from perception.object_pose.jacobians import PoseOrigin, project_poses


@dataclass(frozen=True)
class PhotometricConfig:
    """How pictures are compared. Intensities are 0 to 255, pixels those of a picture of 1175 px diagonal."""

    blur_px: tuple[float, ...] = (2.5, 1.2, 0.6)
    """Pictures are blurred less and less while the object is being found."""
    steps: int = 8
    """Gauss-Newton steps at each blur."""
    intensity: float = 12.0
    """Standard deviation of a colour that shows the same point."""
    outlier: float = 60.0
    """A colour further off shows something else: a hand."""
    samples: int = 600
    """At most so many points of the surface are compared."""
    worth: float = 30.0
    """All of them together say as much as so many independent ones."""
    step_m: float = 0.03
    """By how much the object leaves its last motion from frame to frame."""
    step_rad: float = 0.10
    """By how much it turns out of it."""
    lost: float = 0.4
    """Mean of the squared colour error over `outlier`, at most 1, beyond which this is not the object."""
    again: float = 0.25
    """The same for an object that was lost: what is plain looks like anything."""
    scale: tuple[float, float] = (0.6, 1.7)
    """An object comes no nearer and goes no further than so many times its first distance."""
    slant: float = 0.15
    """A surface that the camera sees under a smaller cosine does not count."""
    gain: tuple[float, float] = (0.7, 1.4)
    """Light on the object changes by no more than this factor."""
    aside: float = 0.5
    """How well the object fits this far aside, in its radii, tells whether its looks say where it is: plain things on
    a plain ground fit everywhere."""
    distinct: float = 0.1
    """There `lost`'s error has to be larger by this."""


@dataclass(frozen=True)
class PhotometricTrack:
    """Of each frame: the pose (T, 6), how sharply it is known (T, 6, 6), whether the object was found (T,), and whether
    it fits there only and not beside it too (T,)."""

    pose: np.ndarray
    information: np.ndarray
    found: np.ndarray
    distinct: np.ndarray


@dataclass(frozen=True)
class _Fit:
    """One frame's pose (6,), its information (6, 6), and what remains: 0 to 1."""

    pose: np.ndarray
    information: np.ndarray
    cost: float


def track_photometric(
    frames: Iterable[np.ndarray],
    setting: PoseOrigin,
    surface: np.ndarray,
    visible: np.ndarray,
    guess: np.ndarray,
    rests: np.ndarray,
    config: PhotometricConfig,
) -> PhotometricTrack:
    """The object through frames, uint8 RGB (H, W, 3). Once lost, it is found again where `guess` or its last pose is.

    Args:
        surface: points all over it (P, 3), in the world's axes about its origin.
        visible: those of them that the first frame shows (N,).
        guess: poses (T, 6) as tracks tell them, NaN where they do not.
        rests: frames (T,) in which it has not moved yet.
    """
    blurs = [blur * setting.camera.diagonal_px / float(np.hypot(1024, 576)) for blur in config.blur_px]
    pose, information = np.zeros((len(guess), 6)), np.zeros((len(guess), 6, 6))
    found, distinct, speed = np.ones(len(guess), bool), np.ones(len(guess), bool), np.zeros(6)
    skin = None
    for t, image in enumerate(frames):
        skin = skin or sample_appearance(image, setting, surface, visible, blurs, config.slant, config.samples)
        if rests[t]:
            continue
        before = pose[t - 1]
        trials = [before + speed, *([guess[t]] if np.isfinite(guess[t]).all() else [])]
        best = min((_fit(image, skin, setting, trial, blurs, config) for trial in trials), key=lambda fit: fit.cost)
        found[t] = best.cost <= (config.lost if found[t - 1] else config.again) and _near(setting, best.pose, config)
        pose[t] = best.pose if found[t] else before
        information[t] = best.information if found[t] else 0.0
        distinct[t] = found[t] and _distinct(image, skin, setting, best, blurs[-1], config)
        speed = 0.8 * (pose[t] - before) if found[t] and found[t - 1] else np.zeros(6)
    return PhotometricTrack(pose, information, found, distinct)


def _distinct(
    image: np.ndarray, skin: SurfaceAppearance, setting: PoseOrigin, fit: _Fit, blur: float, config: PhotometricConfig
) -> bool:
    """Whether the object fits worse a part of its radius to the left, right, up and down in the picture."""
    radius = np.linalg.norm(skin.points - skin.points.mean(axis=0), axis=-1).max()
    right, down, _ = setting.camera.T_camera_world[:3, :3]
    for way in (right, -right, down, -down):
        pose = fit.pose + np.concatenate([config.aside * radius * way, np.zeros(3)])
        front = _in_front(skin, setting, pose, config)
        if not front.any():
            continue
        px = project_poses(setting, skin.points, pose[None])[0][0]
        now = sample_crop(crop_with_gradients(image, px, blur), px)[:, 0]
        if _compare(now, skin.colours[-1], front, config)[2] < fit.cost + config.distinct:
            return False
    return True


def _near(setting: PoseOrigin, pose: np.ndarray, config: PhotometricConfig) -> bool:
    """Whether the distance to the camera is a plausible one."""
    then, now = (np.linalg.norm(setting.start + p - setting.camera.position_world) for p in (0.0, pose[:3]))
    return bool(config.scale[0] <= now / then <= config.scale[1])


def _fit(
    image: np.ndarray,
    skin: SurfaceAppearance,
    setting: PoseOrigin,
    trial: np.ndarray,
    blurs: list[float],
    config: PhotometricConfig,
) -> _Fit:
    """Gauss and Newton's steps from `trial` (6,), which also holds what the picture does not show."""
    pose, cost = trial.copy(), 1.0
    prior = np.diag(np.repeat([config.step_m, config.step_rad], 3) ** -2.0)
    told = np.zeros((6, 6))
    for blur, colours in zip(blurs, skin.colours, strict=True):
        picture = crop_with_gradients(image, project_poses(setting, skin.points, pose[None])[0][0], blur)
        for _ in range(config.steps):
            px, slope = project_poses(setting, skin.points, pose[None])
            now = sample_crop(picture, px[0])
            front = _in_front(skin, setting, pose, config)
            if not front.any():
                return _Fit(pose, told, 1.0)
            gap, weight, cost = _compare(now[:, 0], colours, front, config)
            jacobian = np.einsum("nkc,nki->nci", now[:, 1:], slope[0])
            weight = weight * config.worth / front.sum() / config.intensity**2
            told = np.einsum("nci,n,ncj->ij", jacobian, weight, jacobian)
            gradient = np.einsum("nci,n,nc->i", jacobian, weight, gap) + prior @ (pose - trial)
            step = np.linalg.solve(told + prior, gradient)
            pose = pose - step
            if np.abs(step).max() < 2e-5:
                break
    return _Fit(pose, told, cost)


def _in_front(skin: SurfaceAppearance, setting: PoseOrigin, pose: np.ndarray, config: PhotometricConfig) -> np.ndarray:
    """Points (N,) whose side the camera sees under this pose."""
    turn = np.broadcast_to(rot.quat_exp(pose[3:]), (len(skin.points), 4))
    to_eye = setting.camera.position_world - (rot.rotate(turn, skin.points) + setting.start + pose[:3])
    return (rot.rotate(turn, skin.normals) * to_eye).sum(-1) >= config.slant * np.linalg.norm(to_eye, axis=-1)


def _compare(
    now: np.ndarray, then: np.ndarray, front: np.ndarray, config: PhotometricConfig
) -> tuple[np.ndarray, np.ndarray, float]:
    """Colours (N, 3) less the first frame's in today's light, Tukey's weights (N,), and the mean error of `lost`."""
    weight, gap, size = front.astype(float), now - then, np.zeros(len(now))
    for _ in range(3):
        total = max(3 * weight.sum(), 1.0)
        mean_then, mean_now = ((weight[:, None] * x).sum() / total for x in (then, now))
        spread = (weight[:, None] * (then - mean_then) ** 2).sum()
        both = (weight[:, None] * (then - mean_then) * (now - mean_now)).sum()
        gain = np.clip(both / max(spread, 1.0), *config.gain)
        gap = now - mean_now - gain * (then - mean_then)
        size = np.linalg.norm(gap, axis=1)
        limit = np.clip(4 * np.median(size[front]), 2 * config.intensity, config.outlier)
        weight = np.where(front & (size < limit), (1 - (size / limit) ** 2) ** 2, 0.0)
    return gap, weight, float((np.minimum(size[front] / config.outlier, 1) ** 2).mean())
