"""Hands that a network sees mirrored: from one view a flat palm turned towards the camera looks like one turned away.

Of the two readings of each frame the one is taken that the forearm can carry, whose fingers bend towards the palm, and
that follows from the frame before.
"""

from dataclasses import dataclass, replace

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.camera import Camera
from devi_jax.core.clip import global_rotations
from devi_jax.core.skeleton import HAND_BODIES, INDEX, JOINTS, SIDES
from perception.human.motion import SkeletonMotion, joint_positions

PALM = np.diag([1.0, 1.0, -1.0])
"""A flat hand is its own image in the plane of its palm: in the T-pose palms face down."""


@dataclass(frozen=True)
class HandFlipConfig:
    """What weighs how much: each term is a square over its standard deviation."""

    wrist_rad: float = 0.8
    """How far the wrist is from where the forearm carried it since the first frame."""
    bend_rad: float = 0.2
    """How far fingers are bent backwards, on the mean."""
    step_rad: float = 0.4
    """By how much a hand turns from frame to frame."""


def resolve_hand_flips(motion: SkeletonMotion, camera: Camera, config: HandFlipConfig | None = None) -> SkeletonMotion:
    """The motion (world) with hands turned over in frames whose mirror image is the likelier reading."""
    config = config or HandFlipConfig()
    rotations, notes = motion.rotations.copy(), {}
    world, at = global_rotations(motion.rotations), joint_positions(motion)
    for side, hand in zip(SIDES, HAND_BODIES, strict=True):
        wrist, elbow = INDEX[f"{side}_wrist"], INDEX[f"{side}_elbow"]
        still = np.broadcast_to(motion.rotations[0, wrist], (motion.frames, 4))
        carried = rot.quat_mul(world[:, elbow], still)
        read = np.stack([world[:, wrist], mirror_image(world[:, wrist], at[:, wrist] - camera.position_world)])
        bend = bending(motion.rotations, side)
        cost = rot.angle_between(read, carried) ** 2 / config.wrist_rad**2
        cost += np.maximum(0, [-bend, bend]) ** 2 / config.bend_rad**2
        turned = smoothest(read, cost, config.step_rad) == 1
        local = rot.quat_mul(rot.quat_conj(world[:, elbow]), np.where(turned[:, None], read[1], read[0]))
        rotations[:, wrist] = local
        fingers = rotations[:, hand[1:]]
        rotations[:, hand[1:]] = np.where(turned[:, None, None], fingers * [1, -1, -1, 1], fingers)
        notes[side] = int(turned.sum())
    return replace(motion, rotations=rotations, provenance={**motion.provenance, "hands_turned_over": notes})


def mirror_image(quats: np.ndarray, ray: np.ndarray) -> np.ndarray:
    """The other rotation (T, 4) of a flat hand that looks the same along rays (T, 3)."""
    way = ray / np.linalg.norm(ray, axis=-1, keepdims=True)
    across = np.eye(3) - 2 * way[:, :, None] * way[:, None]
    return rot.matrix_to_quat(across @ rot.quat_to_matrix(quats) @ PALM)


def bending(rotations: np.ndarray, side: str) -> np.ndarray:
    """How far four fingers' joints are bent towards the palm on the mean, (T,) radians, of rotations (T, 52, 4)."""
    fingers = [i for i in HAND_BODIES[SIDES.index(side)][1:] if "thumb" not in JOINTS[i]]
    towards = 1.0 if side == "right" else -1.0  # arms point along x, so a finger bends about y
    return towards * rot.quat_log(rotations[:, fingers])[..., 1].mean(axis=1)


def smoothest(read: np.ndarray, cost: np.ndarray, step_rad: float) -> np.ndarray:
    """Which of the readings (S, T, 4) is taken in each frame, (T,): least cost (S, T) and turning (Viterbi)."""
    frames = cost.shape[1]
    best, before = cost[:, 0], np.zeros((frames, len(cost)), int)
    for t in range(1, frames):
        step = rot.angle_between(read[:, None, t - 1], read[None, :, t]) ** 2 / step_rad**2
        total = best[:, None] + step
        before[t] = total.argmin(axis=0)
        best = total.min(axis=0) + cost[:, t]
    out = np.zeros(frames, int)
    out[-1] = best.argmin()
    for t in range(frames - 1, 0, -1):
        out[t - 1] = before[t, out[t]]
    return out
