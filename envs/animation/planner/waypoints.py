"""An object's path: shifts and turns that begin and end at given frames and may overlap."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from devi_jax.core.rotations import quat_exp, quat_mul, quat_to_matrix
from envs.animation.kinematics.minimum_jerk import phase


@dataclass(frozen=True)
class Shift:
    """Move by `by` (3,) metres between two frames, at rest before and after."""

    start: float
    stop: float
    by: np.ndarray


@dataclass(frozen=True)
class Turn:
    """Turn by the rotation vector `by` (3,), radians in world axes, between two frames."""

    start: float
    stop: float
    by: np.ndarray


@dataclass(frozen=True)
class ObjectPath:
    """The object's `poses` (T, 7) until it has arrived; `let_go`: whether the hands then release it."""

    poses: np.ndarray
    let_go: bool

    @property
    def there(self) -> int:
        """The frame at which it has arrived."""
        return len(self.poses) - 1


def compose_path(
    start: np.ndarray, frames: int, steps: Sequence[Shift | Turn], pivot: Sequence[float] | np.ndarray = (0, 0, 0)
) -> np.ndarray:
    """Poses (T, 7) of a thing that starts at the pose `start` (7,).

    Later turns are applied after earlier ones. `pivot` (3,): the point of the thing's own frame that the shifts move
    and that the turns leave where it is.
    """
    frame = np.arange(frames)
    poses = np.tile(start, (frames, 1))
    for step in steps:
        progress = phase(frame, step.start, step.stop)[:, None]
        if isinstance(step, Shift):
            poses[:, :3] += progress * step.by
        else:
            poses[:, 3:] = quat_mul(quat_exp(progress * step.by), poses[:, 3:])
    away = quat_to_matrix(poses[:, 3:]) @ np.asarray(pivot, float)
    poses[:, :3] += away[0] - away
    return poses
