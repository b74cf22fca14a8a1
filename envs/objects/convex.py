"""Meshes to convex parts (CoACD), cached by content: the decomposition takes seconds to minutes, reading it nothing."""

import hashlib
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from devi_jax.core.errors import SceneError
from devi_jax.core.scene import Mesh


@dataclass(frozen=True)
class ConvexSettings:
    """How finely a mesh is decomposed.

    `threshold`: CoACD's concavity bound in units of the mesh's extent; `parts`: most hulls; `vertices`: most vertices a
    hull; `resolution`: voxels along the mesh when it is made watertight; `seed`: of the search.
    """

    threshold: float = 0.06
    parts: int = 16
    vertices: int = 32
    resolution: int = 30
    seed: int = 0


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
    key.update(repr(sorted(asdict(settings).items())).encode())
    path = cache_folder() / f"{key.hexdigest()[:24]}.npz"
    if path.exists():
        with np.load(path, allow_pickle=False) as file:
            return tuple(file[k] for k in sorted(file.files))
    parts = _decompose(mesh, settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "wb") as stream:
        np.savez(stream, **{f"part{i:03d}": p for i, p in enumerate(parts)})  # type: ignore[arg-type]
    os.replace(temporary, path)
    return parts


def _decompose(mesh: Mesh, settings: ConvexSettings) -> tuple[np.ndarray, ...]:
    import coacd
    import trimesh

    solid = trimesh.Trimesh(mesh.vertices, mesh.faces, process=True)
    extent = solid.extents
    if extent is None or extent.min() < 1e-5:
        raise SceneError(f"mesh is flat: extents {extent} m", where="object.mesh", valid="a mesh with a volume")
    hull = solid.convex_hull
    if solid.is_watertight and solid.volume > 0.98 * hull.volume:
        return (_limit(hull, settings.vertices),)
    coacd.set_log_level("error")
    parts = coacd.run_coacd(
        coacd.Mesh(solid.vertices, solid.faces),
        threshold=settings.threshold,
        max_convex_hull=settings.parts,
        preprocess_resolution=settings.resolution,
        resolution=1000,
        mcts_nodes=10,
        mcts_iterations=60,
        max_ch_vertex=settings.vertices,
        decimate=True,
        seed=settings.seed,
    )
    return tuple(np.asarray(vertices, np.float64) for vertices, _ in parts)


def _limit(hull, count: int) -> np.ndarray:
    """At most `count` hull vertices, chosen farthest-first so that the extremes stay."""
    vertices = np.asarray(hull.vertices, np.float64)
    if len(vertices) <= count:
        return vertices
    chosen = [int(np.argmax(np.linalg.norm(vertices - vertices.mean(0), axis=1)))]
    distance = np.linalg.norm(vertices - vertices[chosen[0]], axis=1)
    while len(chosen) < count:
        chosen.append(int(np.argmax(distance)))
        distance = np.minimum(distance, np.linalg.norm(vertices - vertices[chosen[-1]], axis=1))
    return vertices[chosen]
