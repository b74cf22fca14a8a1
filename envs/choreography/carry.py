"""The beats all manipulation clips share: idle, reach, shape, close, move the object, hold or let go."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from devi_jax.core.rotations import quat_conj, quat_mul, quat_to_matrix
from devi_jax.core.skeleton import SIDES
from envs.choreography.gripping import Grip, hand_shape
from envs.choreography.perform import HandTrack, leave_path, perform, reach_path, turn_path
from envs.choreography.stage import Stage
from envs.choreography.timing import minimum_jerk, phase


@dataclass(frozen=True)
class Beats:
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


def carry(
    stage: Stage, standing: np.ndarray, grips: Sequence[Grip], shift: np.ndarray, beats: Beats
) -> tuple[np.ndarray, np.ndarray]:
    """Postures (T, nq) and contact labels (T, 2) of hands that take the object and move it by `shift` (3,), metres.

    `standing` (nq,): where human and object start. Raises `ClipError` where a hand cannot follow.
    """
    objects = np.tile(standing[stage.object], (beats.frames, 1))
    objects[:, :3] += phase(np.arange(beats.frames), beats.move, beats.there)[:, None] * shift
    return carry_along(stage, standing, grips, objects, beats)


def carry_along(
    stage: Stage, standing: np.ndarray, grips: Sequence[Grip], objects: np.ndarray, beats: Beats
) -> tuple[np.ndarray, np.ndarray]:
    """As `carry`, the object going through the poses `objects` (T, 7), which rest until `move` and after `release`."""
    frame = np.arange(beats.frames)
    shaping, closing = phase(frame, beats.go, beats.beside), phase(frame, beats.arrive, beats.closed)
    holding = frame >= beats.closed
    if beats.release is not None:
        closing *= 1 - phase(frame, beats.release, beats.release + OPENING)
        holding &= frame < beats.release
    hands = [_track(stage, standing, grip, objects, beats, shaping, closing) for grip in grips]
    # a thing that is lifted high is seen with the head less bent
    height = objects[:, 2] - objects[0, 2]
    raised = np.clip(height / _EYES_UP_M, 0.0, 1.0)
    upright = minimum_jerk((height - _UPRIGHT_M[0]) / (_UPRIGHT_M[1] - _UPRIGHT_M[0]))
    gaze = phase(frame, beats.go - 4, beats.over_edge) * (1 - 0.4 * raised)
    busy = {grip.side for grip in grips}
    contact = np.stack([(side in busy) * holding for side in SIDES], axis=1).astype(float)
    return perform(stage, standing, hands, objects, gaze, upright), contact


OPENING = 14
"""Frames in which a hand that lets go opens, before it goes away."""


def _track(
    stage: Stage,
    standing: np.ndarray,
    grip: Grip,
    objects: np.ndarray,
    beats: Beats,
    shaping: np.ndarray,
    closing: np.ndarray,
) -> HandTrack:
    """The hand that reaches, holds the object as a rigid thing would, and leaves it where it let go."""
    frame, start = np.arange(beats.frames), objects[0]
    turn = quat_to_matrix(quat_mul(objects[:, 3:], quat_conj(start[3:])))
    arrivals = (beats.go, beats.over_edge, beats.beside, beats.arrive)
    path = reach_path(stage, standing, grip, frame, arrivals)
    positions = objects[:, :3] + np.einsum("tij,tj->ti", turn, path - start[:3])
    if beats.release is not None:
        positions += leave_path(grip, turn[-1], frame, beats.release + OPENING, beats.frames - 1)
    return HandTrack(
        side=grip.side,
        point=grip.place.point,
        positions=positions,
        rotations=turn @ turn_path(stage, standing, grip, shaping),
        fingers=[hand_shape(grip, s, c) for s, c in zip(shaping, closing, strict=True)],
    )


_EYES_UP_M = 0.2
_UPRIGHT_M = (0.25, 0.55)  # what goes up to the face is not met by leaning back
