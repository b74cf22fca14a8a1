"""A solid of voxels as few convex parts that follow its surface: split where hulls fill free space, merge where not.

Hulls are of surface points, so parts are exact where the object is convex, however coarse the voxels are.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt
from scipy.spatial import ConvexHull, QhullError

from envs.scenes.objects.voxels import Voxels

_PLANES = 16  # per axis
_SCORED = 800  # voxels of a part by which planes are scored
_POWER = 1.5
_LEAVES_PER_PART = 2
_FLAT_M = 1e-4


@dataclass(frozen=True, eq=False)
class _Part:
    """Voxels (N,) by flat index, the hull's vertices (V, 3), and the free voxels that the hull fills: their centres
    (F, 3) and depths (F,), metres."""

    voxels: np.ndarray
    hull: np.ndarray
    filled: np.ndarray
    depths: np.ndarray

    @property
    def depth(self) -> float:
        """How deep the hull fills free space, metres."""
        return float(self.depths.max(initial=0.0))

    @property
    def loss(self) -> float:
        """How much free space it fills, deep space counting more: the sum of depths."""
        return float(self.depths.sum())


class _Space:
    """What parts are measured against: the free voxels of a solid, each with its distance from the solid."""

    def __init__(self, voxels: Voxels):
        self.voxels = voxels
        distance = np.asarray(distance_transform_edt(~voxels.solid)) * voxels.pitch
        free = np.argwhere(distance > 1.2 * voxels.pitch)
        outer = _inside(voxels.centres(free), ConvexHull(voxels.points).equations)
        self._centres, self._depths = voxels.centres(free[outer]), distance[tuple(free[outer].T)]
        self._order = np.argsort(voxels.owner, kind="stable")
        self._starts = voxels.owner[self._order]
        self._is_shell = np.zeros(voxels.solid.size, bool)
        self._is_shell[voxels.owner] = True

    def part(self, indices: np.ndarray) -> _Part:
        """The part that voxels (N,) make."""
        hull = _hull_vertices(self._points(indices))
        box = (self._centres >= hull.min(axis=0)).all(axis=1) & (self._centres <= hull.max(axis=0)).all(axis=1)
        box[box] = _inside(self._centres[box], ConvexHull(hull).equations)
        return _Part(indices, hull, self._centres[box], self._depths[box])

    def shell(self, indices: np.ndarray) -> np.ndarray:
        """Centres (N, 3) of those of the voxels that hold surface."""
        return self.centres(indices[self._is_shell[indices]])

    def centres(self, indices: np.ndarray) -> np.ndarray:
        """Centres (N, 3) of voxels (N,)."""
        return self.voxels.centres(np.array(np.unravel_index(indices, self.voxels.solid.shape)).T)

    def _points(self, indices: np.ndarray) -> np.ndarray:
        """Surface points in these voxels; the voxels' corners where those span no volume."""
        low, high = (np.searchsorted(self._starts, indices, side) for side in ("left", "right"))
        chosen = np.concatenate([self._order[a:b] for a, b in zip(low, high, strict=True) if b > a] or [[]])
        points = self.voxels.points[chosen.astype(int)]
        if len(points) >= 4:
            thickness = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)[2]
            if thickness > _FLAT_M * len(points) ** 0.5:
                return points
        corners = np.array(np.meshgrid(*[(-0.5, 0.5)] * 3)).reshape(3, -1).T * self.voxels.pitch
        return (self.centres(indices)[:, None] + corners).reshape(-1, 3)


def decompose(voxels: Voxels, parts: int, tolerance_m: float) -> list[np.ndarray]:
    """At most `parts` hulls, vertices (V, 3) each, filling free space no deeper than `tolerance_m` if so few can."""
    space = _Space(voxels)
    leaves = [space.part(np.flatnonzero(voxels.solid))]
    while len(leaves) < _LEAVES_PER_PART * parts:
        worst = int(np.argmax([leaf.loss * (leaf.depth > tolerance_m) for leaf in leaves]))
        if leaves[worst].depth <= tolerance_m:
            break
        halves = _split(space, leaves[worst])
        if halves is None:
            break
        leaves[worst : worst + 1] = halves
    return [leaf.hull for leaf in _merge(space, leaves, parts, tolerance_m)]


def _split(space: _Space, part: _Part) -> tuple[_Part, _Part] | None:
    """The two halves that fill least free space, over planes across the frame's and the part's own axes.

    Losses are taken to a power and times the half's extent: halving a ring frees nothing yet, but its quarters will.
    """
    shell = space.shell(part.voxels)
    shell = shell[:: -(-len(shell) // _SCORED)]
    thin = -(-len(part.filled) // _SCORED)
    filled, depths = part.filled[::thin], part.depths[::thin]
    axes = np.concatenate([np.eye(3), np.linalg.svd(shell - shell.mean(axis=0), full_matrices=False)[2]])
    margin, best, plane = 0.75 * space.voxels.pitch, np.inf, None
    for axis in axes:
        along = shell @ axis
        for level in np.linspace(along.min(), along.max(), _PLANES + 1)[1:-1]:
            # voxels at the cut count for both halves, lest the gap between centres pass for free space
            halves = shell[along < level + margin], shell[along >= level - margin]
            hulls = [_equations(half) for half in halves]
            if hulls[0] is None or hulls[1] is None:
                continue
            fills = [float(depths[_inside(filled, hull)].sum()) for hull in hulls if hull is not None]
            loss = sum(
                x**_POWER * float(np.linalg.norm(np.ptp(half, axis=0))) for x, half in zip(fills, halves, strict=True)
            )
            if loss < best:
                best, plane = loss, (axis, level)
    if plane is None:
        return None
    below = space.centres(part.voxels) @ plane[0] < plane[1]
    return space.part(part.voxels[below]), space.part(part.voxels[~below])


def _merge(space: _Space, leaves: list[_Part], parts: int, tolerance_m: float) -> list[_Part]:
    """Unite neighbours, the harmless ones first, while they stay within tolerance or are too many."""
    pool = dict(enumerate(leaves))
    unions: dict[tuple[int, int], _Part] = {}
    for a, b in _neighbours(space.voxels, leaves):
        unions[a, b] = space.part(np.concatenate([pool[a].voxels, pool[b].voxels]))
    while unions:
        (a, b), union = min(unions.items(), key=lambda item: _loss(item[1], *(pool[k] for k in item[0])))
        if union.depth > tolerance_m and len(pool) <= parts:
            break
        beside = {k for pair in unions for k in pair if a in pair or b in pair} - {a, b}
        unions = {pair: u for pair, u in unions.items() if a not in pair and b not in pair}
        del pool[b]
        pool[a] = union
        for k in beside:
            unions[min(a, k), max(a, k)] = space.part(np.concatenate([union.voxels, pool[k].voxels]))
    return list(pool.values())


def _loss(union: _Part, a: _Part, b: _Part) -> float:
    """How much more free space the union fills than its halves do."""
    return union.loss - a.loss - b.loss


def _neighbours(voxels: Voxels, leaves: list[_Part]) -> set[tuple[int, int]]:
    """Pairs of leaves with voxels side by side."""
    label = np.full(voxels.solid.size, -1)
    for k, leaf in enumerate(leaves):
        label[leaf.voxels] = k
    label = label.reshape(voxels.solid.shape)
    pairs: set[tuple[int, int]] = set()
    for axis in range(3):
        a, b = (np.moveaxis(label, axis, 0)[s].ravel() for s in (slice(None, -1), slice(1, None)))
        meet = (a != b) & (a >= 0) & (b >= 0)
        pairs |= {(int(min(p)), int(max(p))) for p in np.unique(np.stack([a[meet], b[meet]], axis=1), axis=0)}
    return pairs


def limit_vertices(hull: np.ndarray, count: int) -> np.ndarray:
    """At most `count` of the vertices (V, 3), the one farthest outside the hull of the chosen ones first."""
    if len(hull) <= count:
        return hull
    directions = np.concatenate([np.eye(3), -np.eye(3)])
    chosen = list(dict.fromkeys(int(i) for i in np.argmax(hull @ directions.T, axis=0)))
    spread = np.linalg.norm(hull - hull.mean(axis=0), axis=1)
    chosen += [int(i) for i in np.argsort(-spread) if i not in chosen][: max(0, 5 - len(chosen))]
    while len(chosen) < count:
        equations = ConvexHull(hull[chosen], qhull_options="QJ").equations
        outside = (hull @ equations[:, :3].T + equations[:, 3]).max(axis=1)
        outside[chosen] = -np.inf
        chosen.append(int(np.argmax(outside)))
    return hull[chosen]


def _hull_vertices(points: np.ndarray) -> np.ndarray:
    return points[ConvexHull(points).vertices]


def _inside(points: np.ndarray, equations: np.ndarray) -> np.ndarray:
    """Which points (N, 3) lie within half-spaces (F, 4)."""
    out = np.zeros(len(points), bool)
    for start in range(0, len(points), 20000):
        chunk = points[start : start + 20000]
        out[start : start + 20000] = (chunk @ equations[:, :3].T + equations[:, 3]).max(axis=1) < 0
    return out


def _equations(points: np.ndarray) -> np.ndarray | None:
    """Half-spaces (F, 4) of the hull; `None` for too few or flat points, so that no plane shaves off a sliver."""
    try:
        return ConvexHull(points).equations if len(points) > 4 else None
    except QhullError:
        return None
