"""The file that tells a point tracker what to follow."""

from pathlib import Path

import numpy as np

from devi_jax.core.files import replacing


def write_queries(path: Path, xy: np.ndarray, vertex_id: np.ndarray | None = None, frame: int = 0) -> Path:
    """Points `xy` (N, 2), pixels with (0, 0) a corner, to be followed from `frame` on; `vertex_id` (N,) stays theirs.

    Arrays `queries` (N, 3: frame, x, y) and `vertex_id` (N,).
    """
    queries = np.concatenate([np.full((len(xy), 1), float(frame)), xy], axis=1).astype(np.float32)
    vertices = np.full(len(xy), -1) if vertex_id is None else vertex_id
    with replacing(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, queries=queries, vertex_id=vertices.astype(np.int32))
    return path
