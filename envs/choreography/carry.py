"""The beats all manipulation clips share: idle, reach, shape, close, move the object, hold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from devi_jax.core.skeleton import SIDES
from envs.choreography.gripping import Grip, hand_shape
from envs.choreography.perform import HandTrack, perform, reach_path, turn_path
from envs.choreography.stage import Stage
from envs.choreography.timing import phase


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
        frames: the clip ends.
    """

    go: int = 8
    over_edge: int = 24
    beside: int = 35
    arrive: int = 42
    closed: int = 56
    move: int = 64
    there: int = 92
    frames: int = 110


def carry(
    stage: Stage, standing: np.ndarray, grips: Sequence[Grip], shift: np.ndarray, beats: Beats
) -> tuple[np.ndarray, np.ndarray]:
    """Postures (T, nq) and contact labels (T, 2) of hands that take the object and move it by `shift` (3,), metres.

    `standing` (nq,): where human and object start. Raises `ClipError` where a hand cannot follow.
    """
    frame = np.arange(beats.frames)
    shaping, closing = phase(frame, beats.go, beats.beside), phase(frame, beats.arrive, beats.closed)
    moving = phase(frame, beats.move, beats.there)
    shifted = moving[:, None] * shift
    arrivals = (beats.go, beats.over_edge, beats.beside, beats.arrive)
    hands = [
        HandTrack(
            side=grip.side,
            point=grip.place.point,
            positions=reach_path(stage, standing, grip, frame, arrivals) + shifted,
            rotations=turn_path(stage, standing, grip, shaping),
            fingers=[hand_shape(grip, s, c) for s, c in zip(shaping, closing, strict=True)],
        )
        for grip in grips
    ]
    objects = np.tile(standing[stage.object], (beats.frames, 1))
    objects[:, :3] += shifted
    raised = np.clip(shift[2] / _EYES_UP_M, 0.0, 1.0)
    gaze = phase(frame, beats.go - 4, beats.over_edge) - 0.4 * raised * moving
    busy = {grip.side for grip in grips}
    contact = np.stack([(side in busy) * (frame >= beats.closed) for side in SIDES], axis=1).astype(float)
    return perform(stage, standing, hands, objects, gaze), contact


_EYES_UP_M = 0.2  # lifted so high, a thing is seen with the head less bent
