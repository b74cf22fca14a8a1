"""PD gains of the joints, one set a joint class: they hold a grasp and a stance at 60 physics steps a second."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from devi_jax.core.skeleton import JOINTS, joint_class


@dataclass(frozen=True)
class Gain:
    """`stiffness` N m/rad, `damping` N m s/rad, `armature` kg m^2 (rotor inertia), `torque_limit` N m."""

    stiffness: float
    damping: float
    armature: float
    torque_limit: float


@dataclass(frozen=True)
class Gains:
    """One `Gain` for each class of `skeleton.joint_class`."""

    finger: Gain = Gain(5.0, 0.5, 0.001, 3.0)
    wrist: Gain = Gain(100.0, 10.0, 0.01, 60.0)
    arm: Gain = Gain(300.0, 30.0, 0.02, 200.0)
    spine: Gain = Gain(1000.0, 100.0, 0.02, 600.0)
    leg: Gain = Gain(1000.0, 100.0, 0.02, 800.0)

    def of(self, name: str) -> Gain:
        """The gain of a joint."""
        return getattr(self, joint_class(name))


class JointGains(NamedTuple):
    """Gains of the 51 driven joints, `JOINTS[1:]`: arrays (51,) in the units of `Gain`."""

    stiffness: np.ndarray
    damping: np.ndarray
    armature: np.ndarray
    torque_limit: np.ndarray


def per_joint(gains: Gains) -> JointGains:
    """The gains as arrays (51,) in the order of `JOINTS[1:]`."""
    rows = [gains.of(name) for name in JOINTS[1:]]
    return JointGains(*(np.array([getattr(row, key) for row in rows]) for key in JointGains._fields))
