"""What lies under each pixel of a skin's texture: the triangle and where in it, so that anything on the surface can be
painted as a function of its place in the T-pose.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from envs.embodiments.human.skin import Skin

_INSIDE = -1e-3  # pixels whose centre is on an edge belong to the triangle


@dataclass(frozen=True)
class Atlas:
    """Of a texture of `size` x `size` pixels, top row first, the P covered pixels.

    Attributes:
        pixels: (P,) flat indices of the covered pixels. face: (P,) triangle under each.
        barycentric: (P, 3) place in it. nearest: (size * size,) number in 0..P-1 of the covered pixel nearest to each.
    """

    size: int
    pixels: np.ndarray
    face: np.ndarray
    barycentric: np.ndarray
    nearest: np.ndarray

    def of_vertices(self, skin: Skin, values: np.ndarray) -> np.ndarray:
        """Values of vertices (V, ...) interpolated at the covered pixels: (P, ...)."""
        corners = skin.triangles[self.face]
        weights = self.barycentric.reshape(*self.barycentric.shape, *[1] * (values.ndim - 1))
        return (values[corners] * weights).sum(axis=1)

    def of_picture(self, picture: np.ndarray) -> np.ndarray:
        """A picture in texture space (S, S), bilinearly sampled at the covered pixels: (P,)."""
        scale = len(picture) / self.size
        rows, columns = np.divmod(self.pixels, self.size)
        return ndimage.map_coordinates(picture, [(rows + 0.5) * scale - 0.5, (columns + 0.5) * scale - 0.5], order=1)

    def picture(self, colours: np.ndarray) -> np.ndarray:
        """Colours (P, 3) in [0, 1] as uint8 (size, size, 3); uncovered pixels take the nearest colour (no seams)."""
        return (255 * np.clip(colours, 0, 1) + 0.5).astype(np.uint8)[self.nearest].reshape(self.size, self.size, 3)


def build_atlas(skin: Skin, size: int) -> Atlas:
    """Rasterise the skin's triangles in texture space; where charts overlap the last triangle wins."""
    uv = skin.corner_uv[skin.faces] * [size, -size] + [0, size]
    low = np.floor(uv.min(axis=1)).astype(int)
    extent = (np.ceil(uv.max(axis=1)).astype(int) - low).max(axis=1)
    face = np.full(size * size, -1)
    place = np.zeros((size * size, 3), np.float32)
    narrower = -1
    for width in _widths(extent):
        chosen = np.flatnonzero((extent <= width) & (extent > narrower))
        narrower = width
        pixels, owner, bary = _fill(uv[chosen], low[chosen], width, size)
        face[pixels], place[pixels] = chosen[owner], bary
    covered = np.flatnonzero(face >= 0)
    number = np.cumsum(face >= 0) - 1
    _, (rows, columns) = ndimage.distance_transform_edt((face < 0).reshape(size, size), return_indices=True)  # type: ignore[misc]
    return Atlas(size, covered, face[covered], place[covered], number[(rows * size + columns).ravel()])


def _widths(extent: np.ndarray) -> list[int]:
    """Ever wider boxes up to the widest triangle's: triangles of similar size are filled together."""
    widths = [2]
    while widths[-1] < extent.max():
        widths.append(widths[-1] * 4 // 3 + 1)
    return widths


def _fill(uv: np.ndarray, low: np.ndarray, width: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels inside triangles (N, 3, 2) whose boxes of `width` start at `low` (N, 2): pixel, triangle, barycentric."""
    a, b, c = (uv - low[:, None]).astype(np.float32).transpose(1, 2, 0)
    area = _cross(b - a, c - a)
    area[area == 0] = np.inf
    centre = np.arange(width, dtype=np.float32) + 0.5
    # barycentric coordinates are linear in the pixel's row and column
    first, second = ((_cross(q, r), q[1] - r[1], r[0] - q[0]) / area for q, r in ((b, c), (c, a)))
    u, v = (
        k[0, :, None, None] + k[1, :, None, None] * centre + k[2, :, None, None] * centre[:, None]
        for k in (first, second)
    )
    owner, row, column = np.nonzero((u >= _INSIDE) & (v >= _INSIDE) & (u + v <= 1 - _INSIDE))
    u, v = u[owner, row, column], v[owner, row, column]
    x, y = low[owner, 0] + column, low[owner, 1] + row
    seen = (x >= 0) & (y >= 0) & (x < size) & (y < size) & np.isfinite(area[owner])
    return (y * size + x)[seen], owner[seen], np.stack([u, v, 1 - u - v], axis=-1)[seen]


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[0] * b[1] - a[1] * b[0]
