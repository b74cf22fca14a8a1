"""The terms of visual HOI alignment (DeVI Eq. 10-14), and those that measurement asked for. Pure functions of tensors.

Each returns a number in the unit its docstring states; weights are `config`'s.
"""

import torch
from torch import Tensor

from perception.human import so3

NEAR_M = 0.02
"""Depths below this are clamped for the division, as in `devi_jax.core.camera`."""


def project(points: Tensor, K: Tensor, T_camera_world: Tensor) -> Tensor:
    """World points (..., 3) to pixels (..., 2)."""
    camera = points @ T_camera_world[:3, :3].mT + T_camera_world[:3, 3]
    return (camera @ K.mT)[..., :2] / camera[..., 2:].clamp(min=NEAR_M)


def reprojection(seen_px: Tensor, px: Tensor, confidence: Tensor, limit_px: float) -> Tensor:
    """Eq. 11 and 12: confident squares of the pixel distance, (T, L, 2), (T, L, 2), (T, L) -> (T, L), px^2.

    Beyond `limit_px` a point pulls no harder (Huber's); infinite is the printed square.
    """
    square = ((seen_px - px) ** 2).sum(-1)
    far = square > limit_px**2
    beyond = 2 * limit_px * torch.sqrt(torch.where(far, square, torch.ones_like(square))) - limit_px**2
    return confidence * torch.where(far, beyond, square)


def geodesic_step(local: Tensor) -> Tensor:
    """Eq. 13: geodesic distance of each joint (T, J, 3, 3) to itself a frame later, mean over joints, (T - 1,) rad."""
    return so3.geodesic(local[1:], local[:-1]).mean(-1)


def chamfer_to_surface(parts: Tensor, surface: Tensor, clearance_m: float = 0.0) -> Tensor:
    """One-sided chamfer distance of Eq. 14: parts (T, A, 3) to the surface (P, 3), mean over parts, (T,) metres.

    Distances below `clearance_m` count as none: what is within a finger is within touch.
    """
    return torch.relu(torch.cdist(parts, surface).amin(-1) - clearance_m).mean(-1)


def slip(parts: Tensor) -> Tensor:
    """Mean square distance of parts of a hand in the object's frame (F, A, 3) to their mean place, m^2."""
    return ((parts - parts.mean(0)) ** 2).sum(-1).mean()


def min_over_time(distance: Tensor, softness_m: float) -> Tensor:
    """The minimum over frames of Eq. 14, (T,) -> (), metres; a soft one lets frames near the best have a part."""
    if softness_m == 0:
        return distance.min()
    return -softness_m * (torch.logsumexp(-distance / softness_m, 0) - torch.log(torch.tensor(len(distance))))


def deviation(tangent: Tensor, weight: Tensor) -> Tensor:
    """Mean square of the correction (T, V, 3) to the estimator's pose, joints weighted (V,), rad^2."""
    return (weight * (tangent**2).sum(-1)).mean()


def deviation_change(tangent: Tensor) -> Tensor:
    """Mean square of the correction's change from frame to frame (T, V, 3), rad^2: what is corrected is a bias."""
    return ((tangent[1:] - tangent[:-1]) ** 2).sum(-1).mean()
