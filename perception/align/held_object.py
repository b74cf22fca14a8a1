"""A hand that holds an object goes where the object goes: Eq. 14 beyond the object's first motion (our own extension).

Eq. 14 places the hand on the object that has not moved yet. From there on the wrist keeps its place in the object's
frame, whose path is known, as long as the contact lasts.
"""

from dataclasses import dataclass, replace

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.camera import Camera
from devi_jax.core.clip import global_rotations
from devi_jax.core.skeleton import HAND_BODIES, INDEX, SIDES
from perception.human.evidence import HeldObject, Landmarks2D
from perception.human.motion import SkeletonMotion, joint_positions
from perception.landmarks.posture import Anchors, BasePose, PostureConfig, fit_posture

EARLY = 4
"""A hold that begins on a moving object has its place by so many frames after."""


@dataclass(frozen=True)
class HeldObjectConfig:
    """How arms follow. Each number is a standard deviation, pixels those of a picture of 1175 px diagonal."""

    wrist_m: float = 0.01
    """How far a wrist that holds an object is from where the object takes it."""
    arm_px: float = 8.0
    """How far shoulders, elbows and wrists are from where they are seen."""
    wrist_px: float = 4.0
    """How far the wrist of all frames of a hold together is from where it is seen."""
    contact_m: float = 0.04
    """How far the wrist at contact is from where Eq. 14 puts it."""
    fade_frames: int = 10
    """So many frames before and after a hold the hand turns into it and out of it."""
    posture: PostureConfig = PostureConfig(turn_rad=0.5, spine_turn_rad=0.05, step_rad=0.04)


def follow_held_object(
    motion: SkeletonMotion, carried: HeldObject, seen: Landmarks2D, camera: Camera, config: HeldObjectConfig
) -> SkeletonMotion:
    """The motion with arms that follow the object while their hands hold it, and hands that keep their grip.

    Args:
        motion: brought to the object at contact (Eq. 14), in the world.
        seen: 2D points without constant offsets; those of arms count.
    """
    scale = camera.diagonal_px / float(np.hypot(1024, 576))
    at, world = joint_positions(motion), global_rotations(motion.rotations)
    xyz, weight = np.zeros((motion.frames, 2, 3)), np.zeros((motion.frames, 2))
    for side, frames in carried.holds:
        wrist = INDEX[f"{SIDES[side]}_wrist"]
        early = frames[frames <= (carried.moves if frames[0] <= carried.moves else frames[0] + EARLY)]
        place = rot.rotate_inverse(carried.rotations[early], at[early, wrist] - carried.positions[early]).mean(axis=0)
        place = _seen_from_all(place, wrist, frames, carried, seen, camera, config, scale)
        turned = rot.rotate(carried.rotations[frames], np.broadcast_to(place, (len(frames), 3)))
        xyz[frames, side] = carried.positions[frames] + turned
        weight[frames, side] = config.wrist_m**-2.0
    wrists = tuple(INDEX[f"{side}_wrist"] for side in SIDES)
    sigma = np.full(len(seen.points), config.arm_px * scale)
    base = BasePose(motion.rotations, motion.root, motion.offsets)
    anchors = Anchors(wrists, xyz, weight)
    rotations = fit_posture(seen, sigma, camera, base, motion.fps, config.posture, anchors)
    for side, frames in carried.holds:
        rotations = _gripped(rotations, world, side, frames, carried, config.fade_frames)
    return replace(motion, rotations=rotations)


def _seen_from_all(
    place: np.ndarray,
    wrist: int,
    frames: np.ndarray,
    carried: HeldObject,
    seen: Landmarks2D,
    camera: Camera,
    config: HeldObjectConfig,
    scale: float,
) -> np.ndarray:
    """The wrist's place on the object (3,) corrected across the view: near the rays on which it is seen."""
    columns = [k for k, point in enumerate(seen.points) if point == wrist]
    told = seen.confidence[frames][:, columns]
    if not told.any():
        return place
    px = (seen.px[frames][:, columns] * told[..., None]).sum(axis=1) / np.maximum(told.sum(axis=1), 1e-9)[:, None]
    ray = (
        np.concatenate([px, np.ones((len(px), 1))], axis=1) @ np.linalg.inv(camera.K).T @ camera.T_camera_world[:3, :3]
    )
    way = rot.rotate_inverse(carried.rotations[frames], ray / np.linalg.norm(ray, axis=1, keepdims=True))
    eye = rot.rotate_inverse(carried.rotations[frames], camera.position_world - carried.positions[frames])
    distance = np.linalg.norm(eye - place, axis=1)
    sigma = config.wrist_px * scale * distance / camera.K[0, 0]
    part = (told.sum(axis=1) > 0) / sigma**2 / len(frames)
    across = part[:, None, None] * (np.eye(3) - way[:, :, None] * way[:, None])
    prior = np.eye(3) / config.contact_m**2
    right = prior @ place + (across @ eye[..., None]).sum(axis=0)[:, 0]
    return np.linalg.solve(prior + across.sum(axis=0), right)


def _gripped(
    rotations: np.ndarray, world: np.ndarray, side: int, frames: np.ndarray, carried: HeldObject, fade: int
) -> np.ndarray:
    """Rotations (T, 52, 4) whose hand keeps to the object over the hold: half as seen, half as the forearm has it."""
    wrist, elbow = INDEX[f"{SIDES[side]}_wrist"], INDEX[f"{SIDES[side]}_elbow"]
    above = global_rotations(rotations)[:, elbow]
    stiff = rot.quat_mul(above, np.broadcast_to(rotations[0, wrist], above.shape))
    readings = np.concatenate([world[frames, wrist], stiff[frames]])
    twice = np.tile(carried.rotations[frames], (2, 1))
    grip = rot.mean_rotation(rot.quat_mul(rot.quat_conj(twice), readings))
    held = rot.quat_mul(carried.rotations[frames], np.broadcast_to(grip, (len(frames), 4)))
    hand = list(HAND_BODIES[side])
    kept = rotations[:, hand].copy()
    kept[frames, 0] = rot.quat_mul(rot.quat_conj(above[frames]), held)
    kept[frames, 1:] = rot.mean_rotation(rotations[frames][:, hand[1:]])
    every = np.arange(len(rotations))
    nearest = np.clip(every, frames[0], frames[-1])
    part = np.clip(1 - np.abs(every - nearest) / fade, 0, 1)
    out = rotations.copy()
    out[:, hand] = rot.slerp(rotations[:, hand], kept[nearest], np.broadcast_to(part[:, None], kept.shape[:2]))
    return out
