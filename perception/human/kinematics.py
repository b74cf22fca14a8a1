"""Forward kinematics of the 52 joints in torch, batched over frames and differentiable in everything.

The same map as `devi_jax.core.clip.forward_kinematics`, one level of the tree at a time.
"""

import numpy as np
import torch
from torch import Tensor

from devi_jax.core.skeleton import PARENTS, TIPS, levels


def forward(local: Tensor, root: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
    """Positions (T, 52, 3) and world rotations (T, 52, 3, 3) of parent-relative rotations.

    Args:
        local: rotation matrices (T, 52, 3, 3), the pelvis' relative to the world.
        root: positions of the pelvis (T, 3), metres.
        offsets: joints in their parents' frames (52, 3), metres; the pelvis' is not read.
    """
    rotations, positions = [local[:, :1]], [root[:, None]]
    tree = levels()
    for above, here in zip(tree[:-1], tree[1:], strict=True):
        parent = [above.index(PARENTS[i]) for i in here]
        turned, at = rotations[-1][:, parent], positions[-1][:, parent]
        positions.append(at + (turned @ offsets[list(here), :, None])[..., 0])
        rotations.append(turned @ local[:, list(here)])
    order = np.argsort([i for level in tree for i in level]).tolist()
    return torch.cat(positions, dim=1)[:, order], torch.cat(rotations, dim=1)[:, order]


def points(positions: Tensor, rotations: Tensor, tips: Tensor) -> Tensor:
    """Joints and fingertips (T, 62, 3) of `forward`'s result and `tips` (10, 3) in the distal phalanges' frames."""
    distal = list(TIPS)
    ends = positions[:, distal] + (rotations[:, distal] @ tips[:, :, None])[..., 0]
    return torch.cat([positions, ends], dim=1)
