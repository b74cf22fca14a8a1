"""Where an object is while nothing shows it but the hand that holds it: it keeps its place in the hand."""

from dataclasses import replace

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.clip import global_rotations
from devi_jax.core.intervals import true_runs
from devi_jax.core.poses import compose, pose_of, relative
from devi_jax.core.skeleton import HAND_BODIES
from perception.contracts import ObjectMotion
from perception.human.motion import SkeletonMotion, joint_positions

MOST_S = 3.0
"""An object that is not seen for longer is not said to be anywhere."""
LET_GO_S = 0.3
"""A label of contact that is missing for less than this is a mistake."""


def carry(path: ObjectMotion, motion: SkeletonMotion, held: np.ndarray, seen: np.ndarray) -> ObjectMotion:
    """The object's path with gaps filled in which one hand holds it throughout.

    Its pose in the hand goes over from the last frame before the gap, in which it is found, to the first one after.

    Args:
        motion: of the human, in the world.
        held: frames (T, 2) bool in which the left and the right hand hold it.
        seen: frames (T, 2) bool in which the hands are seen; one that mostly is not bridges nothing.
    """
    wrists = [hand[0] for hand in HAND_BODIES]
    at, turns = joint_positions(motion)[:, wrists], global_rotations(motion.rotations)[:, wrists]
    positions, rotations, found = path.positions.copy(), path.rotations.copy(), path.found.copy()
    for gap in true_runs(~path.found):
        before, after = int(gap[0]) - 1, int(gap[-1]) + 1
        if before < 0 or after >= path.frames or len(gap) > MOST_S * path.fps:
            continue
        for side in (0, 1):
            if not (_closed(held[:, side], LET_GO_S * path.fps)[gap].all() and seen[gap, side].mean() > 0.5):
                continue
            hand, ends = pose_of(at[:, side], turns[:, side]), np.array([before, after])
            first, last = relative(hand[ends], pose_of(path.positions[ends], path.rotations[ends]))
            part = (gap - before) / (after - before)
            local = first[:3] * (1 - part[:, None]) + last[:3] * part[:, None]
            turned = rot.slerp(np.tile(first[3:], (len(gap), 1)), np.tile(last[3:], (len(gap), 1)), part)
            there = compose(hand[gap], pose_of(local, turned))
            positions[gap], rotations[gap], found[gap] = there[:, :3], there[:, 3:], True
            break
    return replace(path, positions=positions, rotations=rotations, found=found)


def _closed(held: np.ndarray, most: float) -> np.ndarray:
    """Frames (T,) with short gaps between holds closed."""
    out = held.copy()
    for gap in true_runs(~held):
        if gap[0] > 0 and gap[-1] < len(held) - 1 and len(gap) <= most:
            out[gap] = True
    return out
