"""Where a hand can take a thing: the places its maker names, or those of its oriented bounding box."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from devi_jax.core.scene import ObjectSpec
from envs.scenes.objects.surface_points import sample_surface

WIDEST_M = 0.105
"""What is wider between fingers and thumb takes two hands."""

_LOCAL_M = 0.035  # half the breadth of a palm: what a hand covers along the thing
_POINTS = 6000


@dataclass(frozen=True)
class Handle:
    """Where an object can be taken, in its own frame: declared by its model (`GraspSite`) or found from its shape.

    `centre` (3,), metres; `axis` (3,): the unit vector along which a closed hand's fist would slide.
    """

    centre: np.ndarray
    axis: np.ndarray


def handles(points: np.ndarray) -> list[Handle]:
    """Handles along each axis of the oriented bounding box of `points` (N, 3), the longest first."""
    import trimesh

    to_origin, extents = trimesh.bounds.oriented_bounds(points, angle_digits=2)
    centre, axes = -to_origin[:3, :3].T @ to_origin[:3, 3], to_origin[:3, :3]
    return [Handle(centre, axes[k]) for k in np.argsort(-np.asarray(extents))]


def surface(thing: ObjectSpec) -> np.ndarray:
    """Points (N, 3) on the thing, in its own frame: dense enough for a hand's breadth to hold some."""
    return sample_surface(thing, _POINTS)


def near(points: np.ndarray, handle: Handle) -> np.ndarray:
    """The offsets (n, 3) from a handle's centre of those points that a hand on it covers."""
    offsets = points - handle.centre
    return offsets[np.abs(offsets @ handle.axis) < _LOCAL_M]


def extent(offsets: np.ndarray, direction: np.ndarray) -> tuple[float, float]:
    """How far points with these offsets (n, 3) go against and along a unit vector (3,), both positive outwards."""
    along = offsets @ direction
    return float(-along.min()), float(along.max())


def faces(points: np.ndarray, across: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The centres (3,), (3,) of the two sides of a thing against and along the unit vector `across` (3,)."""
    low, high = points.min(axis=0), points.max(axis=0)
    middle = (low + high) / 2
    along = (points - middle) @ across
    return middle + along.min() * across, middle + along.max() * across


def unit(vector: Sequence[float] | np.ndarray) -> np.ndarray:
    """The vector (3,) at length one."""
    vector = np.asarray(vector, float)
    return vector / np.linalg.norm(vector)
