"""A mesh as a solid of voxels: thin, leaking shells become bodies, while tunnels and open cavities stay empty."""

import itertools
from dataclasses import dataclass

import numpy as np

ENCLOSED = 18
"""Inside of a kettle without a lid 22 or more of 26 directions are blocked, in the hole of its handle at most 14."""

_SAMPLES_PER_FACE = 8  # surface samples per voxel face: a wall without a gap
_BORDER = 2


@dataclass(frozen=True)
class Voxels:
    """`solid` (X, Y, Z): inside or on the surface; `owner` (N,): flat voxel index of each surface `points` (N, 3).

    Voxel (i, j, k) is centred at `origin` + (i, j, k) * `pitch`; metres, in the mesh's frame.
    """

    solid: np.ndarray
    origin: np.ndarray
    pitch: float
    points: np.ndarray
    owner: np.ndarray

    def centres(self, indices: np.ndarray) -> np.ndarray:
        """Centres (N, 3) of voxels (N, 3)."""
        return self.origin + indices * self.pitch


def voxelise(vertices: np.ndarray, faces: np.ndarray, resolution: int, seed: int = 0) -> Voxels:
    """The solid of a triangle mesh with `resolution` voxels along its longest side.

    A voxel is inside where the surface blocks the view in at least `ENCLOSED` of the 26 directions to its neighbours,
    so a mesh need be neither watertight nor without a lid. The hole of a handle, a bowl, and the upper part of a mug
    are outside, as fingers reach them; the bottom of a mug is not.
    """
    import trimesh

    mesh = trimesh.Trimesh(vertices, faces, process=False)
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    pitch = float((high - low).max()) / resolution
    count = int(_SAMPLES_PER_FACE * mesh.area / pitch**2)
    points = np.concatenate([mesh.vertices, trimesh.sample.sample_surface(mesh, count, seed=seed)[0]])
    origin = low - (_BORDER - 0.5) * pitch
    indices = np.rint((points - origin) / pitch).astype(int)
    shell = np.zeros(tuple(indices.max(axis=0) + 1 + _BORDER), bool)
    shell[tuple(indices.T)] = True
    directions = [d for d in itertools.product((-1, 0, 1), repeat=3) if any(d)]
    inside = np.sum([_blocked(shell, d) for d in directions], axis=0) >= ENCLOSED
    owner = np.ravel_multi_index(tuple(indices.T), shell.shape)
    return Voxels(shell | inside, origin, pitch, points, np.asarray(owner))


def _blocked(shell: np.ndarray, direction: tuple[int, ...]) -> np.ndarray:
    """Where a ray along `direction` meets the shell: a running `or`, in log2 steps."""
    out, step = shell.copy(), 1
    while step < max(shell.shape):
        here, there = [], []
        for d, n in zip(direction, shell.shape, strict=True):
            k = min(step, n) * d
            here.append(slice(max(-k, 0), n - max(k, 0)))
            there.append(slice(max(k, 0), n - max(-k, 0)))
        out[tuple(here)] |= out[tuple(there)].copy()
        step *= 2
    return out
