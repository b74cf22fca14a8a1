"""The checks that contracts share: shapes and types, finite where valid, rotations, cameras, 3D against 2D."""

from collections.abc import Sequence

import numpy as np

from devi_jax.core.errors import DeviError

FOCAL_DIAGONALS = (0.2, 40.0)
"""Focal lengths over the image diagonal that some tool assumes: 0.44 is DeVI's camera, 17 is HaMeR's."""

REPROJECTION_PART, REPROJECTION_PX = 0.15, 3.0
"""Projected 3D joints may miss the 2D ones by this part of the hand's size, and always by so many pixels.

The median over joints and frames counts. Tools differ by up to 3 px where they project with another focal length;
a mirrored hand or another camera misses by half a hand and more.
"""


class EstimateError(DeviError):
    """What an estimator left, or what was read from it, is not usable."""


def shaped(
    value: np.ndarray, spec: Sequence[int | str], kinds: str, where: str, sizes: dict[str, int] | None = None
) -> None:
    """Raise unless `value` has the shape `spec` and a dtype kind in `kinds` (NumPy's letters: f i u b).

    A name in `spec` stands for any size, but the same wherever it occurs: `sizes` holds those seen, and is added to.
    """
    sizes = {} if sizes is None else sizes
    wanted = [
        sizes.setdefault(n, size) if isinstance(n, str) else n for n, size in zip(spec, value.shape, strict=False)
    ]
    if value.ndim != len(spec) or list(value.shape) != wanted:
        named = ", ".join(f"{n}={sizes[n]}" if isinstance(n, str) and n in sizes else str(n) for n in spec)
        raise EstimateError(f"array has shape {value.shape}", where=where, valid=f"({named})")
    if value.dtype.kind not in kinds:
        words = {"f": "floating point", "i": "whole numbers", "u": "whole numbers", "b": "booleans"}
        valid = " or ".join(dict.fromkeys(words[k] for k in kinds))
        raise EstimateError(f"array is of type {value.dtype}", where=where, valid=valid)


def finite(value: np.ndarray, where: str, valid: np.ndarray | None = None) -> None:
    """Raise unless all numbers of the frames that `valid` (T,) names are finite."""
    rows = np.isfinite(value).reshape(len(value), -1).all(axis=1)
    bad = np.flatnonzero(~rows if valid is None else ~rows & valid)
    if len(bad):
        raise EstimateError(
            f"{len(bad)} frames have values that are not finite, the first is {bad[0]}",
            where=where,
            valid="finite numbers in every frame that is marked valid",
            fix="mark those frames as not valid, or estimate them again",
        )


def rotation_vectors(value: np.ndarray, where: str, valid: np.ndarray) -> None:
    """Raise unless rotation vectors (T, ..., 3) are finite and shorter than 2 pi in the frames of `valid` (T,)."""
    finite(value, where, valid)
    angles = np.linalg.norm(np.where(np.isfinite(value), value, 0.0), axis=-1)
    frames = angles.reshape(len(value), -1).max(axis=1, initial=0.0)
    bad = np.flatnonzero((frames >= 2 * np.pi) & valid)
    if len(bad):
        raise EstimateError(
            f"a rotation of {frames[bad[0]]:.3g} at frame {bad[0]}",
            where=where,
            valid="rotation vectors in radians, shorter than 2 pi",
            fix="check that the file holds rotation vectors, not degrees, matrices or quaternions",
        )


def pinhole(K: np.ndarray, size_px: tuple[int, int], where: str) -> None:
    """Raise unless `K` (3, 3) could be the camera of pictures of `size_px` (width, height)."""
    shaped(K, (3, 3), "f", where)
    finite(K, where)
    width, height = size_px
    low, high = (part * float(np.hypot(width, height)) for part in FOCAL_DIAGONALS)
    focal = min(K[0, 0], K[1, 1]), max(K[0, 0], K[1, 1])
    sound = (
        low <= focal[0] <= focal[1] <= min(high, 2 * focal[0])
        and 0 <= K[0, 2] <= width
        and 0 <= K[1, 2] <= height
        and abs(K[0, 1]) <= 0.01 * focal[0]
        and np.allclose(K[[1, 2, 2, 2], [0, 0, 1, 2]], [0, 0, 0, 1], atol=1e-6)
    )
    if not sound:
        raise EstimateError(
            f"K = {np.round(K, 2).tolist()} is no camera of {width} x {height} pixels",
            where=where,
            valid=f"[[f, 0, cx], [0, f, cy], [0, 0, 1]] with f of {low:.0f} to {high:.0f} px, (cx, cy) in the picture",
            fix="check the picture's size, and that K belongs to the whole picture and not to a crop",
        )


def reprojected(
    joints3d: np.ndarray, joints2d: np.ndarray, K: np.ndarray, valid: np.ndarray, where: str, size_px: float
) -> None:
    """Raise unless points (T, J, 3) in front of the camera fall where (T, J, 2) says, in the frames of `valid` (T,).

    `size_px` is the size of what the points belong to; see `REPROJECTION_PART` for the bound.
    """
    if not valid.any():
        return
    points = joints3d[valid].astype(float)
    if points[..., 2].min() <= 0:
        raise EstimateError(
            "joints lie behind the camera",
            where=where,
            valid="z > 0: x right, y down, z forward, in the camera's frame",
        )
    pixels = points @ K.T.astype(float)
    off = float(np.median(np.linalg.norm(pixels[..., :2] / pixels[..., 2:] - joints2d[valid], axis=-1)))
    bound = max(REPROJECTION_PX, REPROJECTION_PART * size_px)
    if off > bound:
        raise EstimateError(
            f"3D joints, projected, miss the 2D joints by {off:.1f} px (median)",
            where=where,
            valid=f"{bound:.1f} px or less, with K_used = {np.round(K, 1).tolist()}",
            fix="check left against right (is the hand still mirrored?), K, and the size of the picture",
        )
