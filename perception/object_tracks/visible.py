"""What a camera sees of a mesh whose pose is known: its outline in the picture, and its visible vertices."""

import cv2
import numpy as np

from devi_jax.core.camera import Camera, project

DEPTH_M = 0.01
"""A vertex this much behind what the depth picture shows is hidden."""

CLEAR_M = 1e-4
"""Triangles that a ray meets less than this before the vertex are those the vertex belongs to."""

_CHUNK = 1 << 21


def outline(vertices: np.ndarray, faces: np.ndarray, camera: Camera) -> np.ndarray:
    """Pixels (height, width) bool that a mesh covers: vertices (V, 3) in the world, metres, and faces (F, 3)."""
    px, depth = project(np.asarray(vertices, float), camera.K, camera.T_camera_world)
    out = np.zeros((camera.height, camera.width), np.uint8)
    shift = 4  # sixteenths of a pixel; OpenCV counts from the centre of the first pixel
    corners = np.round((px - 0.5) * (1 << shift)).astype(np.int32)
    for face in faces[(depth[faces] > 0).all(axis=1)]:
        cv2.fillConvexPoly(out, corners[face], 1, shift=shift)
    return out.astype(bool)


def visible_vertices(
    vertices: np.ndarray,
    faces: np.ndarray,
    camera: Camera,
    mask: np.ndarray | None = None,
    depth: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices that the camera sees: their indices (N,) and pixels (N, 2).

    A ray from each vertex to the camera must not meet the mesh. Of vertices at the same place the first one counts.

    Args:
        vertices, faces: the object in the world (V, 3), metres, and (F, 3).
        mask: where the picture shows the object (height, width) bool, if that is known: others may stand before it.
        depth: metres along z (height, width), if known; used in the same way.
    """
    vertices = np.asarray(vertices, float)
    px, z = project(vertices, camera.K, camera.T_camera_world)
    pixel = np.floor(px).astype(int)
    seen = (z > 0) & (pixel >= 0).all(axis=1) & (pixel < [camera.width, camera.height]).all(axis=1)
    _, first = np.unique(vertices.round(6), axis=0, return_index=True)
    seen &= np.isin(np.arange(len(vertices)), first)
    ids = np.flatnonzero(seen)
    column, row = pixel[ids].T
    # a vertex of the outline falls beside the object as often as on it, so its neighbours speak for it
    near = np.ones((3, 3), np.uint8)
    if mask is not None:
        ids = ids[cv2.dilate(mask.astype(np.uint8), near)[row, column] > 0]
        column, row = pixel[ids].T
    if depth is not None:
        ids = ids[z[ids] <= cv2.dilate(depth.astype(np.float32), near)[row, column] + DEPTH_M]
    ids = ids[~is_occluded(vertices[ids], camera.position_world, vertices[faces])]
    return ids, px[ids]


def is_occluded(points: np.ndarray, eye: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Whether triangles (F, 3, 3) stand between points (N, 3) and the eye (3,): (N,) bool (Moeller, Trumbore 1997)."""
    out = np.zeros(len(points), bool)
    a = triangles[:, 0]
    u, v = triangles[:, 1] - a, triangles[:, 2] - a
    step = max(1, _CHUNK // max(len(triangles), 1))
    for k in range(0, len(points), step):
        way = eye - points[k : k + step, None]
        length = np.linalg.norm(way, axis=-1)
        h = np.cross(way, v)
        det = (u * h).sum(-1)
        inverse = 1 / np.where(np.abs(det) < 1e-15, np.inf, det)
        s = points[k : k + step, None] - a
        q = np.cross(s, u)
        b, c = (s * h).sum(-1) * inverse, (way * q).sum(-1) * inverse
        along = (v * q).sum(-1) * inverse * length
        hit = (b >= 0) & (c >= 0) & (b + c <= 1) & (along > CLEAR_M) & (along < length)
        out[k : k + step] = hit.any(axis=1)
    return out


def spread_points(px: np.ndarray, count: int) -> np.ndarray:
    """Indices of `count` of the points (N, 2), each the farthest from those before; all where there are fewer."""
    if len(px) <= count:
        return np.arange(len(px))
    chosen = [int(np.argmax(np.linalg.norm(px - px.mean(axis=0), axis=-1)))]
    gap = np.full(len(px), np.inf)
    while len(chosen) < count:
        gap = np.minimum(gap, np.linalg.norm(px - px[chosen[-1]], axis=-1))
        chosen.append(int(np.argmax(gap)))
    return np.sort(chosen)
