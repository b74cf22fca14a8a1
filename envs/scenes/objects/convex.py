"""Meshes to convex parts that keep holes and handles, cached by content: finding them takes seconds."""

import hashlib
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from devi_jax.core.errors import SceneError
from devi_jax.core.files import replacing
from devi_jax.core.scene import Mesh
from envs.scenes.objects.convex_decomposition import decompose, limit_vertices
from envs.scenes.objects.voxels import voxelise

_VERSION = 2
"""Of the method: an older cache entry is not read."""


@dataclass(frozen=True)
class ConvexSettings:
    """How finely a mesh is decomposed.

    `parts`: most hulls; `vertices`: most vertices a hull; `resolution`: voxels along the mesh's longest side;
    `tolerance`: how deep a hull may fill free space where that saves hulls, in units of the longest side.
    """

    parts: int = 16
    vertices: int = 64
    resolution: int = 64
    tolerance: float = 0.02


def cache_folder() -> Path:
    """Where decompositions are kept: `$DEVI_JAX_CACHE`, else `~/.cache/devi_jax`."""
    return Path(os.environ.get("DEVI_JAX_CACHE", Path.home() / ".cache" / "devi_jax")) / "convex"


def convex_parts(mesh: Mesh, settings: ConvexSettings | None = None) -> tuple[np.ndarray, ...]:
    """Convex hulls covering a mesh, each as vertices (V, 3) in metres in the mesh's frame.

    A mesh that is its own hull (within 2 % of volume) is one part. Raises `SceneError` for a degenerate mesh.
    """
    settings = settings or ConvexSettings()
    key = hashlib.sha256()
    key.update(np.ascontiguousarray(mesh.vertices, np.float64).tobytes())
    key.update(np.ascontiguousarray(mesh.faces, np.int64).tobytes())
    key.update(repr((_VERSION, sorted(asdict(settings).items()))).encode())
    path = cache_folder() / f"{key.hexdigest()[:24]}.npz"
    if path.exists():
        with np.load(path, allow_pickle=False) as file:
            return tuple(file[k] for k in sorted(file.files))
    parts = _decompose(mesh, settings)
    with replacing(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **{f"part{i:03d}": p for i, p in enumerate(parts)})  # type: ignore[arg-type]
    return parts


def _decompose(mesh: Mesh, settings: ConvexSettings) -> tuple[np.ndarray, ...]:
    import trimesh

    solid = trimesh.Trimesh(mesh.vertices, mesh.faces, process=True)
    extent = solid.extents
    if extent is None or extent.min() < 1e-5:
        raise SceneError(f"mesh is flat: extents {extent} m", where="object.mesh", valid="a mesh with a volume")
    hull = solid.convex_hull
    if solid.is_watertight and solid.volume > 0.98 * hull.volume:
        return (limit_vertices(np.asarray(hull.vertices, np.float64), settings.vertices),)
    voxels = voxelise(np.asarray(solid.vertices), np.asarray(solid.faces), settings.resolution)
    parts = decompose(voxels, settings.parts, settings.tolerance * float(extent.max()))
    return tuple(limit_vertices(part, settings.vertices) for part in parts)
