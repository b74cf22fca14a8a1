"""Grades of perturbation, from what training draws to what tells why a start fails."""

from collections.abc import Mapping
from dataclasses import replace
from math import pi

from envs.tracking.config import STILL
from envs.tracking.randomization import Randomization

EASY = Randomization(push_m_s=0.07)
"""Object within 2 cm and 15 degrees, mass times 0.5 to 2, friction times 0.7 to 1.3, a push of 0.07 m/s, which is an
impulse of 5 N s on 70 kg."""
HARD = Randomization(0.05, pi / 6, (0.5, 2.0), (0.5, 1.3), push_m_s=0.5, joint_rad=0.05)
"""Object within 5 cm and 30 degrees, mass times 0.5 to 2, friction times 0.5 to 1.3, a push of 0.5 m/s, and noise of
0.05 rad on the joint targets."""
NOISE = replace(STILL, joint_rad=0.02)
"""The exact start, and joints that do not quite do what they are told: open-loop grasps slip under it."""
GRADES: Mapping[str, Randomization] = {"easy": EASY, "hard": HARD}


CAUSES: Mapping[str, Randomization] = {
    "shift": replace(STILL, object_m=HARD.object_m),
    "turn": replace(STILL, object_rad=HARD.object_rad),
    "mass": replace(STILL, mass=HARD.mass),
    "friction": replace(STILL, friction=HARD.friction),
    "push": replace(STILL, push_m_s=HARD.push_m_s),
    "noise": replace(STILL, joint_rad=HARD.joint_rad),
}
"""Each part of `HARD` alone, so that a report says why a start failed."""


def wilson(successes: int, count: int) -> tuple[float, float]:
    """Wilson's interval of a rate at 95 %."""
    from scipy.stats import binomtest  # takes seconds to import

    low, high = binomtest(successes, count).proportion_ci(0.95, method="wilson")
    return float(low), float(high)
