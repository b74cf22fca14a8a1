"""What a body is to physics and to a task: named joints with limits and gains, end effectors, hands and feet.

A human of ball joints is one (`envs.embodiments.human`), an arm of hinges with a gripper another
(`envs.embodiments.capsule_arm`). The axes of a `SimState` are its bodies, end effectors and hands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol, runtime_checkable

import mujoco
import numpy as np

HumanRoot = Literal["free", "pinned"]
Root = Literal["free", "pinned", "fixed"]
"""What holds the first body: nothing; stiff springs, which carry it along its reference; the world."""
Vector = tuple[float, float, float]
Part = Literal["finger", "wrist", "arm", "leg", "spine", "gripper"]
"""Joints of a part share how far an action moves them."""


@dataclass(frozen=True)
class Joint:
    """A joint and the body that it moves, both of one name; the first of an embodiment is its root's.

    `parent`: place of the body it hangs on, -1 of the root. `offset` (metres) and `turn` (quaternion): where the body's
    frame is in its parent's with the joint at zero. `axis` of a hinge or a slide in the body's frame, `range` in rad or
    m. `stiffness` and `damping` of the spring that drives it, N m/rad and N m s/rad, or N/m and N s/m; `effort`: most
    torque or force, N m or N; `speed`: most speed, rad/s or m/s.
    """

    name: str
    parent: int
    kind: Literal["root", "ball", "hinge", "slide"]
    part: Part
    offset: Vector
    turn: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    axis: Vector = (0.0, 0.0, 1.0)
    range: tuple[float, float] = (-np.inf, np.inf)
    stiffness: float = 0.0
    damping: float = 0.0
    effort: float = np.inf
    speed: float = np.inf


@runtime_checkable
class Embodiment(Protocol):
    """A body as data, and how to add it to a scene.

    `joints`: the root's first, parents before children; the body of each has its name. `tips`: end effectors, a body
    and a place in its frame (metres) each. `hands`: groups of bodies that feel the object, of one size. `feet`: bodies
    that stand.
    """

    @property
    def name(self) -> str: ...

    @property
    def root(self) -> Root: ...

    @property
    def joints(self) -> tuple[Joint, ...]: ...

    @property
    def tips(self) -> tuple[tuple[str, Vector], ...]: ...

    @property
    def hands(self) -> tuple[tuple[str, ...], ...]: ...

    @property
    def feet(self) -> tuple[str, ...]: ...

    def add_to(self, spec: mujoco.MjSpec) -> None:
        """Add bodies, joints and geoms; the joints' springs are the PD controller, so there are no actuators."""
        ...


@dataclass(frozen=True, eq=False)
class JointTable:
    """The joints of an embodiment of B bodies as arrays, for programs.

    `balls` (R - 1,) and `scalars` (n,): which bodies ball joints and scalar joints (hinges and slides) move, in the
    order in which a `Pose` has them; the root, a rotation like the balls, is not among them. `offsets` (B, 3), `turns`
    (B, 4): each body's frame in its parent's at zero. Of scalar joints: `axes` (n, 3), `slides` (n,), `low`, `high`
    (n,). Gains of balls: `ball_stiffness`, `ball_damping`, `ball_effort` (R - 1,); of scalar joints `stiffness`,
    `damping`, `effort`, `speed` (n,).
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    balls: np.ndarray
    scalars: np.ndarray
    offsets: np.ndarray
    turns: np.ndarray
    axes: np.ndarray
    slides: np.ndarray
    low: np.ndarray
    high: np.ndarray
    ball_stiffness: np.ndarray
    ball_damping: np.ndarray
    ball_effort: np.ndarray
    stiffness: np.ndarray
    damping: np.ndarray
    effort: np.ndarray
    speed: np.ndarray


@lru_cache(maxsize=16)
def joint_table(joints: tuple[Joint, ...]) -> JointTable:
    """The table of an embodiment's joints, in single precision but for `offsets`."""
    balls = [i for i, joint in enumerate(joints) if joint.kind == "ball"]
    scalars = [i for i, joint in enumerate(joints) if joint.kind in ("hinge", "slide")]

    def column(key: str, rows: Sequence[int], *shape: int) -> np.ndarray:
        return np.array([getattr(joints[i], key) for i in rows], np.float32).reshape(len(rows), *shape)

    return JointTable(
        names=tuple(joint.name for joint in joints),
        parents=tuple(joint.parent for joint in joints),
        balls=np.array(balls, int),
        scalars=np.array(scalars, int),
        offsets=np.array([joint.offset for joint in joints], float),
        turns=column("turn", range(len(joints)), 4),
        axes=column("axis", scalars, 3),
        slides=np.array([joints[i].kind == "slide" for i in scalars], bool),
        low=column("range", scalars, 2)[:, 0],
        high=column("range", scalars, 2)[:, 1],
        ball_stiffness=column("stiffness", balls),
        ball_damping=column("damping", balls),
        ball_effort=column("effort", balls),
        stiffness=column("stiffness", scalars),
        damping=column("damping", scalars),
        effort=column("effort", scalars),
        speed=column("speed", scalars),
    )
