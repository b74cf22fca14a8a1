"""The points that evidence may speak of: 52 joints and ten fingertips. NumPy only, so that commands may name them."""

import numpy as np

from devi_jax.core.skeleton import JOINTS, TIPS

N_JOINTS = len(JOINTS)

N_POINTS = N_JOINTS + len(TIPS)
"""The points evidence may speak of: the 52 joints, then the ten fingertips in the order of `skeleton.TIPS`."""

TIP_SHARE = 1.0
"""Length of a distal phalanx, joint to tip, in middle phalanges."""


def fingertips_of(side: int) -> tuple[int, ...]:
    """Fingertips of the left (0) or right (1) hand among the 62 points."""
    half = len(TIPS) // 2
    return tuple(range(N_JOINTS + side * half, N_JOINTS + (side + 1) * half))


def fingertips(offsets: np.ndarray, share: float = TIP_SHARE) -> np.ndarray:
    """Fingertips in the frames of the distal phalanges (10, 3), metres, for a skeleton (52, 3) that ends at joints.

    Each continues its middle phalanx, `share` times as long.
    """
    return share * offsets[list(TIPS)]
