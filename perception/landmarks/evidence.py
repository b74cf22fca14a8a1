"""Landmarks as the evidence that alignment looks at: pixels of the skeleton's joints and fingertips."""

import numpy as np

from devi_jax.core.skeleton import FINGERS, INDEX, JOINTS, SIDES
from perception.contracts.hand import HAND21
from perception.contracts.keypoints import Keypoints
from perception.human.evidence import Landmarks2D
from perception.landmarks.estimate import PersonLandmarks

ARM = ("shoulder", "elbow", "wrist")
"""Points of the body that are worth following: hips and knees stand behind the table, a network guesses them."""


def body_evidence(person: PersonLandmarks) -> Landmarks2D:
    """Shoulders, elbows and wrists (T, 6). A wrist counts only while its hand is not seen, whose own is better."""
    names = [f"{side}_{name}" for side in SIDES for name in ARM]
    found = _picked(person.body, names)
    confidence = found.confidence.copy()
    for side in SIDES:
        confidence[:, names.index(f"{side}_wrist")] *= ~person.hands[side].seen
    return Landmarks2D(found.px, confidence, found.points)


def hand_evidence(person: PersonLandmarks) -> Landmarks2D:
    """The 21 points of the left, then of the right hand (T, 42); unseen hands have no confidence."""
    parts = [_picked(person.hands[side], [f"{side}_{name}" for name in HAND21]) for side in SIDES]
    return Landmarks2D(
        np.concatenate([p.px for p in parts], axis=1),
        np.concatenate([p.confidence for p in parts], axis=1),
        tuple(i for p in parts for i in p.points),
    )


def point_index(name: str) -> int:
    """Where a point stands among the 52 joints and ten fingertips of `perception.human.kinematics`."""
    if name in INDEX:
        return INDEX[name]
    tips = [f"{side}_{finger}_tip" for side in SIDES for finger in FINGERS]
    return len(JOINTS) + tips.index(name)


def _picked(points: Keypoints, names: list[str]) -> Landmarks2D:
    at = points.index(*names)
    return Landmarks2D(points.xy[:, at], points.conf[:, at], tuple(point_index(name) for name in names))
