"""Which thing a hand takes away: what looked the same since the first frame, and then moves while the hand is at it.

Hand and arm have changed the picture before they move on, and ground that they cover does not move.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from perception.contracts.checks import EstimateError

WIDTH = 480
"""Pictures are looked at so wide."""


@dataclass(frozen=True)
class Box:
    """A rectangle in the picture: `x`, `y` of its corner, `width`, `height`, in pixels."""

    x: float
    y: float
    width: float
    height: float

    def grown(self, part: float) -> "Box":
        """Larger by `part` of its longer side on each side."""
        more = part * max(self.width, self.height)
        return Box(self.x - more, self.y - more, self.width + 2 * more, self.height + 2 * more)

    def scaled(self, by: float) -> "Box":
        """In a picture of another size."""
        return Box(self.x * by, self.y * by, self.width * by, self.height * by)

    def slices(self, height: int, width: int) -> tuple[slice, slice]:
        """Rows and columns of it that a picture has."""
        rows = slice(max(0, int(self.y)), min(height, int(np.ceil(self.y + self.height))))
        columns = slice(max(0, int(self.x)), min(width, int(np.ceil(self.x + self.width))))
        return rows, columns


def box_of(mask: np.ndarray) -> Box:
    """The box around the pixels of a mask (H, W) bool."""
    rows, columns = np.nonzero(mask)
    return Box(float(columns.min()), float(rows.min()), float(np.ptp(columns) + 1), float(np.ptp(rows) + 1))


@dataclass(frozen=True)
class MovedThingConfig:
    """What counts as the same, as moving, and as being at the hand. Pixels are those of a picture `WIDTH` wide."""

    edge: float = 40.0
    """Slope that is an edge: shades of grey of the blurred picture, times a Sobel operator's eight."""
    same: float = 14.0
    """Shades of grey by which a blurred pixel of the first frame may differ later and still show the same."""
    follows: float = 8.0
    """By so much it may differ from where it has moved to."""
    moves_px: float = 1.5
    """What moves, moves by more than this within `step_s`."""
    step_s: float = 0.17
    near: float = 0.25
    """What the hand takes is this near to the hand, in the hand's sizes, ..."""
    reach: float = 1.5
    """... and reaches no further than this beyond it."""
    own: float = 0.5
    """What is this near to a hand in the first frame, in its sizes, is the hand or its forearm."""
    join_px: int = 9
    """Edges this near to each other are of one thing."""
    least: int = 40
    """Of a thing, so many pixels of edges are seen to move at once."""
    least_part: float = 0.1
    """Of a thing whose place is given, so much of its edges."""


@dataclass(frozen=True)
class MovedThing:
    """The thing's `box` in the first frame, in the film's pixels, and the frame `taken` in which it begins to move."""

    box: Box
    taken: int


class FilmMotion:
    """A film in small and grey, and what moves in it."""

    def __init__(self, config: MovedThingConfig | None = None) -> None:
        """Of no frame yet."""
        self.config = config or MovedThingConfig()
        self.scale = 1.0
        self.frames: list[np.ndarray] = []

    def add(self, image: np.ndarray) -> None:
        """Take the next frame, uint8 RGB (H, W, 3)."""
        self.scale = WIDTH / image.shape[1]
        size = (WIDTH, round(image.shape[0] * self.scale))
        self.frames.append(cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY))

    def leaving(self, t: int, fps: float) -> np.ndarray:
        """Edges (h, w) bool of the first frame that in frame `t` are still there, and that move on from there.

        An edge moves where dense flow leads to a pixel of its brightness, which is no longer at its old place.
        """
        config = self.config
        later = min(t + max(1, round(config.step_s * fps)), len(self.frames) - 1)
        first, now, then = (cv2.GaussianBlur(self.frames[k], (0, 0), 1.0).astype(np.float32) for k in (0, t, later))
        edge = np.hypot(cv2.Sobel(first, cv2.CV_32F, 1, 0), cv2.Sobel(first, cv2.CV_32F, 0, 1)) >= config.edge
        here = edge & (np.abs(now - first - np.median(now - first)) <= config.same)
        still = np.zeros((*now.shape, 2), np.float32)
        dense = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        flow = dense.calc(self.frames[t], self.frames[later], still)
        row, column = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
        led = cv2.remap(then, column + flow[..., 0], row + flow[..., 1], cv2.INTER_LINEAR)
        goes = (np.abs(then - now) > config.same) & (np.abs(led - now) <= config.follows)
        return here & goes & (np.linalg.norm(flow, axis=-1) > config.moves_px)


def find_moved_thing(film: FilmMotion, hands: Sequence[np.ndarray], fps: float) -> MovedThing:
    """The thing that a hand takes; where it takes several, the one of which most is seen to move.

    Args:
        hands: points (T, 21, 2) of each hand in the film's pixels, NaN where it is not seen.

    Raises:
        EstimateError: nothing is taken.
    """
    config = film.config
    small = [points * film.scale for points in hands]
    shape = film.frames[0].shape
    own = _near([points[0] for points in small], shape, config.own, forearm=True)
    best = np.zeros(shape, bool)
    taken = 0
    for t in range(1, len(film.frames) - 1):
        at = [points[t] for points in small if np.isfinite(points[t, 0, 0])]
        if at:
            leaving = film.leaving(t, fps) & _near(at, shape, config.reach) & ~own
            piece = _largest(leaving, _near(at, shape, config.near), config.join_px)
            if piece.sum() > best.sum():
                best, taken = piece, t
    if best.sum() < config.least:
        raise EstimateError(
            "nothing is seen that a hand takes away from where it stood",
            where="the film",
            valid="a thing that stands still in the first frame and is moved by a hand",
            fix="--box=X,Y,WIDTH,HEIGHT says where the thing is in the first frame",
        )
    return MovedThing(box_of(best).scaled(1 / film.scale), taken)


def taken_from(film: FilmMotion, mask: np.ndarray, fps: float) -> int:
    """The frame in which the thing with pixels (H, W) bool in the first frame begins to move.

    Raises:
        EstimateError: it never does.
    """
    config, shape = film.config, film.frames[0].shape
    inside = cv2.resize(mask.astype(np.float32), shape[::-1], interpolation=cv2.INTER_AREA) > 0.1
    inside = cv2.dilate(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    count = np.array([(film.leaving(t, fps) & inside).sum() for t in range(len(film.frames) - 1)])
    least = config.least_part * np.sqrt(4 * np.pi * inside.sum())  # its outline, were it a disc
    if count.max() < least:
        raise EstimateError(
            f"the thing stays where it is: at most {count.max()} px of its edges are seen to leave their place",
            where="the film",
            valid=f"a thing that is moved: {least:.0f} px",
            fix="check what --box or --mask mean; a thing that nobody moves cannot be learned from",
        )
    return int(count.argmax())


def _near(hands: Sequence[np.ndarray], shape: tuple[int, ...], near: float, forearm: bool = False) -> np.ndarray:
    """Pixels (h, w) bool within `near` of a hand's size of the hull of its points (21, 2), forearms added if asked."""
    out = np.zeros(shape, bool)
    for points in hands:
        if not np.isfinite(points[0, 0]):
            continue
        back = points[0] - points[9]
        size = float(np.linalg.norm(back))
        whole = np.vstack([points, points[0] + np.outer([1, 2, 3], back)]) if forearm else points
        here = np.zeros(shape, np.uint8)
        cv2.fillConvexPoly(here, cv2.convexHull(np.round(whole).astype(np.int32)), 1)
        reach = max(1, round(near * size))
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        out |= cv2.dilate(here, disc) > 0
    return out


def _largest(edges: np.ndarray, at: np.ndarray, join_px: int) -> np.ndarray:
    """The most edges (h, w) bool that lie together, some of them `at` (h, w) bool the hand."""
    joined = cv2.dilate(edges.astype(np.uint8), np.ones((join_px, join_px), np.uint8))
    label = np.asarray(cv2.connectedComponents(joined)[1], int)
    touched = np.unique(label[edges & at])
    count = np.bincount(label[edges], minlength=int(label.max()) + 1)
    return edges & (label == touched[count[touched].argmax()]) if len(touched) else np.zeros(edges.shape, bool)
