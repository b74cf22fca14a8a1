"""What is not part of the skin: shoes, the brim of a cap, long hair, as grids added to a skin."""

from dataclasses import replace

import numpy as np
from scipy.spatial import ConvexHull

from devi_jax.core.skeleton import INDEX
from envs.embodiments.human.skin import PARTS, Skin, keep
from envs.scenes.appearance.garments import Landmarks
from envs.scenes.appearance.transfer import gaussian_blend

_RINGS, _SPOKES = 28, 28
_LEATHER_M = 0.005
_SOLE_M, _SOLE_OUT_M = 0.022, 0.004
_SHOE_TOP_M = 0.004  # above the ankle joints
_SHOE_RECT = {-1: (0.008, 0.20, 0.052, 0.50), 1: (0.056, 0.20, 0.100, 0.50)}
_BRIM_RECT = (0.66, 0.86, 0.71, 0.96)
_HAIR_RECT = (0.80, 0.84, 0.98, 0.98)
"""Free places of the texture: least u and v, greatest u and v."""


def with_shoes(skin: Skin, marks: Landmarks) -> Skin:
    """The skin with feet in shoes: the convex hull of each foot, on a flat sole that is a little wider."""
    top = marks.ankle_z + _SHOE_TOP_M
    below = skin.vertices[:, 2] < top
    bare = keep(skin, np.logical_not(below[skin.triangles].all(axis=1)))
    for side in (-1, 1):
        foot = np.flatnonzero(below & (side * skin.vertices[:, 0] > 0))
        grid = _shoe(skin.vertices[foot], marks.floor_z)
        share = gaussian_blend(grid.reshape(-1, 3), skin.vertices[foot])
        bare = _add_grid(bare, grid, share @ skin.weights[foot], "shoes", _SHOE_RECT[side])
    return bare


def with_brim(skin: Skin, marks: Landmarks) -> Skin:
    """The skin with the brim of a cap in front of the forehead: a bent sheet with two sides."""
    across, out = np.meshgrid(np.linspace(-1, 1, 17), np.linspace(0, 1, 9), indexing="ij")
    reach = 0.068 * np.sqrt(np.clip(1 - 0.8 * across**2, 0, 1))
    x = 0.082 * across * (1 - 0.06 * out)
    y = marks.eye[1] + 0.015 - 0.085 * across**2 + reach * out
    z = marks.eye[2] + 0.057 - 0.014 * across**2 - 0.016 * out - 0.004 * out**2
    sheet = np.stack([x, y, z], axis=-1)
    # over the upper side to the edge and back under it
    grid = np.concatenate([sheet, sheet[:, ::-1] - [0, 0, 0.003]], axis=1)
    weights = np.zeros((grid[..., 0].size, len(INDEX)))
    weights[:, INDEX["head"]] = 1
    return _add_grid(skin, grid, weights, "brim", _BRIM_RECT)


def with_long_hair(skin: Skin, marks: Landmarks) -> Skin:
    """The skin with hair that falls from behind the ears to the shoulders: a bent sheet with two sides."""
    around, down = np.meshgrid(np.radians(np.linspace(-118, 118, 41)), np.linspace(0, 1, 17), indexing="ij")
    top, bottom = marks.eye[2] + 0.085, marks.neck[2] - 0.015
    swell = np.sin(np.clip(1.6 * down, 0, 1) * np.pi / 2)
    # strands end unevenly, and turn in at their ends
    wave = 0.0035 * np.sin(11 * around + 5 * down) * down
    out = -0.030 + 0.050 * swell - 0.012 * np.clip(3 * down - 2, 0, 1) ** 2 + wave
    x = (0.073 + out) * np.sin(around)
    y = marks.eye[1] - 0.098 - (0.083 + out) * np.cos(around) * (1 - 0.10 * down)
    z = top + (bottom - top) * down * (0.86 + 0.14 * np.cos(around / 2)) - 0.003 * np.sin(23 * around) * down
    sheet = np.stack([x, y, z], axis=-1)
    inner = sheet - np.stack([0.010 * np.sin(around), -0.010 * np.cos(around), -0.004 + 0 * around], axis=-1)
    grid = np.concatenate([sheet, inner[:, ::-1]], axis=1)[::-1]
    weights = np.zeros((grid[..., 0].size, len(INDEX)))
    weights[:, INDEX["head"]] = 1
    return _add_grid(skin, grid, weights, "long_hair", _HAIR_RECT)


def _shoe(foot: np.ndarray, floor_z: float) -> np.ndarray:
    """A shoe (rings, spokes, 3) around the vertices of a foot: rays from a line along the foot to its hull."""
    planes = ConvexHull(foot).equations
    heel, toe = foot[:, 1].min(), foot[:, 1].max()
    along = (1 - np.cos(np.linspace(0, np.pi, _RINGS))) / 2  # denser towards the ends, which are round
    y = heel + 0.002 + along * (toe - heel - 0.004)
    line = np.stack([np.interp(y, *_centre_line(foot)), y, np.full(_RINGS, floor_z + _SOLE_M)], axis=1)
    angle = np.linspace(0, 2 * np.pi, _SPOKES) - np.pi / 2
    rays = np.stack([np.cos(angle), 0 * angle, np.sin(angle)], axis=1)
    speed = rays @ planes[:, :3].T
    room = np.maximum(-(line @ planes[:, :3].T + planes[:, 3]), 0.0)
    reach = np.where(speed > 1e-9, room[:, None] / np.maximum(speed, 1e-9), np.inf).min(axis=2)
    ends = np.clip(1 - (2 * along - 1) ** 6, 0, 1) ** 0.25
    grid = line[:, None] + rays * ((reach + _LEATHER_M) * ends[:, None])[..., None]
    grid[:, :, 1] += _LEATHER_M * (2 * along - 1)[:, None]
    sole = grid[:, :, 2] < floor_z + _SOLE_M
    grid[:, :, 0] += np.where(sole, _SOLE_OUT_M * np.cos(angle), 0.0)
    grid[:, :, 2] = np.maximum(grid[:, :, 2], floor_z)
    return grid


def _centre_line(foot: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Middle x of the foot in slices along y: (slice y, x)."""
    edges = np.linspace(foot[:, 1].min(), foot[:, 1].max(), 9)
    slices = [foot[(foot[:, 1] >= a) & (foot[:, 1] <= b)] for a, b in zip(edges, edges[1:], strict=False)]
    middle = [(s[:, 0].min() + s[:, 0].max()) / 2 for s in slices]
    return (edges[:-1] + edges[1:]) / 2, np.array(middle)


def _add_grid(skin: Skin, grid: np.ndarray, weights: np.ndarray, part: str, rect: tuple[float, ...]) -> Skin:
    """The skin with a grid (N, M, 3) of vertices, triangulated, in a rectangle of the texture."""
    n, m = grid.shape[:2]
    index = np.arange(n * m).reshape(n, m)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    faces = np.concatenate([np.stack(t, axis=-1).reshape(-1, 3) for t in ((a, b, c), (a, c, d))])
    u, v = np.meshgrid(np.linspace(rect[0], rect[2], n), np.linspace(rect[1], rect[3], m), indexing="ij")
    return replace(
        skin,
        vertices=np.concatenate([skin.vertices, grid.reshape(-1, 3)]),
        weights=np.concatenate([skin.weights, weights]),
        corner_vertex=np.concatenate([skin.corner_vertex, len(skin.vertices) + np.arange(n * m)]),
        corner_uv=np.concatenate([skin.corner_uv, np.stack([u, v], axis=-1).reshape(-1, 2)]),
        faces=np.concatenate([skin.faces, len(skin.corner_vertex) + faces]),
        part=np.concatenate([skin.part, np.full(len(faces), PARTS.index(part))]),
    )
