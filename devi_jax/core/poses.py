"""Rigid poses (..., 7): position in metres, then unit quaternion (wxyz). NumPy; all broadcast over leading axes."""

import numpy as np

from devi_jax.core import rotations as rot


def pose_of(position: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """The pose (..., 7) of a position (..., 3) and a rotation (..., 4)."""
    return np.concatenate([position, rotation], axis=-1)


def compose(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """The pose of what has the pose `inner` in a frame whose pose is `outer`."""
    place = outer[..., :3] + rot.rotate(outer[..., 3:], inner[..., :3])
    return pose_of(place, rot.quat_mul(outer[..., 3:], inner[..., 3:]))


def relative(frame: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """A pose as seen from a frame: `compose(frame, relative(frame, pose))` is the pose."""
    place = rot.rotate_inverse(frame[..., 3:], pose[..., :3] - frame[..., :3])
    return pose_of(place, rot.quat_mul(rot.quat_conj(frame[..., 3:]), pose[..., 3:]))


def inverse(pose: np.ndarray) -> np.ndarray:
    """The pose that undoes another: `compose(pose, inverse(pose))` is none."""
    back = rot.quat_conj(pose[..., 3:])
    return pose_of(-rot.rotate(back, pose[..., :3]), back)
