"""2D joints for alignment from what the estimators say: the body's points of Eq. 11, the hands' of Eq. 12."""

from collections.abc import Mapping

import numpy as np

from devi_jax.core.skeleton import BODY19, INDEX, JOINTS, TIPS
from perception.contracts import HAND21, BodyMotion, EstimateError, HandMotion
from perception.human.evidence import Landmarks2D
from perception.human.motion import SkeletonMotion, joint_positions
from perception.human.skeleton_points import N_JOINTS

POINT: dict[str, int] = {
    **INDEX,
    **{JOINTS[distal].removesuffix("3") + "_tip": N_JOINTS + k for k, distal in enumerate(TIPS)},
}
"""Index of a name among the 52 joints and ten fingertips."""


def body_landmarks(body: BodyMotion, motion: SkeletonMotion) -> Landmarks2D:
    """The body's 2D joints; where the estimator gives none, its 3D joints through its own camera.

    Args:
        body: its points that are among the 19 joints of Eq. 4 count; legs too, though they do not move.
        motion: the body estimator's own motion, in the camera's frame; read only if there are no 2D joints.

    Raises:
        EstimateError: no 2D joints, and the motion is not in the camera's frame.
    """
    valid = body.valid.astype(float)[:, None]
    if body.joints2d is not None:
        kept = [i for i, name in enumerate(body.joint_names) if name in JOINTS and INDEX[name] in BODY19]
        px = np.where(body.valid[:, None, None], body.joints2d[:, kept, :2], 0.0)
        confidence = np.where(body.valid[:, None], body.joints2d[:, kept, 2], 0.0).clip(0, 1)
        return Landmarks2D(px, confidence, tuple(INDEX[body.joint_names[i]] for i in kept))
    if motion.frame != "camera":
        raise EstimateError(
            "the body has no 2D joints, and its 3D joints are not in the camera's frame",
            where="body: joints2d",
            valid="joints2d with joint_names, or frame 'camera'",
        )
    seen = joint_positions(motion)[:, list(BODY19)] @ body.K_used.T
    return Landmarks2D(seen[..., :2] / seen[..., 2:], np.broadcast_to(valid, seen.shape[:2]), BODY19)


def hand_landmarks(hands: Mapping[str, HandMotion], frames: int) -> Landmarks2D:
    """Both hands' 21 points as one set; a hand that is not seen in a frame, or at all, has no confidence there."""
    parts = [(side, hand) for side, hand in hands.items() if hand.valid.any()]
    points = tuple(POINT[f"{side}_{name}"] for side, _ in parts for name in HAND21)
    if not parts:
        return Landmarks2D(np.zeros((frames, 0, 2)), np.zeros((frames, 0)), ())
    px = [np.where(hand.valid[:, None, None], hand.joints2d[..., :2], 0.0) for _, hand in parts]
    confidence = [np.where(hand.valid[:, None], hand.joints2d[..., 2], 0.0).clip(0, 1) for _, hand in parts]
    return Landmarks2D(np.concatenate(px, axis=1), np.concatenate(confidence, axis=1), points)
