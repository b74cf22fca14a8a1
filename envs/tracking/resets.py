"""Where episodes start: the first frame, or the last frame before contact (DeVI A.10).

Before contact the object is still where the scene put it, so both are physical without knowing its later poses.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from devi_jax.core import rotations as rot
from envs.physics import Pose
from envs.tracking.config import ResetConfig


def pre_contact_frame(onset: int, frames: int, lead: int) -> int:
    """Last frame before contact onset, at least one; 0 for a clip that begins in contact, or never touches."""
    if onset >= frames:
        return 0
    return max(0, onset - max(1, lead))


CLEAR_M = 0.002
"""Overlap of hand and object that is no more than a touch."""


def clear_frame(frame: int, overlap_m: Float[np.ndarray, " T"]) -> int:
    """The last frame up to `frame` at which nothing is in the object, which still stands at its start; else 0."""
    clear = np.flatnonzero(overlap_m[: frame + 1] <= CLEAR_M)
    return int(clear[-1]) if len(clear) else 0


def start_frame(key: PRNGKeyArray, pre_contact: Int[Array, ""] | int, config: ResetConfig) -> Int[Array, ""]:
    """Draw the start frame: `pre_contact` with its probability, else 0."""
    return jnp.where(jax.random.uniform(key) < config.pre_contact, pre_contact, 0)


def disturbed_pose(pose: Pose, deviation: float, key: PRNGKeyArray) -> Pose:
    """A pose with Gaussian noise on each axis of each ball joint (rad), and on each hinge and slide (rad or m)."""
    noise = deviation * jax.random.normal(key, (len(pose.rotation) - 1, 3))
    joints = rot.quat_mul(pose.rotation[1:], rot.quat_exp(noise))
    pose = replace(pose, rotation=jnp.concatenate([pose.rotation[:1], joints]))
    if pose.scalars is None:
        return pose
    moved = pose.scalars + deviation * jax.random.normal(jax.random.fold_in(key, 1), pose.scalars.shape)
    return replace(pose, scalars=moved)
