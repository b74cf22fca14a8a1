"""Values of a surface carried to points near it: DeVI A.2's blend of the K nearest vertices by a Gaussian."""

import numpy as np
from scipy import sparse
from scipy.spatial import KDTree

NEIGHBOURS = 16
"""K of DeVI A.2."""


def gaussian_blend(
    points: np.ndarray, vertices: np.ndarray, neighbours: int = NEIGHBOURS, sigma_m: float | None = None
) -> sparse.csr_matrix:
    """The matrix (N, M) with rows that sum to 1, which blends values of `vertices` (M, 3) at `points` (N, 3).

    DeVI A.2: alpha_ik = softmax over the K nearest vertices of s_ik = -|x_i - v_k|^2 / (2 sigma^2).

    Args:
        sigma_m: the Gaussian's width in metres. The paper gives none; by default each point's distance to its nearest
            vertices' middle one, so that a coarse and a fine surface are blended alike.
    """
    count = min(neighbours, len(vertices))
    distance, nearest = KDTree(vertices).query(points, k=count)
    distance, nearest = distance.reshape(len(points), count), nearest.reshape(len(points), count)
    sigma = np.median(distance, axis=1, keepdims=True) if sigma_m is None else sigma_m
    exponent = -(distance**2) / (2 * np.maximum(sigma, 1e-9) ** 2)
    alpha = np.exp(exponent - exponent.max(axis=1, keepdims=True))
    alpha /= alpha.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(len(points)), count)
    return sparse.csr_matrix((alpha.ravel(), (rows, nearest.ravel())), shape=(len(points), len(vertices)))
