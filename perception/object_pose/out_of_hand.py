"""Poses of an object that leave the hand which holds it are wrong: they are not said to be found."""

from dataclasses import replace

import numpy as np

from devi_jax.core.intervals import true_runs
from devi_jax.core.skeleton import HAND_BODIES
from perception.contracts import ObjectMotion
from perception.human.motion import SkeletonMotion, joint_positions

BEGIN_S = 0.4
"""Where the object is in a hand is known from the first frames of a hold, so many seconds."""
LEAVES_M = 0.08
"""An object whose centre comes so much nearer to the palm, or goes so much farther from it, has left the hand."""
STRAYS_M = 0.03
"""Around frames in which it has left, those are wrong too in which it is off by so much."""


def without_strays(path: ObjectMotion, motion: SkeletonMotion, held: np.ndarray, seen: np.ndarray) -> ObjectMotion:
    """The path whose poses are not found where the object leaves every hand that holds it.

    Hand and object are followed apart from each other, and of the two the object is lost more easily: it leaves the
    picture, or loses its texture behind the fingers, and then its distance from the camera drifts.

    Args:
        motion: of the human, in the world.
        held: frames (T, 2) bool in which the left and the right hand hold it.
        seen: frames (T, 2) bool in which the hands are seen; one that is not accuses nothing.
    """
    at = joint_positions(motion)
    accused = np.zeros(held.shape, bool)
    for side, hand in enumerate(HAND_BODIES):
        palm = at[:, [hand[0], *hand[1::3]]].mean(axis=1)
        distance = np.linalg.norm(path.positions - palm, axis=-1)
        for hold in true_runs(held[:, side]):
            known = hold[path.found[hold] & seen[hold, side]]
            first = known[known < hold[0] + max(1.0, BEGIN_S * path.fps)]
            if len(first):
                off = np.abs(distance[known] - np.median(distance[first]))
                for run in true_runs(off > STRAYS_M):
                    accused[known[run], side] = off[run].max() > LEAVES_M
    holding = held & seen
    strays = holding.any(axis=1) & (accused | ~holding).all(axis=1)
    return replace(path, found=path.found & ~strays)
