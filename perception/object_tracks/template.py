"""The object as the first frame shows it: a small enlarged picture that every later frame is compared with."""

from dataclasses import dataclass

import cv2
import numpy as np

from perception.contracts.checks import EstimateError


@dataclass(frozen=True)
class TemplateConfig:
    """How frames are compared with the first. Pixels are those of the video."""

    enlarge: float = 2.0
    """Small things are matched in an enlarged picture."""
    margin_px: int = 12
    """How much of the surroundings the template has."""
    window_px: float = 7.5
    """Side of the patch that Lucas-Kanade matches, and whose correlation is looked at."""
    features: int = 200
    """At most so many corners of the object are followed."""
    correlation: float = 0.75
    """A patch that correlates less with the first frame's shows something else."""
    round_trip_px: float = 0.7
    """A point that comes back from a frame further off than this is lost."""


@dataclass(frozen=True)
class Template:
    """`gray` (h, w) uint8 and `inside` (h, w), the object's part of it; `to_video` (2, 3): its pixels to the video's.

    `corners` (C, 2): what is followed, in the template. Points have their origin at the corner of the first pixel.
    """

    gray: np.ndarray
    inside: np.ndarray
    to_video: np.ndarray
    corners: np.ndarray


def gray(image: np.ndarray) -> np.ndarray:
    """An RGB picture (H, W, 3) uint8 in grey (H, W)."""
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def make_template(image: np.ndarray, inside: np.ndarray, config: TemplateConfig) -> Template:
    """The template of the object that covers `inside` (H, W) of the first frame (H, W) uint8 grey.

    Raises:
        EstimateError: the object covers no pixel, or has nothing to hold on to.
    """
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if len(rows) == 0:
        raise EstimateError("the object is not in the picture", where="the first frame", valid="an object in view")
    margin = config.margin_px
    corner = np.array([columns[0] - margin, rows[0] - margin], float)
    size = np.array([columns[-1] + 1 + margin, rows[-1] + 1 + margin]) - corner
    width, height = np.ceil(size * config.enlarge).astype(int)
    to_video = np.array([[1 / config.enlarge, 0, corner[0]], [0, 1 / config.enlarge, corner[1]]])
    picture = warped(image, to_video, (width, height))
    part = warped(inside.astype(np.uint8) * 255, to_video, (width, height)) > 127
    corners = cv2.goodFeaturesToTrack(picture, config.features, 0.01, 2 * config.enlarge, mask=core(part, config))
    if corners is None:
        raise EstimateError(
            "the object has no corner to follow",
            where="the first frame",
            valid="an object with a texture",
            fix="give tracks from another tool, or an object with a picture on it",
        )
    return Template(picture, part, to_video, corners.reshape(-1, 2).astype(float) + 0.5)


def core(part: np.ndarray, config: TemplateConfig) -> np.ndarray:
    """The pixels (h, w) uint8 of `part` about which half a patch and more shows the object; all of a thin object's."""
    side = 2 * int(config.window_px * config.enlarge / 4) + 1
    inner = cv2.erode(
        part.astype(np.uint8), np.ones((side, side), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    return inner if inner.sum() >= 0.3 * part.sum() else part.astype(np.uint8)


def warped(image: np.ndarray, to_video: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """What a template of `size` (width, height) whose pixels lie at `to_video` (2, 3) in the picture shows of it."""
    centred = to_video.copy()
    centred[:, 2] += to_video[:, :2] @ [0.5, 0.5] - 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, centred, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def apply_transform(transform: np.ndarray, points: np.ndarray) -> np.ndarray:
    """An affine map (2, 3) of points (N, 2)."""
    return points @ transform[:, :2].T + transform[:, 2]


def compose_transforms(second: np.ndarray, first: np.ndarray) -> np.ndarray:
    """The affine map (2, 3) that does `first`, then `second`."""
    return np.column_stack([second[:, :2] @ first[:, :2], apply_transform(second, first[:, 2])])


def invert_transform(transform: np.ndarray) -> np.ndarray:
    """The affine map (2, 3) back."""
    turn = np.linalg.inv(transform[:, :2])
    return np.column_stack([turn, -turn @ transform[:, 2]])
