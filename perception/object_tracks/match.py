"""Where the object of the first frame is in another one: patches matched by Lucas-Kanade, checked, agreed by RANSAC."""

from dataclasses import dataclass

import cv2
import numpy as np

from perception.object_tracks.template import Template, TemplateConfig, apply_transform, compose_transforms, warped


@dataclass(frozen=True)
class MatchConfig:
    """When the object counts as found. Pixels are those of the video."""

    agree_px: float = 1.0
    """Corners this near to where the motion of the others takes them belong to the object."""
    least_corners: int = 6
    sure: float = 0.9
    """Where enough corners correlate as much as this, the others have no say."""
    least_part: float = 0.12
    """At least this part of the object's pixels looks as in the first frame."""
    scale: tuple[float, float] = (0.5, 2.0)
    """An object grows and shrinks no further than this."""
    levels: tuple[int, ...] = (3, 1, 0)
    """Each time the frame is turned back by what was found so far, and matched again on so many halved pictures.

    Coarse ones find what moved far, but see a finger beside each corner; the last looks closely at what hardly differs.
    """
    brightness: float = 40.0
    """Patches whose mean differs by more of 255 show different things, even if they are plain."""
    plain: float = 4.0
    """Deviations below this, of 255, are noise: two plain patches correlate."""


@dataclass(frozen=True)
class Match:
    """`motion` (2, 3): pixels of the first frame to those of this one. `similarity` (h, w) of the template, -1 to 1.

    `corners` (C, 2) of the first frame that hold, and by how much they leave `motion`: `residual` (C, 2).
    """

    motion: np.ndarray
    similarity: np.ndarray
    corners: np.ndarray
    residual: np.ndarray


def match(
    template: Template, image: np.ndarray, guess: np.ndarray, config: MatchConfig, patch: TemplateConfig
) -> Match | None:
    """The object in a frame (H, W) uint8 grey near where `guess` (2, 3) takes it, or None."""
    motion, found = guess, None
    for levels in config.levels:
        here = compose_transforms(motion, template.to_video)
        seen = warped(image, here, template.gray.shape[::-1])
        moved, alike = _follow(template, seen, patch, levels)
        # a finger's edge drags corners that still look much alike: those that look most alike come first
        sure = alike >= config.sure
        good = sure if sure.sum() >= 2 * config.least_corners else alike >= patch.correlation
        if good.sum() < config.least_corners:
            continue
        source = apply_transform(template.to_video, template.corners[good])
        target = apply_transform(here, moved[good])
        fitted, inliers = cv2.estimateAffinePartial2D(source, target, ransacReprojThreshold=config.agree_px)
        if fitted is None or inliers.sum() < config.least_corners or not _sane(fitted, config):
            continue
        held = inliers[:, 0] > 0
        motion, found = fitted, (source[held], target[held] - apply_transform(fitted, source[held]))
    if found is None:
        return None
    seen = warped(image, compose_transforms(motion, template.to_video), template.gray.shape[::-1])
    alike = similarity(template, seen, config, patch)
    if (alike[template.inside] >= patch.correlation).mean() < config.least_part:
        return None
    return Match(motion, alike, *found)


def similarity(template: Template, seen: np.ndarray, config: MatchConfig, patch: TemplateConfig) -> np.ndarray:
    """Correlation (h, w) of the patches about each pixel in the template and in `seen` (h, w), object pixels only.

    Normalised by mean and deviation, the latter at least `plain`; -1 where the means differ too much.
    """
    side = _window(patch)
    weight = template.inside.astype(float)
    a, b = template.gray.astype(float), seen.astype(float)

    def mean(x: np.ndarray) -> np.ndarray:
        return cv2.boxFilter(x * weight, -1, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT)

    count = np.maximum(mean(np.ones_like(a)), 1e-9)
    mean_a, mean_b = mean(a) / count, mean(b) / count
    noise = config.plain**2
    spread_a = np.maximum(mean(a * a) / count - mean_a**2, 0) + noise
    spread_b = np.maximum(mean(b * b) / count - mean_b**2, 0) + noise
    both = mean(a * b) / count - mean_a * mean_b + noise
    out = both / np.sqrt(spread_a * spread_b)
    return np.where((np.abs(mean_a - mean_b) > config.brightness) | (count < 0.1 * side**2), -1.0, out)


def _follow(template: Template, seen: np.ndarray, patch: TemplateConfig, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """The template's corners in `seen` (C, 2), and how alike they look (C,), -1 where they do not come back."""
    options = {"winSize": (_window(patch), _window(patch)), "maxLevel": levels}
    start = (template.corners - 0.5).astype(np.float32)[:, None]
    there, ok, _ = cv2.calcOpticalFlowPyrLK(template.gray, seen, start, None, **options)  # type: ignore[call-overload]
    back, returned, _ = cv2.calcOpticalFlowPyrLK(seen, template.gray, there, None, **options)  # type: ignore[call-overload]
    gap = np.linalg.norm(back - start, axis=-1)[:, 0]
    good = (ok[:, 0] > 0) & (returned[:, 0] > 0) & (gap < patch.round_trip_px * patch.enlarge)
    alike = np.full(len(good), -1.0)
    alike[good] = _correlation(template, seen, start[good, 0], there[good, 0], patch)
    return there[:, 0].astype(float) + 0.5, alike


def _correlation(
    template: Template, seen: np.ndarray, start: np.ndarray, there: np.ndarray, patch: TemplateConfig
) -> np.ndarray:
    """How the patches at `start` and `there` (C, 2) correlate, (C,)."""
    side = _window(patch)
    out = np.zeros(len(start))
    for k, (p, q) in enumerate(zip(start.tolist(), there.tolist(), strict=True)):
        first = cv2.getRectSubPix(template.gray, (side, side), p)
        second = cv2.getRectSubPix(seen, (side, side), q)
        out[k] = cv2.matchTemplate(first, second, cv2.TM_CCOEFF_NORMED)[0, 0]
    return out


def _window(patch: TemplateConfig) -> int:
    """The patch's side in the template: an odd number."""
    return 2 * int(patch.window_px * patch.enlarge / 2) + 1


def _sane(motion: np.ndarray, config: MatchConfig) -> bool:
    scale = float(np.sqrt(max(np.linalg.det(motion[:, :2]), 0)))
    return config.scale[0] <= scale <= config.scale[1]
