"""How a thing stands before the camera: its shape laid over its pixels, on its foot, by a camera that does not roll.

One picture tells no lengths, only what they are over the distance; `size_by_hand` tells that.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.optimize import minimize

from perception.contracts.checks import EstimateError

CROP_PX = 160
"""Outlines are compared in a picture of the thing so large."""
PITCHES_DEG = (8.0, 25.0, 45.0)
"""Where the search for the camera's tilt begins."""
MOST_PITCH_DEG = 80.0
TELLING = 0.006
"""A tilt is told by the outline if others, 20 degrees off, overlap by so much less."""
LEAST_OVERLAP = 0.7
ROUND = 0.93
"""Least over greatest width of a thing that looks the same from all sides."""
BALL = 0.8
"""Least over greatest width of a thing that looks much the same from above, too: an apple."""
STRETCH_COST = 0.005
"""What a stretch by a factor e costs, in overlap: of two shapes that fit, the one nearer to the model's."""


@dataclass(frozen=True)
class StandingThing:
    """The camera looks down by `pitch_deg`; the thing's foot is seen at `foot_px` (2,), turned by `yaw_rad`.

    `wide` and `tall` multiply the model's width and height, for a foot one metre away. `overlap`: intersection over
    union with the pixels it was laid over. `told`: by how much less a tilt 20 degrees off overlaps.
    """

    pitch_deg: float
    foot_px: np.ndarray
    wide: float
    tall: float
    yaw_rad: float
    overlap: float
    told: float

    @property
    def foot_ray(self) -> np.ndarray:
        """`foot_px` with a one behind it (3,)."""
        return np.array([*self.foot_px, 1.0])


def up_in_camera(pitch_deg: float) -> np.ndarray:
    """The vertical (3,) in a camera that looks down by so much, x right, y down, z ahead."""
    pitch = np.radians(pitch_deg)
    return np.array([0.0, -np.cos(pitch), -np.sin(pitch)])


def standing_axes(pitch_deg: float) -> np.ndarray:
    """Right, ahead over the ground, and up, as columns (3, 3) in the camera's frame."""
    right, up = np.array([1.0, 0.0, 0.0]), up_in_camera(pitch_deg)
    return np.stack([right, np.cross(up, right), up], axis=1)


def on_foot(vertices: np.ndarray) -> np.ndarray:
    """A model's vertices (V, 3) about the middle of its foot."""
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    return vertices - [*((low + high)[:2] / 2), low[2]]


def is_round(vertices: np.ndarray) -> bool:
    """Whether a model looks the same from all sides: the hull of its plan is a circle."""
    hull = cv2.convexHull(on_foot(vertices)[:, :2].astype(np.float32))[:, 0]
    angles = np.linspace(0, np.pi, 36, endpoint=False)
    across = np.ptp(hull @ np.stack([np.cos(angles), np.sin(angles)]), axis=0)
    return bool(across.min() >= ROUND * across.max())


def is_ball(vertices: np.ndarray) -> bool:
    """Whether a model looks the same from everywhere: its width is the same along all directions."""
    up, around = np.meshgrid(np.linspace(-1, 1, 15), np.linspace(0, 2 * np.pi, 24, endpoint=False))
    level = np.sqrt(1 - up**2)
    way = np.stack([level * np.cos(around), level * np.sin(around), up]).reshape(3, -1)
    width = np.ptp(vertices @ way, axis=0)
    return bool(width.min() >= BALL * width.max())


def fit_standing_thing(
    mask: np.ndarray, vertices: np.ndarray, faces: np.ndarray, K: np.ndarray, pitch_deg: float | None = None
) -> StandingThing:
    """The model (V, 3), (F, 3), stretched in width and height, laid over the pixels `mask` (H, W) bool.

    Args:
        pitch_deg: the camera's tilt, if it is known.

    Raises:
        EstimateError: no tilt makes it fit, or all fit as well.
    """
    problem = _Problem(mask, on_foot(vertices), faces, K)
    if pitch_deg is not None:
        best, told = problem.best(pitch_deg, fixed=True), np.inf
    else:
        best = max((problem.best(start) for start in PITCHES_DEG), key=lambda fit: fit[1])
        tilt = float(best[0][4])
        others = [problem.best(t, fixed=True)[1] for t in (tilt - 20, tilt + 20) if 0 <= t <= MOST_PITCH_DEG]
        told = best[1] - max(others)
    params, overlap = best
    if overlap < LEAST_OVERLAP:
        raise EstimateError(
            f"the thing's shape does not fit its pixels: they overlap by {100 * overlap:.0f} %",
            where="--thing",
            valid=f"{100 * LEAST_OVERLAP:.0f} % or more",
            fix="take another model (--thing=MODEL or a mesh of yours), or say where it is: --box=X,Y,WIDTH,HEIGHT",
        )
    if told < TELLING or (pitch_deg is None and problem.ball):
        raise EstimateError(
            f"the thing's outline does not tell how far the camera looks down: {params[4]:.0f} degrees and 20 off fit "
            f"within {100 * max(told, 0):.1f} %",
            where="the film",
            valid="a thing with a flat foot or rim",
            fix="--pitch-deg=ANGLE: 0 for a level camera, up to 80 for one that looks almost straight down",
        )
    return StandingThing(
        float(params[4]),
        params[:2].copy(),
        float(np.exp(params[2])),
        float(np.exp(params[3])),
        float(params[5]),
        overlap,
        float(told),
    )


def _placed(params: np.ndarray, local: np.ndarray, K: np.ndarray) -> np.ndarray:
    """Vertices (V, 3) in the camera's frame for (u, v, log width, log height, pitch, yaw), foot at depth one."""
    u, v, wide, tall, pitch, yaw = params
    c, s = np.cos(yaw), np.sin(yaw)
    turned = local @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]])
    sized = turned * [np.exp(wide), np.exp(wide), np.exp(tall)]
    foot = np.linalg.solve(K, np.array([u, v, 1.0]))
    return foot + sized @ standing_axes(pitch).T


class _Problem:
    """The thing's pixels cut out, and how a model overlaps with them."""

    def __init__(self, mask: np.ndarray, local: np.ndarray, faces: np.ndarray, K: np.ndarray) -> None:
        self.local, self.faces, self.K = local, faces, K
        rows, columns = np.nonzero(mask)
        self.low = np.array([columns.min(), rows.min()], float)
        self.size = np.array([columns.max() + 1, rows.max() + 1]) - self.low
        self.margin = 0.25 * self.size.max()
        self.scale = CROP_PX / (self.size.max() + 2 * self.margin)
        shape = tuple(np.ceil((self.size + 2 * self.margin) * self.scale).astype(int))
        to_crop = np.array([[self.scale, 0, 0], [0, self.scale, 0]])
        to_crop[:, 2] = (self.margin - self.low) * self.scale
        self.mask = cv2.warpAffine(mask.astype(np.float32), to_crop, shape, flags=cv2.INTER_AREA) > 0.5
        self.turns, self.ball = not is_round(local), is_ball(local)

    def best(self, pitch: float, fixed: bool = False) -> tuple[np.ndarray, float]:
        """Parameters (6,) and overlap of the best fit from a tilt, which stays if it is `fixed`."""
        focal, extent = self.K[0, 0], np.ptp(self.local, axis=0)
        foot = self.low + self.size * [0.5, 0.97]
        wide = np.log(self.size[0] / focal / extent[:2].max())
        start = np.array(
            [*foot, wide, np.log(self.size[1] / focal / extent[2] / max(np.cos(np.radians(pitch)), 0.3)), pitch, 0.0]
        )
        steps = np.array([0.05 * self.size.max(), 0.05 * self.size.max(), 0.1, 0.1, 0 if fixed else 8.0, 0.4])
        free = [0, 1, 2] + [3] * (not self.ball) + [4] * (not fixed) + [5] * self.turns
        starts = np.linspace(0, np.pi, 4, endpoint=False) if self.turns else [0.0]
        found = []
        for yaw in starts:
            start[5] = yaw
            found.append(self._search(start.copy(), steps, free))
        params = min(found, key=lambda p: self.cost(p))
        return params, self.overlap(params)

    def _search(self, start: np.ndarray, steps: np.ndarray, free: list[int]) -> np.ndarray:
        def at(x: np.ndarray) -> np.ndarray:
            out = start.copy()
            out[free] = start[free] + x * steps[free]
            if self.ball:
                out[3] = out[2]
            return out

        x = np.zeros(len(free))
        for size in (1.0, 0.5, 0.2):  # a simplex that has collapsed is opened again
            simplex = x + np.vstack([np.zeros(len(free)), size * np.eye(len(free))])
            options = {"initial_simplex": simplex, "maxfev": 300, "xatol": 1e-2, "fatol": 1e-4}
            x = minimize(lambda y: self.cost(at(y)), x, method="Nelder-Mead", options=options).x
        return at(x)

    def cost(self, params: np.ndarray) -> float:
        """One less the overlap, and what the stretch costs."""
        if not 0 <= params[4] <= MOST_PITCH_DEG or np.abs(params[2:4]).max() > 8:
            return 2.0
        return 1 - self.overlap(params) + STRETCH_COST * (params[3] - params[2]) ** 2

    def overlap(self, params: np.ndarray) -> float:
        """Intersection over union of the model and the pixels."""
        at = _placed(params, self.local, self.K)
        if at[:, 2].min() <= 0.05:
            return 0.0
        px = (at[:, :2] / at[:, 2:] * self.K[[0, 1], [0, 1]] + self.K[:2, 2] - self.low + self.margin) * self.scale
        shape = np.zeros(self.mask.shape, np.uint8)
        corners = np.round((px - 0.5) * 16).astype(np.int32)[self.faces]
        a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        area = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
        facing = area < 0 if (area < 0).sum() <= (area > 0).sum() else area > 0
        for triangle in corners[facing]:
            cv2.fillConvexPoly(shape, triangle, 1, shift=4)
        covered = shape > 0
        return float((covered & self.mask).sum() / max((covered | self.mask).sum(), 1))
