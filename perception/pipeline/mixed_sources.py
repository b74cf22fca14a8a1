"""A body and hands of different makers: landmarks with a tool's hands, a tool's body with landmarks."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from perception.align.first_frame import Mode
from perception.contracts import HAND21, BodyMotion, HandMotion, Keypoints, Side
from perception.human.merge_body_and_hands import UnifyConfig
from perception.human.scene_prior import ScenePrior
from perception.landmarks.estimate import PersonLandmarks
from perception.landmarks.evidence import hand_evidence
from perception.landmarks.lift import lift_hands
from perception.pipeline import steps


def hand_points(hand: HandMotion) -> Keypoints:
    """A tool's hand as the landmarks of one: its 21 points in the picture and in 3D."""
    seen = hand.valid[:, None]
    return Keypoints(
        fps=hand.fps,
        size_px=hand.size_px,
        origin=hand.origin,
        names=tuple(f"{hand.side}_{name}" for name in HAND21),
        xy=np.where(seen[..., None], hand.joints2d[..., :2], 0.0),
        conf=np.where(seen, hand.joints2d[..., 2], 0.0).clip(0, 1),
        xyz=None if hand.joints3d is None else np.where(seen[..., None], hand.joints3d, 0.0),
    )


def with_hands(person: PersonLandmarks, hands: Mapping[str, HandMotion]) -> PersonLandmarks:
    """The person with a tool's hands in place of the landmarks' own; one that the tool lacks counts as never seen."""
    sides: dict[Side, Keypoints] = {
        side: hand_points(hands[side]) if side in hands else replace(own, conf=np.zeros_like(own.conf))
        for side, own in person.hands.items()
    }
    return PersonLandmarks(person.body, sides)


def from_body_and_landmarks(
    body: BodyMotion, person: PersonLandmarks, known: ScenePrior, mode: Mode, config: UnifyConfig
) -> steps.EstimatedHuman:
    """A tool's body, its first frame where the scene has it, with hands that turn as the landmarks do.

    Raises what `steps.from_tools` raises.
    """
    alone = steps.from_tools(body, {}, known, mode, config)
    motion = lift_hands(alone.motion, {**person.hands}, known.camera, known.first)
    return steps.EstimatedHuman(motion, alone.body, hand_evidence(person))
