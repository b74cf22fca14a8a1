"""A body whose drives are stronger or weaker than those its motions were made for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import mujoco
import numpy as np

from envs.embodiments.embodiment import Embodiment, Joint, Root, Vector


@dataclass(frozen=True, eq=False)
class ScaledGains:
    """An `Embodiment`: another one, `body`, with stiffness and damping of its driven joints times `factor`.

    What drives a pinned root, and the limits of torque, stay.
    """

    body: Embodiment
    factor: float

    @property
    def name(self) -> str:
        """The body's."""
        return self.body.name

    @property
    def root(self) -> Root:
        """The body's."""
        return self.body.root

    @property
    def joints(self) -> tuple[Joint, ...]:
        """The body's, otherwise driven."""
        return tuple(
            replace(joint, stiffness=self.factor * joint.stiffness, damping=self.factor * joint.damping)
            for joint in self.body.joints
        )

    @property
    def tips(self) -> tuple[tuple[str, Vector], ...]:
        """The body's."""
        return self.body.tips

    @property
    def hands(self) -> tuple[tuple[str, ...], ...]:
        """The body's."""
        return self.body.hands

    @property
    def feet(self) -> tuple[str, ...]:
        """The body's."""
        return self.body.feet

    def add_to(self, spec: mujoco.MjSpec) -> None:
        """Add the body, and change the springs and dampers of its driven joints."""
        self.body.add_to(spec)
        for joint in _driven(self.body.joints):
            spring = spec.joint(joint.name)
            spring.stiffness = self.factor * np.asarray(spring.stiffness)
            spring.damping = self.factor * np.asarray(spring.damping)


def _driven(joints: Sequence[Joint]) -> list[Joint]:
    return [joint for joint in joints if joint.kind != "root" and joint.stiffness > 0]
