"""The pixels of a texture as places on a body, with the brushes that paint on them."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

_EDGE_M = 0.0016
"""Width of a painted edge: about a texture pixel, so that edges are smooth."""


_CELLS = 24
"""Noise repeats after so many cells."""


@dataclass(frozen=True)
class Surface:
    """P pixels of a body in the T-pose.

    Attributes:
        point: (P, 3) places on the bare body, metres: hems are drawn there. worn: (P, 3) the same on the clothed body:
            patterns are straight there. crease: (P,) in [-1, 1] from ridges to furrows. part: (P,). masks: (P,) each.
    """

    point: np.ndarray
    worn: np.ndarray
    crease: np.ndarray
    part: np.ndarray
    masks: dict[str, np.ndarray]

    def edge(self, depth: np.ndarray, width: float = _EDGE_M) -> np.ndarray:
        """Coverage in [0, 1] of a region with signed depth (P,), metres."""
        return np.clip(depth / width + 0.5, 0, 1)

    def line(self, distance: np.ndarray, width: float) -> np.ndarray:
        """Coverage of a line of `width` where the signed distance (P,) is zero."""
        return np.clip((width / 2 - np.abs(distance)) / _EDGE_M + 0.5, 0, 1)

    def noise(self, scale_m: float, seed: int) -> np.ndarray:
        """Smooth noise (P,) of about unit variance whose bumps are `scale_m` wide."""
        cells = np.random.default_rng(seed).normal(size=(_CELLS, _CELLS, _CELLS)).astype(np.float32)
        places = (self.point / (0.5 * scale_m)).T
        return 1.5 * ndimage.map_coordinates(cells, places, order=1, mode="grid-wrap")

    def strands(self, marks) -> np.ndarray:
        """Hair (P,) in about [-1, 1]: streaks that run from the crown down."""
        q = self.point - [0, marks.head[1], marks.eye[2] + 0.02]
        angle = np.arctan2(q[:, 0], q[:, 1])
        height = np.linalg.norm(q, axis=1) * 3 + q[:, 2] * 6
        waves = [(37, 1.3, 0.5), (61, -2.1, 1.7), (97, 2.7, 4.0), (149, -1.1, 2.2)]
        return np.mean([np.sin(k * angle + s * height * 4 + o) for k, s, o in waves], axis=0)


def mix(below: np.ndarray, above: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """Paint colours `above` (P, 3) or (3,) over `below` (P, 3) with coverage (P,)."""
    cover = np.clip(cover, 0, 1)[:, None]
    return below * (1 - cover) + above * cover
