"""Where the network has a hand's points, against the skeleton's joints: its palm is a quarter shorter and narrower.

Fitted once to rendered hands seen from near by, whose joints are known, and rounded: the network's wrist is a fifth of
the palm nearer to the fingers, its knuckles are nearer to each other and to the inside of the hand. On films from afar,
`tests/perception/landmarks/test_rendered_hands.py` holds that the network's points are nearer to these than to joints.
"""

import numpy as np

from devi_jax.core.skeleton import INDEX
from perception.contracts.hand import HAND21

KNUCKLES = ("index1", "middle1", "ring1", "pinky1")
"""With the wrist they are a palm."""
PALM_POINTS = [HAND21.index(name) for name in ("wrist", *KNUCKLES)]
SHIFTS = {
    "wrist": (0.21, 0.0, 0.03),
    "thumb1": (-0.01, -0.03, 0.14),
    "index1": (-0.06, -0.05, 0.05),
    "middle1": (-0.06, 0.01, 0.08),
    "ring1": (-0.04, 0.05, 0.09),
    "pinky1": (0.0, 0.08, 0.07),
}
"""By how much they are off towards the fingers, towards the thumb and out of the palm, in lengths of the palm."""


def network_shifts(offsets: np.ndarray, side: str) -> np.ndarray:
    """What to add to the skeleton's points of a hand to have the network's: (21, 3) metres in the wrist's frame.

    Args:
        offsets: the skeleton's joints in their parents' frames (52, 3), metres.
    """
    middle = offsets[[INDEX[f"{side}_{name}"] for name in KNUCKLES]].mean(axis=0)
    length = float(np.linalg.norm(middle))
    along = middle / length
    across = np.array([0.0, 1.0, 0.0])  # hands lie flat in the T-pose, palms down, thumbs ahead
    axes = np.stack([along, across, [0.0, 0.0, -1.0]])
    out = np.zeros((len(HAND21), 3))
    for name, shift in SHIFTS.items():
        out[HAND21.index(name)] = length * np.array(shift) @ axes
    return out
