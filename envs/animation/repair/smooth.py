"""Smoothing over time: capture and video jitter, and PD targets that differentiate twice would kick."""

from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from devi_jax.core import rotations as rot
from devi_jax.core.clip import Clip, ObjectPoses, bone_offsets, forward_kinematics
from envs.animation.repair.posed_clip import with_note


def smooth_clip(clip: Clip, sigma: float) -> Clip:
    """The clip after a Gaussian of `sigma` frames over its rotations, root path and object; labels stay.

    The object keeps its rest until the first contact: a blurred onset would let it move before a hand does.
    """
    if sigma <= 0:
        return clip
    rotations = smooth_rotations(clip.joint_rotations, sigma)
    root = gaussian_filter1d(clip.joint_positions[:, 0], sigma, axis=0, mode="nearest")
    poses = clip.object_poses
    if poses is not None:
        begin = min(clip.onset, clip.frames - 1)
        moving = gaussian_filter1d(poses.positions[begin:], sigma, axis=0, mode="nearest")
        positions = np.concatenate([poses.positions[:begin], moving])
        turns = np.concatenate([poses.rotations[:begin], smooth_rotations(poses.rotations[begin:], sigma)])
        poses = ObjectPoses(positions, turns)
    out = replace(
        clip,
        joint_rotations=rotations,
        joint_positions=forward_kinematics(rotations, root, bone_offsets(clip)),
        object_poses=poses,
    )
    return with_note(out, f"smoothed: Gaussian of {sigma:g} frames")


def smooth_rotations(q: np.ndarray, sigma: float) -> np.ndarray:
    """Unit quaternions (T, ..., 4) after a Gaussian over time; opposite signs do not cancel."""
    flips = np.where((q[1:] * q[:-1]).sum(axis=-1, keepdims=True) < 0, -1.0, 1.0)
    signs = np.concatenate([np.ones_like(q[:1, ..., :1]), np.cumprod(flips, axis=0)])
    return rot.quat_normalise(gaussian_filter1d(q * signs, sigma, axis=0, mode="nearest"))
