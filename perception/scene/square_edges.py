"""Focal length and tilt of a camera out of straight edges, for most of what people build is upright, level and square.

Edges run along three directions at right angles to each other, one of them upright (the Manhattan world of Coughlan and
Yuille, 1999): edges of one direction meet in its vanishing point. A grid over tilt, roll, turn and focal length is
refined where most edges agree.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.optimize import minimize

SHORTEST, MOST = 0.03, 150
"""Edges are as long as this part of the picture's diagonal, or longer; of more than so many the longest are taken."""
SIGMA_DEG = 1.0
"""By so much an edge's direction differs from that of its vanishing point."""
FIELDS_DEG = tuple(range(40, 111, 5))
"""Fields of view across the picture's longer side that are tried where the focal length is not known."""
PITCHES_DEG = tuple(range(0, 61, 3))
ROLLS_DEG = (-5.0, -2.5, 0.0, 2.5, 5.0)
TURNS_DEG = tuple(range(0, 90, 5))
REFINED = 4
"""So many of a grid's best are refined."""
LEAST = 0.3
"""Edges of a direction tell something if they are so long together, in diagonals of the picture."""
MOST_ROLL_DEG = 5.0
"""A camera that is tilted more to one side is not believed: scenes have cameras that are held level."""
TELLING, APART_DEG = 0.05, 12.0
"""A focal length is told by edges if at fields of view that much wider or narrower fewer agree, by this part."""
FINE_DEG = tuple(range(-4, 5))
"""The best field of view is refined by so much."""


@dataclass(frozen=True)
class SquareCamera:
    """A camera's `focal_px`, `pitch_deg` by which it looks down, `roll_deg`, and `turn_deg` of the level edges.

    `upright`, `level`, `ahead`: length of the edges that agree with each direction, in diagonals of the picture.
    """

    focal_px: float
    pitch_deg: float
    roll_deg: float
    turn_deg: float
    upright: float
    level: float
    ahead: float

    @property
    def score(self) -> float:
        """Length of all edges that agree."""
        return self.upright + self.level + self.ahead


def straight_edges(image: np.ndarray, without: np.ndarray | None = None) -> np.ndarray:
    """Straight edges (N, 4) of a picture uint8 (H, W, 3), as x, y of both ends; none with its middle in `without`."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    found = cv2.createLineSegmentDetector(0).detect(grey)[0]
    edges = np.zeros((0, 4)) if found is None else np.asarray(found, float).reshape(-1, 4)
    edges = edges[_length(edges) >= SHORTEST * np.hypot(*grey.shape)]
    if without is not None:
        middle = np.round((edges[:, :2] + edges[:, 2:]) / 2).astype(int)
        edges = edges[~without[middle[:, 1].clip(0, grey.shape[0] - 1), middle[:, 0].clip(0, grey.shape[1] - 1)]]
    return edges


def directions(pitch: np.ndarray, roll: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Upright, level and ahead in the camera's frame (..., 3, 3), one a row, of angles in radians."""
    z, one = np.zeros_like(pitch), np.ones_like(pitch)
    cp, sp, cr, sr, ct, st = np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll), np.cos(turn), np.sin(turn)
    right = np.stack([one, z, z], axis=-1)
    up = np.stack([z, -cp, -sp], axis=-1)
    far = np.cross(up, right)
    way = np.stack(
        [up, ct[..., None] * right + st[..., None] * far, ct[..., None] * far - st[..., None] * right], axis=-2
    )
    x, y = way[..., 0], way[..., 1]
    return np.stack([cr[..., None] * x - sr[..., None] * y, sr[..., None] * x + cr[..., None] * y, way[..., 2]], -1)


def agreement(edges: np.ndarray, size: tuple[int, int], params: np.ndarray, sigma_deg: float = SIGMA_DEG) -> np.ndarray:
    """Length of the edges (N, 4) that agree with each of three directions (P, 3), in diagonals of the picture.

    Args:
        size: of the picture, width and height.
        params: (P, 4): log of the focal length over the picture's longer side, pitch, roll and turn, radians.
    """
    focal = max(size) * np.exp(params[:, 0])
    way = directions(*params[:, 1:].T)
    middle = (edges[:, :2] + edges[:, 2:]) / 2 - np.array(size) / 2
    along = edges[:, 2:] - edges[:, :2]
    length = _length(edges)
    to = focal[:, None, None, None] * way[:, :, None, :2] - way[:, :, None, 2:] * middle
    cross = to[..., 0] * along[:, 1] - to[..., 1] * along[:, 0]
    sine = np.abs(cross) / (np.linalg.norm(to, axis=-1) * length + 1e-9)
    good = np.exp(-0.5 * (sine / np.radians(sigma_deg)) ** 2)
    best = good.argmax(axis=1)[:, None] == np.arange(3)[:, None]
    return (good * best * length).sum(axis=-1) / np.hypot(*size)


def find_tilt(edges: np.ndarray, size: tuple[int, int], focal_px: float) -> SquareCamera | None:
    """The camera of a known focal length with which most edges (N, 4) agree; None where too few are upright.

    Args:
        size: of the picture, width and height.
    """
    edges = _longest(edges)
    if _length(edges).sum() < LEAST * np.hypot(*size):
        return None
    found = _best(edges, size, np.log(focal_px / max(size)))
    return found if found.upright >= LEAST and abs(found.roll_deg) <= MOST_ROLL_DEG else None


def find_focal(edges: np.ndarray, size: tuple[int, int]) -> tuple[SquareCamera, tuple[float, float]] | None:
    """The camera with which most edges (N, 4) agree, and the least and greatest focal length that do nearly as well.

    None where edges of some direction are too few, or agree with another focal length nearly as well.

    Args:
        size: of the picture, width and height.
    """
    edges = _longest(edges)
    if _length(edges).sum() < 3 * LEAST * np.hypot(*size):
        return None
    tried = {float(field): _best(edges, size, _log_focal(field)) for field in FIELDS_DEG}
    middle = max(tried, key=lambda field: tried[field].score)
    tried |= {middle + more: _best(edges, size, _log_focal(middle + more)) for more in FINE_DEG}
    best = max(tried, key=lambda field: tried[field].score)
    found = tried[best]
    good = [field for field, camera in tried.items() if camera.score >= (1 - TELLING) * found.score]
    told = max(abs(field - best) for field in good) <= APART_DEG
    square = min(found.upright, found.level, found.ahead) >= LEAST and abs(found.roll_deg) <= MOST_ROLL_DEG
    return (found, (tried[max(good)].focal_px, tried[min(good)].focal_px)) if told and square else None


def _log_focal(field_deg: float) -> float:
    """Log of the focal length over the picture's longer side, for a field of view across that."""
    return float(-np.log(2 * np.tan(np.radians(field_deg) / 2)))


def _length(edges: np.ndarray) -> np.ndarray:
    return np.hypot(edges[:, 2] - edges[:, 0], edges[:, 3] - edges[:, 1])


def _longest(edges: np.ndarray) -> np.ndarray:
    return edges[np.argsort(-_length(edges))[:MOST]]


def _best(edges: np.ndarray, size: tuple[int, int], log: float) -> SquareCamera:
    """The tilt, roll and turn with which most edges agree, for a focal length's logarithm."""
    grid = np.meshgrid(*(np.radians(a) for a in (PITCHES_DEG, ROLLS_DEG, TURNS_DEG)), indexing="ij")
    angles = np.stack([axis.ravel() for axis in grid], axis=1)
    params = np.column_stack([np.full(len(angles), log), angles])
    coarse = 2.5 * SIGMA_DEG  # as wide as the grid's steps
    score = np.concatenate([agreement(edges, size, part, coarse).sum(axis=1) for part in np.array_split(params, 16)])
    found = []
    for start in angles[np.argsort(-score)[:REFINED]]:

        def cost(x: np.ndarray, start: np.ndarray = start) -> float:
            return -float(agreement(edges, size, np.array([[log, *(start + x)]])).sum())

        simplex = np.vstack([np.zeros(3), np.radians(2.0) * np.eye(3)])
        options = {"initial_simplex": simplex, "maxfev": 150, "xatol": 1e-4, "fatol": 1e-4}
        best = minimize(cost, np.zeros(3), method="Nelder-Mead", options=options)
        found.append((float(best.fun), start + best.x))
    pitch, roll, turn = min(found, key=lambda one: one[0])[1]
    upright, level, ahead = map(float, agreement(edges, size, np.array([[log, pitch, roll, turn]]))[0])
    pitch, roll, turn = map(float, np.degrees([pitch, roll, turn]))
    return SquareCamera(max(size) * float(np.exp(log)), pitch, roll, turn, upright, level, ahead)
