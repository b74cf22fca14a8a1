"""How things are made: closed solids turned from profiles, swept along paths, cut from slabs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from envs.scenes.catalogue.solid import Form, Rect, joined

SIDES = 40
"""Sides of what is round."""
SHARP_RAD = 0.6
"""Edges that turn by more are drawn as edges."""


@dataclass(frozen=True)
class Strip:
    """A stretch of a profile, (radius, height) from point to point, and its place on the texture.

    The texture is wrapped around it, the stretch's end at the top; a `disc` is seen along the axis instead.
    """

    points: Sequence[tuple[float, float]]
    rect: Rect
    disc: bool = False


def lathe(*strips: Strip, sides: int = SIDES) -> Form:
    """The solid of a profile turned about z, from the axis below, around the outside, to the axis above.

    Strips follow each other. The seam of wrapped textures is at -y.
    """
    angle = 2 * np.pi * np.arange(sides + 1) / sides - np.pi / 2
    angle[-1] = angle[0]  # both ends of the seam at the very same place
    turn = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    parts = []
    for strip in strips:
        profile = _edged(np.array(strip.points, float))
        rings = np.concatenate(
            [
                profile[:, None, :1] * turn,
                np.broadcast_to(profile[:, None, 1:], (len(profile), sides + 1, 1)),
            ],
            axis=2,
        )
        if strip.disc:
            reach = profile[:, 0].max()
            uv = strip.rect.at(0.5 + rings[..., 0] / (2 * reach), 0.5 - rings[..., 1] / (2 * reach))
        else:
            uv = strip.rect.at(*np.meshgrid(np.linspace(0, 1, sides + 1), 1 - _fractions(profile)))
        parts.append(_skin(rings, uv))
    return joined(*parts)


def sweep(
    path: Sequence[Sequence[float]] | np.ndarray,
    widths: Sequence[Sequence[float]] | np.ndarray,
    rect: Rect,
    up: tuple[float, float, float] = (0.0, 1.0, 0.0),
    sides: int = 20,
    power: float = 2.0,
) -> Form:
    """The solid of superellipses along a path.

    Args:
        path: its points (N, 3), metres.
        widths: half-widths (N, 2) across and along `up`, metres.
        rect: where it is on the texture; wrapped around, the path's end at the top.
        up: a direction that is nowhere along the path.
        sides: sides of a section.
        power: 2 for ellipses, more for rounded rectangles.
    """
    path, widths = np.asarray(path, float), np.asarray(widths, float)
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    second = np.asarray(up, float) - (along @ np.asarray(up, float))[:, None] * along
    second /= np.linalg.norm(second, axis=1, keepdims=True)
    first = np.cross(second, along)
    angle = 2 * np.pi * np.arange(sides + 1) / sides - np.pi / 2
    angle[-1] = angle[0]
    unit = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    unit = np.sign(unit) * np.abs(unit) ** (2 / power)
    across, upwards = (widths[:, i, None, None] * unit[:, i, None] for i in (0, 1))
    rings = path[:, None] + across * first[:, None] + upwards * second[:, None]
    ends = [np.broadcast_to(p, (1, sides + 1, 3)) for p in (path[0], path[-1])]
    uv = rect.at(*np.meshgrid(np.linspace(0, 1, sides + 1), 1 - _fractions(path)))
    return joined(
        _skin(np.concatenate([ends[0], rings[:1]]), uv[[0, 0]]),
        _skin(rings, uv),
        _skin(np.concatenate([rings[-1:], ends[1]]), uv[[-1, -1]]),
    )


def slab(
    outline: Sequence[Sequence[float]] | np.ndarray,
    thickness: float,
    front: Rect,
    back: Rect,
    side: Rect,
    bevel: float = 0.0,
) -> Form:
    """A plate of any outline (N, 2), counter-clockwise, around z = 0; its `front` is seen from above.

    `side` is wrapped around its rim; `bevel`: how far its edges are cut, metres.
    """
    from manifold3d import triangulate

    outline, h = np.asarray(outline, float), thickness / 2
    inner = _inset(outline, bevel)
    corners = _edged(np.concatenate([outline, outline[:1]]), closed=True)
    narrow = _edged(np.concatenate([inner, inner[:1]]), closed=True, like=outline)
    levels = [(corners, -h + bevel), (corners, h - bevel)]
    if bevel:
        levels = [(narrow, -h), *levels, (narrow, h)]
    rings = np.stack([np.c_[ring, np.full(len(ring), z)] for ring, z in levels])
    heights = np.array([z for _, z in levels])
    uv = side.at(*np.meshgrid(_fractions(corners), (h - heights) / thickness))
    low, size = outline.min(axis=0), np.ptp(outline, axis=0)
    s, t = ((inner - low) / size).T
    caps = np.asarray(triangulate([inner]))
    flat = [np.c_[inner, np.full(len(inner), z)] for z in (-h, h)]
    return joined(
        _skin(rings, uv, doubled=bevel > 0),
        Form(flat[1], caps, front.at(s, 1 - t)),
        Form(flat[0], caps[:, ::-1], back.at(1 - s, 1 - t)),
    )


def rounded(width: float, height: float, radius: float, steps: int = 5) -> np.ndarray:
    """The outline (N, 2) of a rectangle with round corners, around the origin."""
    angle = np.linspace(0, np.pi / 2, steps)
    arc = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    centre = np.array([width / 2 - radius, height / 2 - radius])
    turns = [np.array([[1, 0], [0, 1]]), np.array([[0, -1], [1, 0]])]
    out = []
    for quarter in range(4):
        turn = np.linalg.matrix_power(turns[1], quarter)
        sign = np.array([1 if quarter in (0, 3) else -1, 1 if quarter in (0, 1) else -1])
        out.append(arc @ turn.T + centre * sign)
    return np.concatenate(out)


def _skin(rings: np.ndarray, uv: np.ndarray, doubled: bool = False) -> Form:
    """Triangles between rings (K, N, 3) that run counter-clockwise about the way from first to last."""
    if doubled:  # each ring is an edge
        rings, uv = np.repeat(rings, 2, axis=0)[1:-1], np.repeat(uv, 2, axis=0)[1:-1]
    count, columns = rings.shape[:2]
    k, i = np.meshgrid(np.arange(count - 1), np.arange(columns - 1), indexing="ij")
    a, b = k * columns + i, k * columns + i + 1
    d, c = a + columns, b + columns
    faces = np.concatenate([np.stack([a, b, c], axis=-1).reshape(-1, 3), np.stack([a, c, d], axis=-1).reshape(-1, 3)])
    points = rings.reshape(-1, 3)
    corners = points[faces]
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)
    return Form(points, faces[sides.min(axis=1) > 1e-9], uv.reshape(-1, 2))


def _fractions(points: np.ndarray) -> np.ndarray:
    """How far along a polyline (N, ·) each point is, 0 to 1."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    return np.concatenate([[0.0], np.cumsum(steps)]) / steps.sum()


def _edged(points: np.ndarray, closed: bool = False, like: np.ndarray | None = None) -> np.ndarray:
    """A polyline with its sharp corners doubled, so that they are drawn as edges; those of `like`, where given."""
    shape = points if like is None else np.concatenate([like, like[:1]])
    ways = np.diff(shape, axis=0)
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    turns = np.arccos(np.clip((ways[:-1] * ways[1:]).sum(axis=1), -1, 1))
    times = np.concatenate([[1], np.where(turns > SHARP_RAD, 2, 1), [1]])
    return np.repeat(points, times, axis=0)


def _inset(outline: np.ndarray, by: float) -> np.ndarray:
    """The outline (N, 2), counter-clockwise, moved inwards by `by` at every edge."""
    if not by:
        return outline
    ways = np.roll(outline, -1, axis=0) - outline
    normals = np.stack([-ways[:, 1], ways[:, 0]], axis=1) / np.linalg.norm(ways, axis=1, keepdims=True)
    before = np.roll(normals, 1, axis=0)
    mitre = before + normals
    return outline + by * mitre / (1 + (before * normals).sum(axis=1, keepdims=True))
