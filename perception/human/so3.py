"""Rotations that torch can differentiate: exponential map, geodesic distance.

What crosses to files is quaternions of `devi_jax.core.rotations`; in here rotations are matrices (..., 3, 3).
"""

import math

import torch
from torch import Tensor

_SMALL = 1e-8


def exp(rotvec: Tensor) -> Tensor:
    """Rotation vectors (..., 3) in radians to matrices (..., 3, 3); smooth at zero."""
    square = (rotvec * rotvec).sum(-1)[..., None, None]
    small = square < _SMALL
    angle = torch.sqrt(torch.where(small, torch.ones_like(square), square))
    first = torch.where(small, 1 - square / 6, torch.sin(angle) / angle)
    second = torch.where(small, 0.5 - square / 24, (1 - torch.cos(angle)) / angle**2)
    k = skew(rotvec)
    return torch.eye(3, dtype=rotvec.dtype, device=rotvec.device) + first * k + second * (k @ k)


def skew(v: Tensor) -> Tensor:
    """Vectors (..., 3) to the matrices (..., 3, 3) of their cross product."""
    x, y, z = v.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).reshape(*v.shape[:-1], 3, 3)


def geodesic(a: Tensor, b: Tensor, softness: float = 1e-4) -> Tensor:
    """Angle in radians between matrices (..., 3, 3): (...). `2 asin(|A - B|_F / 2 sqrt 2)`.

    The arc cosine of the trace has no finite gradient where the two agree; here `softness` radians round the cone's
    tip (an angle of zero reads as `softness`), and half a turn is stopped short by a thousandth.
    """
    chord = ((a - b) ** 2).sum((-1, -2)) / 8 + (softness / 2) ** 2
    return 2 * torch.asin(torch.sqrt(chord).clamp(max=math.sin(math.pi / 2 - 5e-4)))
