"""The phases all manipulation clips share: idle, reach, shape, close, move the object, hold or let go."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from devi_jax.core.rotations import quat_conj, quat_mul, quat_to_matrix
from devi_jax.core.skeleton import SIDES
from envs.animation.grasping.grip import HandGrasp, hand_shape
from envs.animation.grasping.hand_paths import home_path, leave_path, moved, reach_path, turn_path, unshaping
from envs.animation.kinematics.minimum_jerk import minimum_jerk, phase
from envs.animation.kinematics.posed_scene import PosedScene
from envs.animation.kinematics.whole_body import HandTrack, whole_body_postures


@dataclass(frozen=True)
class PhaseTimes:
    """At which frame, at 30 Hz, each phase begins.

    Args:
        go: the hands start to move.
        over_edge: they are above the table's edge.
        beside: they are beside the object, shaped for it.
        arrive: the palms are at the object, the fingers start to close.
        closed: the fingers touch.
        move: the object starts to move.
        there: it has arrived.
        release: the fingers start to open; by default never.
        home: after a release the hand hangs again where it started; by default it stays beside the object.
        frames: the clip ends.
    """

    go: int = 8
    over_edge: int = 24
    beside: int = 35
    arrive: int = 42
    closed: int = 56
    move: int = 64
    there: int = 92
    release: int | None = None
    frames: int = 110
    home: int | None = None


def carry(
    stage: PosedScene, standing: np.ndarray, grips: Sequence[HandGrasp], shift: np.ndarray, beats: PhaseTimes
) -> tuple[np.ndarray, np.ndarray]:
    """Postures (T, nq) and contact labels (T, 2) of hands that take the object and move it by `shift` (3,), metres.

    `standing` (nq,): where human and object start. Raises `ClipError` where a hand cannot follow.
    """
    objects = np.tile(standing[stage.object], (beats.frames, 1))
    objects[:, :3] += phase(np.arange(beats.frames), beats.move, beats.there)[:, None] * shift
    return carry_along(stage, standing, grips, objects, beats)


def carry_along(
    stage: PosedScene, standing: np.ndarray, grips: Sequence[HandGrasp], objects: np.ndarray, beats: PhaseTimes
) -> tuple[np.ndarray, np.ndarray]:
    """As `carry`, the object going through the poses `objects` (T, 7), which rest until `move` and after `release`."""
    return act_out(stage, standing, [HandPhases(grip, beats) for grip in grips], objects)


@dataclass(frozen=True)
class HandPhases:
    """One hand's part: its grasp of the object where that is at `beats.arrive`, and the times of its phases."""

    grip: HandGrasp
    beats: PhaseTimes


def act_out(
    stage: PosedScene, standing: np.ndarray, parts: Sequence[HandPhases], objects: np.ndarray, bent: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Postures (T, nq) and contact labels (T, 2) of hands that each take the object and let it go in their own time.

    `objects` (T, 7): its poses, at rest for each hand from `go` to `closed` and from `release` on until it is away;
    `bent`: see `whole_body_postures`. Raises `ClipError` where a hand cannot follow.
    """
    frame = np.arange(len(objects))
    hands, contact = [], np.zeros((len(objects), 2))
    for part in parts:
        beats = part.beats
        shaping, closing = phase(frame, beats.go, beats.beside), phase(frame, beats.arrive, beats.closed)
        holding = frame >= beats.closed
        if beats.release is not None:
            closing *= 1 - phase(frame, beats.release, beats.release + OPENING)
            holding &= frame < beats.release
        if beats.release is not None and beats.home is not None:
            shaping *= unshaping(frame, beats.release + OPENING, beats.home)
        hands.append(_track(stage, standing, part, objects, shaping, closing))
        contact[:, SIDES.index(part.grip.side)] = holding
    first = min((part.beats for part in parts), key=lambda beats: beats.go)
    # a thing that is lifted high is seen with the head less bent
    height = objects[:, 2] - objects[0, 2]
    raised = np.clip(height / _EYES_UP_M, 0.0, 1.0)
    upright = minimum_jerk((height - _UPRIGHT_M[0]) / (_UPRIGHT_M[1] - _UPRIGHT_M[0]))
    gaze = phase(frame, first.go - 4, first.over_edge) * (1 - 0.4 * raised)
    return whole_body_postures(stage, standing, hands, objects, gaze, upright, bent), contact


OPENING = 14
"""Frames in which a hand that lets go opens, before it goes away."""
LEAVING = 8
"""Frames in which it then comes clear of the object."""


def _track(
    stage: PosedScene,
    standing: np.ndarray,
    part: HandPhases,
    objects: np.ndarray,
    shaping: np.ndarray,
    closing: np.ndarray,
) -> HandTrack:
    """The hand that reaches, holds the object as a rigid thing would, and leaves it where it let go."""
    grip, beats = part.grip, part.beats
    frame = np.arange(len(objects))
    last = len(objects) - 1 if beats.release is None else min(beats.release, len(objects) - 1)
    seen = objects[np.clip(frame, beats.arrive, last)]  # before and after, the object is none of this hand's business
    start = seen[0]
    turn = quat_to_matrix(quat_mul(seen[:, 3:], quat_conj(start[3:])))
    arrivals = (beats.go, beats.over_edge, beats.beside, beats.arrive)
    path = reach_path(stage, standing, grip, frame, arrivals)
    positions = seen[:, :3] + np.einsum("tij,tj->ti", turn, path - start[:3])
    rotations = turn @ turn_path(stage, standing, grip, shaping)
    if beats.release is not None and beats.home is not None:
        let_go = moved(grip, start, seen[-1])
        positions += home_path(stage, standing, let_go, frame, beats.release + OPENING, beats.home)
        rotations[last:] = turn_path(stage, standing, let_go, shaping[last:])
    elif beats.release is not None:
        positions += leave_path(grip, turn[-1], frame, beats.release + OPENING, beats.frames - 1)
    return HandTrack(
        side=grip.side,
        point=grip.wrist.point,
        positions=positions,
        rotations=rotations,
        fingers=[hand_shape(grip, s, c) for s, c in zip(shaping, closing, strict=True)],
    )


_EYES_UP_M = 0.2
_UPRIGHT_M = (0.25, 0.55)  # what goes up to the face is not met by leaning back
