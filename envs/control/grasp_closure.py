"""Intent beyond the surface: fingers in contact aim a little further together, since a touching grasp holds nothing."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from devi_jax.core import rotations as rot
from devi_jax.core.skeleton import FINGERS, INDEX, SIDES

RAMP_FRAMES = 2.0
"""Standard deviation of the smoothing of the contact label over time."""


def squeeze_offsets(
    position: np.ndarray, rotation: np.ndarray, tips: np.ndarray, contact: np.ndarray, angle_rad: float
) -> np.ndarray:
    """Rotation vectors (T, 52, 3), in the joints' own frames, that close each touching hand by `angle_rad` a joint.

    Each finger joint turns its tip towards the middle between thumb tip and the other tips. `position` (T, 52, 3),
    `rotation` (T, 52, 4) in the world, `tips` (T, 10, 3), `contact` (T, 2).
    """
    out = np.zeros_like(position)
    strength = gaussian_filter1d(contact.astype(float), RAMP_FRAMES, axis=0, mode="nearest")
    for s, side in enumerate(SIDES):
        hand = tips[:, 5 * s : 5 * s + 5]
        centre = (hand[:, FINGERS.index("thumb")] + hand[:, :4].mean(axis=1)) / 2
        for f, finger in enumerate(FINGERS):
            for k in (1, 2, 3):
                joint = INDEX[f"{side}_{finger}{k}"]
                axis = np.cross(hand[:, f] - position[:, joint], centre - hand[:, f])
                norm = np.linalg.norm(axis, axis=-1, keepdims=True)
                axis = rot.rotate_inverse(rotation[:, joint], axis / np.maximum(norm, 1e-9))
                out[:, joint] = angle_rad * strength[:, s, None] * axis
    return out
