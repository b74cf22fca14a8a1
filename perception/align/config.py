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
    """At most so many steps of Adam."""
    learning_rate: float = 1e-2
    """A.6 has 2e-2."""
    epsilon: float = 0.3
    """Adam's; torch's own is 1e-8. Steps of that Adam are of one size however small the gradient, so what the picture
    does not show (depth) is shaken: a true motion, truly seen, loses 22 mm at the wrist."""
    tolerance: float = 3e-4
    """Stop when `patience` steps have not lowered the mean total by this share; 0 never stops early."""
    patience: int = 25
    weight_body: float = 0.3
    """w_b of Eq. 10, per px^2. A.6 has 1; body landmarks are biased by 5 to 15 px, hands by 3 to 5."""
    weight_hand: float = 1.0
    """w_h of Eq. 10, per px^2. More of it fits hands to estimators that err most in a grasp."""
    weight_temporal: float = 300.0
    """w_tc of Eq. 10, per radian a frame. A.6 has 1e4, which cuts turns short; `weight_unrest` steadies as well."""
    weight_hoi: float = 5e2
    """w_HOI of Eq. 10, per metre."""
    reduction: Reduction = "mean"
    """Over frames and joints of Eq. 11-13, which the paper leaves open. Means balance the printed weights."""
    limit_px: float = 30.0
    """Beyond this a 2D joint pulls no harder; infinite is the printed square."""
    reach: Reach = "onset"
    """Eq. 14 in the best frame before the object moves, or, where it is known, in all frames from the onset to that."""
    margin_frames: int = 2
    """The object may be said to move so many frames too early."""
    parts: Parts = "tips"
    """J* of Eq. 14: the 16 joints of the hand, or its five fingertips: joints of the palm cannot touch."""
    clearance_m: float = 0.015
    """A part this near to the surface touches: fingers are thick, and a grasp need not use all. Zero is as printed."""
    carry: bool = True
    """Beyond Eq. 14, which ends when the object moves: hands keep their place on it, whose path is known, while they
    hold it. Our own; `False` leaves Eq. 14 alone."""
    weight_carry: float = 2e4
    """Hands do not slip on what they hold, per m^2."""
    held_confidence: float = 0.1
    """2D points of a hand that holds an object count so much while it is carried: the object hides its fingers, and
    estimators guess them, 10 to 20 px off."""
    softness_m: float = 0.0
    """Width of a soft minimum over frames; zero is the printed one."""
    weight_departure: float = 2.0
    """Hold to the estimator's pose, per rad^2: one view does not see depth."""
    spine_stiffness: float = 10.0
    """Spine and collars are held so many times as strongly as arms."""
    weight_unrest: float = 100.0
    """Corrections change slowly, per rad^2 a frame: estimators are biased rather than noisy."""
    collars: bool = False
    """Optimise the collars as well; A.6 names hands, wrists, elbows, shoulders and spine."""
    calibrate_frames: int = 8
    """The 2D joints' constant offsets are read off so many first frames, in which the scene's human stands; 0: none."""
    pin_first: bool = True
    """The first frame is the scene's and stays so."""

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
