"""Where the network has a palm."""

import numpy as np

from envs.embodiments.human import human
from perception.contracts.hand import HAND21
from perception.landmarks.network_palm import PALM_POINTS, network_shifts


def test_hands_are_mirror_images_and_shifts_grow_with_the_hand():
    offsets = human().offsets
    right, left = (network_shifts(offsets, side) for side in ("right", "left"))
    assert np.allclose(right * [-1, 1, 1], left, atol=1e-6)
    assert np.allclose(network_shifts(1.2 * offsets, "right"), 1.2 * right)
    assert np.count_nonzero(np.linalg.norm(right, axis=1)) == len(PALM_POINTS) + 1


def test_the_networks_palm_is_shorter_narrower_and_inside_the_hand():
    shifts = dict(zip(HAND21, network_shifts(human().offsets, "right"), strict=True))
    assert shifts["wrist"][0] > 0 > shifts["middle1"][0]  # fingers point along x
    assert shifts["index1"][1] < 0 < shifts["pinky1"][1]  # thumbs along y
    assert all(shifts[name][2] < 0 for name in ("middle1", "thumb1"))  # palms look down
