"""The poses of an object that a hand carries, where neither tracks nor looks show it: its outline does.

From frame to frame it keeps its place in the hand, and is laid over its edges there; from both ends of a gap, since an
outline that is lost once may follow the edge of a table.
"""

from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np

from devi_jax.core.camera import Camera, project
from devi_jax.core.clip import global_rotations
from devi_jax.core.intervals import true_runs
from devi_jax.core.poses import compose, pose_of, relative
from devi_jax.core.skeleton import HAND_BODIES, PARENTS
from perception.contracts import ObjectMotion
from perception.human.motion import SkeletonMotion, joint_positions
from perception.object_pose.outline_fit import OutlineConfig, Picture, Shape, fit_outline, is_elsewhere, picture

HAND_PX, FOREARM_PX = 12.0, 20.0
"""Around the joints of a hand, and its forearm, so many pixels are theirs, of a picture 1024 wide."""

SURE, NEARER = 0.75, (0.04, -0.04)
"""An outline that is shown less is also tried nearer and farther, by these parts of its distance: a hand tells its own
less surely than its place in the picture."""


def follow_outline(
    frames: Iterable[np.ndarray],
    path: ObjectMotion,
    motion: SkeletonMotion,
    held: np.ndarray,
    camera: Camera,
    shape: Shape,
    config: OutlineConfig | None = None,
    doubtful: np.ndarray | None = None,
) -> ObjectMotion:
    """The path with those frames of its gaps found in which the outline shows the object.

    Args:
        frames: the video, uint8 RGB (H, W, 3).
        motion: of the human, in the world.
        held: frames (T, 2) bool in which the left and the right hand hold the object.
        doubtful: frames (T,) bool whose poses are gaps too, where an outline is in view and elsewhere.
    """
    config = config or OutlineConfig()
    doubtful = path.found & held.any(axis=1) & (False if doubtful is None else doubtful)
    runs = [run for run in true_runs(~path.found | doubtful) if held[run].any()]
    wanted = {int(t) for run in runs for t in run}
    if not wanted:
        return path
    joints, turns = joint_positions(motion), global_rotations(motion.rotations)
    px = project(joints, camera.K, camera.T_camera_world)[0]
    pictures = {t: picture(image, _hidden(px[t], image.shape)) for t, image in enumerate(frames) if t in wanted}
    poses = pose_of(path.positions, path.rotations).astype(float)
    wrong = [t for t in np.flatnonzero(doubtful) if is_elsewhere(pictures[int(t)], camera, shape, poses[t], config)]
    path = replace(path, found=path.found & ~np.isin(np.arange(path.frames), wrong))
    gaps = [gap for gap in true_runs(~path.found) if gap[0] > 0 and gap[-1] < path.frames - 1]
    sides = [int(held[gap].sum(axis=0).argmax()) for gap in gaps]
    gaps = [(gap, side) for gap, side in zip(gaps, sides, strict=True) if held[gap, side].mean() > 0.5]
    best = np.zeros(path.frames)
    for gap, side in gaps:
        wrist = HAND_BODIES[side][0]
        hand = pose_of(joints[:, wrist], turns[:, wrist])
        ends = (int(gap[0]) - 1, int(gap[-1]) + 1)
        for last, way in ((ends[0], gap), (ends[1], gap[::-1])):
            for t, pose, part in _followed(poses[last], last, way.tolist(), hand, pictures, camera, shape, config):
                if part > best[t]:
                    poses[t], best[t] = pose, part
    found = path.found | (best >= config.supports)
    new = found & ~path.found
    positions, rotations = path.positions.copy(), path.rotations.copy()
    positions[new], rotations[new] = poses[new, :3], poses[new, 3:]
    return replace(path, positions=positions, rotations=rotations, found=found)


def _followed(
    pose: np.ndarray,
    last: int,
    frames: list[int],
    hand: np.ndarray,
    pictures: dict[int, Picture],
    camera: Camera,
    shape: Shape,
    config: OutlineConfig,
) -> Iterable[tuple[int, np.ndarray, float]]:
    """Frame, pose (7,) and part shown, from a known `pose` in frame `last` on; `hand` (T, 7): the wrist's poses."""
    for t in frames:
        start = compose(hand[t], relative(hand[last], pose))  # it keeps its place in the hand
        moved, part = fit_outline(pictures[t], camera, shape, start, config)
        for nearer in NEARER if part < SURE else ():
            other, shown = fit_outline(pictures[t], camera, shape, _nearer(start, camera, nearer), config)
            moved, part = (other, shown) if shown > part else (moved, part)
        if part >= config.supports:
            pose, last = moved, t
        yield t, moved, part


def _nearer(pose: np.ndarray, camera: Camera, part: float) -> np.ndarray:
    """A pose (7,) moved towards the camera by this part of its distance."""
    return pose_of(pose[:3] + part * (camera.position_world - pose[:3]), pose[3:])


def _hidden(px: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Pixels (H, W) bool of hands and forearms whose joints are at `px` (J, 2)."""
    out, scale = np.zeros(shape[:2], np.uint8), shape[1] / 1024
    at = np.clip(np.round(px), -30000, 30000).astype(np.int32)
    for hand in HAND_BODIES:
        cv2.fillConvexPoly(out, cv2.convexHull(at[list(hand)]), 1)
        cv2.line(out, at[PARENTS[hand[0]]].tolist(), at[hand[0]].tolist(), 1, max(1, round(2 * FOREARM_PX * scale)))
    reach = max(1, round(HAND_PX * scale))
    return cv2.dilate(out, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
