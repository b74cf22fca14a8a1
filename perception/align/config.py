"""What visual HOI alignment optimises, how heavily each term weighs, when it stops."""

import math
from dataclasses import dataclass
from typing import Literal

from devi_jax.core.errors import ConfigError
from devi_jax.core.skeleton import INDEX, JOINTS, joint_class

Reduction = Literal["mean", "sum"]
Reach = Literal["minimum", "onset"]
Parts = Literal["hand", "tips"]


@dataclass(frozen=True)
class AlignConfig:
    """Visual HOI alignment (DeVI 4.2, A.6). `AlignConfig()` is what measured best, `paper()` the printed objective."""

    iterations: int = 600
    """Maximum number of Adam steps."""
    learning_rate: float = 1e-2
    """Learning rate of Adam; A.6 has 2e-2."""
    epsilon: float = 0.3
    """Adam's epsilon. With torch's default, 1e-8, steps keep their size however small the gradient is, so that depth,
    which the image does not determine, drifts: a perfect motion with perfect 2D joints loses 22 mm at the wrist."""
    tolerance: float = 3e-4
    """Stop when `patience` steps have not lowered the mean total by this share; 0 never stops early."""
    patience: int = 25
    weight_body: float = 0.3
    """w_b of Eq. 10, per px^2. A.6 has 1; body landmarks are biased by 5 to 15 px, hand landmarks by 3 to 5."""
    weight_hand: float = 1.0
    """w_h of Eq. 10, per px^2. A larger one fits hands to estimators that are worst during a grasp."""
    weight_temporal: float = 300.0
    """w_tc of Eq. 10, per radian a frame. A.6 has 1e4, which flattens fast turns; `weight_unrest` smooths as well."""
    weight_hoi: float = 5e2
    """w_HOI of Eq. 10, per metre."""
    reduction: Reduction = "mean"
    """Reduction over frames and joints in Eq. 11-13, which the paper leaves open. Means balance the printed weights."""
    limit_px: float = 30.0
    """Pixel error beyond which the squared loss becomes linear (Huber); infinite is the printed square."""
    reach: Reach = "onset"
    """Frames of Eq. 14: the best one before the object moves, or all from the contact onset (where known) to then."""
    margin_frames: int = 2
    """Frames by which the object's first motion may be detected too early."""
    parts: Parts = "tips"
    """J* of Eq. 14: the 16 joints of the hand, or its five fingertips, since joints of the palm cannot touch."""
    clearance_m: float = 0.015
    """Distance from the surface, metres, at which a joint counts as touching: fingers are thick. Zero is as printed."""
    carry: bool = True
    """Let hands keep their place on the object while they hold it. Our own extension of Eq. 14, which ends when the
    object moves."""
    weight_carry: float = 2e4
    """Weight of the slip of a holding hand on the object, per m^2."""
    held_confidence: float = 0.1
    """Confidence of the 2D joints of a hand while it carries an object, which hides the fingers: estimators guess them
    10 to 20 px off."""
    softness_m: float = 0.0
    """Width of a soft minimum over frames, metres; zero is the printed hard minimum."""
    weight_departure: float = 2.0
    """Weight of the deviation from the estimated pose, per rad^2: one view does not determine depth."""
    spine_stiffness: float = 10.0
    """Factor on that weight for spine and collars."""
    weight_unrest: float = 100.0
    """Weight of the frame-to-frame change of corrections, per rad^2: estimators are biased rather than noisy."""
    collars: bool = False
    """Optimise the collars too; A.6 names hands, wrists, elbows, shoulders and spine."""
    calibrate_frames: int = 8
    """Number of first frames from which constant offsets of the 2D joints are estimated; 0 for none."""
    pin_first: bool = True
    """Keep the first frame at the scene's pose."""

    def validate(self) -> None:
        """Raise `ConfigError` unless every number has a meaning."""
        positive = ("iterations", "learning_rate", "epsilon", "patience", "limit_px", "spine_stiffness")
        wrong = [n for n in positive if not getattr(self, n) > 0]
        weights = [n for n in vars(self) if n.startswith("weight_")]
        rest = [
            *weights,
            "tolerance",
            "clearance_m",
            "softness_m",
            "held_confidence",
            "margin_frames",
            "calibrate_frames",
        ]
        wrong += [n for n in rest if not getattr(self, n) >= 0]
        if wrong:
            given = ", ".join(f"{n} = {getattr(self, n)}" for n in wrong)
            raise ConfigError(given, where="AlignConfig", valid=f"{', '.join(positive)} positive, no weight negative")


def paper() -> AlignConfig:
    """Eq. 10-14 with A.6's weights and nothing else."""
    return AlignConfig(
        iterations=400,
        learning_rate=2e-2,
        epsilon=1e-8,
        tolerance=0.0,
        weight_body=1.0,
        weight_temporal=1e4,
        limit_px=math.inf,
        reach="minimum",
        margin_frames=0,
        parts="hand",
        carry=False,
        clearance_m=0.0,
        weight_departure=0.0,
        weight_unrest=0.0,
        calibrate_frames=0,
        pin_first=False,
    )


def optimised(config: AlignConfig) -> tuple[int, ...]:
    """Joints whose rotations move (A.6): hands, wrists, elbows, shoulders, spine; root, legs and head stay."""
    names = ["spine1", "spine2", "spine3", *["left_collar", "right_collar"] * config.collars]
    names += [n for n in JOINTS if joint_class(n) in ("finger", "wrist") or n.endswith(("shoulder", "elbow"))]
    return tuple(sorted(INDEX[n] for n in names))
