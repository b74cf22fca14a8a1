"""Whether turning a thing about the vertical changes anything that a hand could grip: of a can no, of a mug yes."""

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.scene import ObjectSpec
from envs.scenes.objects.surface_points import sample_surface

ROUND_M = 0.004
"""Outlines that differ by less over all directions are round."""
_POINTS, _SLABS, _SECTORS = 20_000, 8, 16


def is_round(thing: ObjectSpec, rotation: np.ndarray) -> bool:
    """Whether a thing that stands with this rotation (4,) is one of revolution about the vertical through its origin.

    In horizontal slabs the farthest surface point in each of 16 directions is as far as in the others.
    """
    points = rot.rotate(np.asarray(rotation, float), sample_surface(thing, _POINTS))
    low, high = points[:, 2].min(), points[:, 2].max()
    slab = np.minimum((points[:, 2] - low) / max(high - low, 1e-9) * _SLABS, _SLABS - 1).astype(int)
    sector = np.minimum((np.arctan2(points[:, 1], points[:, 0]) / (2 * np.pi) + 0.5) * _SECTORS, _SECTORS - 1).astype(
        int
    )
    far = np.zeros((_SLABS, _SECTORS))
    np.maximum.at(far, (slab, sector), np.linalg.norm(points[:, :2], axis=1))
    return bool(np.ptp(far, axis=1).max() < ROUND_M)
