"""The human as an embodiment: 51 ball joints in SMPL-X's topology, two hands of 16 bodies, ten fingertips."""

from dataclasses import dataclass, field
from functools import cached_property

import mujoco

from devi_jax.core.skeleton import HAND_BODIES, JOINTS, PARENTS, SIDES, TIPS, joint_class
from envs.embodiments.embodiment import HumanRoot, Joint, Vector
from envs.embodiments.human.body import Body
from envs.embodiments.human.collision import Touch
from envs.embodiments.human.gains import Gains
from envs.embodiments.human.human import human
from envs.embodiments.human.model import add_body


@dataclass(frozen=True, eq=False)
class Human:
    """A human: an `Embodiment`.

    `root`: `free` stands on its own feet, `pinned` follows the clip through stiff springs. `touch`: which parts meet
    the object: `hands` (with forearms) for table tops, `all` for things to carry.
    """

    body: Body = field(default_factory=human)
    root: HumanRoot = "free"
    gains: Gains = Gains()
    touch: Touch = "hands"

    @property
    def name(self) -> str:
        """Of the body."""
        return self.body.name

    @property
    def joints(self) -> tuple[Joint, ...]:
        """The 52 of `skeleton.JOINTS`, the pelvis as root."""
        return self._joints

    @cached_property
    def _joints(self) -> tuple[Joint, ...]:
        return tuple(self._joint(i) for i in range(len(JOINTS)))

    def _joint(self, i: int) -> Joint:
        name, offset, part = JOINTS[i], _vector(self.body.offsets[i]), joint_class(JOINTS[i])
        if i == 0:
            return Joint(name, -1, "root", part, offset)
        gain = self.gains.of(name)
        return Joint(
            name,
            PARENTS[i],
            "ball",
            part,
            offset,
            stiffness=gain.stiffness,
            damping=gain.damping,
            effort=gain.torque_limit,
        )

    @property
    def tips(self) -> tuple[tuple[str, Vector], ...]:
        """The ten fingertips."""
        return tuple((JOINTS[i], _vector(place)) for i, place in zip(TIPS, self.body.tips, strict=True))

    @property
    def hands(self) -> tuple[tuple[str, ...], ...]:
        """Left and right: palm, then phalanges."""
        return tuple(tuple(JOINTS[i] for i in hand) for hand in HAND_BODIES)

    @property
    def feet(self) -> tuple[str, ...]:
        """Hindfoot and toes of both sides."""
        return tuple(f"{side}_{part}" for side in SIDES for part in ("ankle", "foot"))

    def add_to(self, spec: mujoco.MjSpec) -> None:
        """Add bodies, ball joints and geoms named as the joints: see `model.add_body`."""
        add_body(spec, self.body, root=self.root, gains=self.gains, touch=self.touch)


def _vector(values) -> Vector:
    x, y, z = (float(value) for value in values)
    return x, y, z
