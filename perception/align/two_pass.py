"""Visual HOI alignment in two passes where the object's path is known: to the object, and then with it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from devi_jax.core.skeleton import HAND_BODIES, INDEX, SIDES
from perception.align.calibrate import calibrate
from perception.align.config import AlignConfig
from perception.align.held_object import HeldObjectConfig, follow_held_object
from perception.align.hoi import AlignmentRecord, align_hoi
from perception.human.evidence import Evidence, Landmarks2D
from perception.human.motion import SkeletonMotion
from perception.human.skeleton_points import fingertips_of


def align_two_pass(
    motion: SkeletonMotion,
    evidence: Evidence,
    config: AlignConfig,
    progress: Callable[[int, float], None] | None = None,
) -> tuple[SkeletonMotion, AlignmentRecord]:
    """`align_hoi`; where hands hold an object whose path is known, half of its steps before they are carried along.

    The first half is Eq. 10-14 as it stands, which tells where on the object the hand is at contact. In the second one
    the hand is there in all frames of the hold: terms `held` and `follow_held_object` take the place of Eq. 14's.

    Raises:
        ConfigError, ClipError: as `align_hoi`.
    """
    carried = evidence.carried
    if carried is None or not config.carry:
        return align_hoi(motion, evidence, config, progress)
    evidence.validate(motion.frames)
    if not carried.holds:
        return align_hoi(motion, replace(evidence, carried=None), config, progress)
    half = max(1, config.iterations // 2)
    first = replace(config, iterations=half, carry=False)
    reached, before = align_hoi(motion, evidence, first, progress)
    arms = arm_points(calibrate(evidence, config.calibrate_frames))
    moved = follow_held_object(reached, carried, arms, evidence.camera, HeldObjectConfig())
    later = None if progress is None else lambda step, total: progress(half + step, total)
    out, after = align_hoi(
        moved, with_occlusion(evidence, config.held_confidence), replace(config, iterations=half), later
    )
    record = AlignmentRecord(after.losses, before.steps + after.steps, before.seconds + after.seconds, after.stopped)
    note = out.provenance["align_hoi"] | {"steps": record.steps, "carried_from_step": before.steps}
    return replace(out, provenance={**out.provenance, "align_hoi": note}), record


def with_occlusion(evidence: Evidence, confidence: float) -> Evidence:
    """The evidence of the second pass: hands that hold an object are seen with so much of their `confidence`."""
    seen = evidence.hands.confidence.copy()
    for side, frames in evidence.carried.holds if evidence.carried is not None else ():
        own = [
            k for k, point in enumerate(evidence.hands.points) if point in (*HAND_BODIES[side], *fingertips_of(side))
        ]
        seen[np.ix_(frames, np.array(own, int))] *= confidence
    return replace(evidence, touch=None, hands=replace(evidence.hands, confidence=seen))


def arm_points(evidence: Evidence) -> Landmarks2D:
    """The body's 2D points and the hands' wrists, without constant offsets."""
    wrists = [INDEX[f"{side}_wrist"] for side in SIDES]
    own = [k for k, point in enumerate(evidence.hands.points) if point in wrists]
    parts = (evidence.body, Landmarks2D(evidence.hands.px[:, own], evidence.hands.confidence[:, own], ()))
    return Landmarks2D(
        np.concatenate([part.px for part in parts], axis=1),
        np.concatenate([part.confidence for part in parts], axis=1),
        (*evidence.body.points, *(evidence.hands.points[k] for k in own)),
    )
