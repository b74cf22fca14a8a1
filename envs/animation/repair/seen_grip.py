"""Closed hands about as they are seen: brought onto what they hold by as little as it takes.

A hand that takes a thing at a slant, or low, holds it by none of the grips that are tried by themselves
(`wrap_candidates`): there the thumb is along the thing. Here its slant and its height are those that were seen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from devi_jax.core import rotations as rot
from envs.animation.grasping.close_fingers import in_palm
from envs.animation.grasping.grasp_candidates import (
    ACROSS_M,
    IN_FIST_M,
    GraspCandidate,
    fingers_of,
    holds,
    place_in_palm,
    sunk_cost,
    wrist_rotation,
)
from envs.animation.grasping.graspable_parts import Handle, extent, near, unit
from envs.animation.kinematics.ik import FrameTask
from envs.animation.kinematics.posed_scene import PosedScene

AROUND_DEG = (0.0, -20.0, 20.0, -40.0, 40.0)
"""How far around the thing, from where it is seen, the palm is tried."""
SLANT_DEG = (0.0, -20.0, 20.0)
"""How much otherwise slanted the thumb is tried."""
ALONG_M = (0.0, -0.02, 0.02)
"""How far along the thing, from where it is seen, the hand is tried."""
END_M = 0.03
"""The middle of a fist stays so far from a thing's ends, where the thing is long enough."""
HOLLOW_M = 0.035
"""The middle of a fist is so far in front of the palm."""
TOWARDS_SEEN = (0.4, 0.7, 1.0)
"""Hands hold as firmly as usual, or so much of the way from there to how they are seen."""
OFF_M, UP_M = (0.0, 0.006, 0.012, 0.018), (0.0, 0.008)
"""The latter are so much further from the thing and its support, as a hand that is seen may be in them, ..."""
DEEPER_M = (-0.03, -0.02, -0.01, 0.01, 0.02, 0.03)
"""... or so much farther from the camera, which pixels tell least."""
SIDEWAYS = 0.5
"""A palm whose part across a handle is less looks along it."""


def seen_grips(
    stage: PosedScene,
    side: str,
    points: np.ndarray,
    held: Sequence[Handle],
    wrist: tuple[np.ndarray, np.ndarray],
    ground_m: float = -np.inf,
    ray: np.ndarray | None = None,
) -> Iterator[GraspCandidate]:
    """Closed hands around a thing whose surface is `points` (N, 3), near to a hand that is seen; world, metres.

    Args:
        held: the thing's handles, in the world.
        wrist: where that hand is, (3,), and how it is turned, (3, 3).
        ground_m: the height of the thing's support, under which no hand goes.
        ray: from the camera to the hand, a unit vector (3,).
    """
    deeper = [] if ray is None else [depth * ray for depth in DEEPER_M]
    at, turn = wrist
    fist = at + turn @ in_palm(stage, side, IN_FIST_M, ACROSS_M, HOLLOW_M)
    for handle in held:
        below, above = extent(points - handle.centre, handle.axis)
        long = max(0.0, min(below, above) - END_M)
        palm0 = -turn[:, 2] + (turn[:, 2] @ handle.axis) * handle.axis
        if np.linalg.norm(palm0) < SIDEWAYS:
            continue  # it looks along this one
        for around, slant, along in product(AROUND_DEG, SLANT_DEG, ALONG_M):
            palm = _turned(unit(palm0), handle.axis, around)
            thumb = _turned(unit(turn[:, 1] - (turn[:, 1] @ palm) * palm), palm, slant)
            height = np.clip((fist - handle.centre) @ handle.axis + along, -long, long)
            there = replace(handle, centre=handle.centre + height * handle.axis)
            rotation, fingers = wrist_rotation(side, palm, thumb), fingers_of(side, palm, thumb)
            for centre, reach, gap in holds(near(points, there), fingers, palm):
                firm = place_in_palm(stage, side, there.centre + centre, rotation, reach, gap)
                places = [firm]
                if around == slant == along == 0:
                    shifts = [-off * palm for off in OFF_M] + deeper
                    places += [
                        _between(firm, at + shift + [0, 0, up], turn, part)
                        for part, shift, up in product(TOWARDS_SEEN, shifts, UP_M)
                    ]
                for place in places:
                    yield GraspCandidate("wrap", (place,), place.position, handle.axis, sunk_cost(place, ground_m))


def _between(firm: FrameTask, at: np.ndarray, turn: np.ndarray, part: float) -> FrameTask:
    """A firm grip, moved and turned part of the way to where the wrist is seen: at (3,), turned (3, 3)."""
    ends = rot.matrix_to_quat(np.stack([firm.rotation, turn]))
    rotation = rot.quat_to_matrix(rot.slerp(ends[0], ends[1], np.array(part)))
    wrist = (1 - part) * (firm.position - firm.rotation @ firm.point) + part * at
    return FrameTask(firm.body, firm.position, rotation, rotation.T @ (firm.position - wrist))


def _turned(vector: np.ndarray, axis: np.ndarray, degrees: float) -> np.ndarray:
    """A vector (3,) turned about a unit vector at right angles to it."""
    angle = np.radians(degrees)
    return np.cos(angle) * vector + np.sin(angle) * np.cross(axis, vector)
