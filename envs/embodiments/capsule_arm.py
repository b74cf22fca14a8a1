"""A seven-joint arm of capsules with a two-finger gripper, built here: proof that a task need not be a human's.

Shoulder (yaw, pitch), upper-arm roll, elbow, forearm roll, wrist (pitch, roll), about the proportions, efforts and
speeds of a Franka Panda's arm (its data sheet). At zero it stands straight up; positive pitches lean it towards +y.
Gravity of the arm is compensated, as such robots do. Each finger presses with 20 N.
"""

from dataclasses import dataclass

import mujoco
import numpy as np

from envs.embodiments.collision_bits import OBJECT, TABLE
from envs.embodiments.embodiment import Joint, Part, Root, Vector

_PEDESTAL_M, _SHOULDER_M, _UPPER_M, _FORE_M, _HAND_M = 0.20, 0.08, 0.32, 0.38, 0.205
"""Heights of the first joint and of the shoulder above it; shoulder to elbow, elbow to wrist, wrist to grasp centre."""
_PALM_M = 0.08
"""From the wrist's pitch to its roll, and from there to the fingers."""
OPEN_M = 0.045
"""How far each finger stands from the middle of an open gripper."""
_RADIUS_M = 0.045
_PAD = np.array([0.008, 0.011, 0.028])  # half size of a finger

_LEAN, _UP = (-1.0, 0.0, 0.0), (0.0, 0.0, 1.0)


@dataclass(frozen=True)
class _Link:
    """What moves a link, how far and how strongly; what it weighs, and how long its capsule is."""

    joint: Joint
    mass_kg: float
    length_m: float = 0.0


def _hinge(
    name: str, parent: int, z: float, axis: Vector, range: tuple[float, float], gains: tuple[float, ...], *size: float
) -> _Link:
    """`gains`: stiffness, damping, effort and speed; `size`: mass and length."""
    part: Part = "wrist" if name.startswith("wrist") else "arm"
    return _Link(Joint(name, parent, "hinge", part, (0.0, 0.0, z), _AS_ABOVE, axis, range, *gains), *size)


def _finger(name: str, way: float) -> _Link:
    gains = 1000.0, 100.0, 20.0, 0.2
    axis, range = (way, 0.0, 0.0), (0.0, OPEN_M)
    return _Link(Joint(name, 7, "slide", "gripper", (0.0, 0.0, _PALM_M), _AS_ABOVE, axis, range, *gains), mass_kg=0.1)


_AS_ABOVE = (1.0, 0.0, 0.0, 0.0)
_SHOULDER, _ELBOW, _WRIST = (4500.0, 450.0, 87.0, 2.2), (3500.0, 350.0, 87.0, 2.2), (600.0, 40.0, 12.0, 2.6)
_LINKS = (
    _hinge("shoulder_yaw", 0, _PEDESTAL_M, _UP, (-2.9, 2.9), _SHOULDER, 2.5, _SHOULDER_M),
    _hinge("shoulder_pitch", 1, _SHOULDER_M, _LEAN, (-1.8, 1.8), _SHOULDER, 2.5, _UPPER_M / 2),
    _hinge("upper_roll", 2, _UPPER_M / 2, _UP, (-2.9, 2.9), _ELBOW, 2.0, _UPPER_M / 2),
    _hinge("elbow", 3, _UPPER_M / 2, _LEAN, (0.0, 3.0), _ELBOW, 2.0, 0.2),
    _hinge("forearm_roll", 4, 0.2, _UP, (-2.9, 2.9), _WRIST, 1.5, _FORE_M - 0.2),
    _hinge("wrist_pitch", 5, _FORE_M - 0.2, _LEAN, (-0.5, 3.4), _WRIST, 1.0, _PALM_M),
    _hinge("wrist_roll", 6, _PALM_M, _UP, (-2.9, 2.9), _WRIST, 0.7, 0.03),
    _finger("left_finger", 1.0),
    _finger("right_finger", -1.0),
)
_BASE = "base"
_ARMATURE = 0.1  # kg m^2 of the arm's rotors
_TIP: Vector = (0.0, 0.0, _HAND_M - 2 * _PALM_M)


@dataclass(frozen=True)
class CapsuleArm:
    """The arm on its pedestal: an `Embodiment`. `base`: where that stands, metres."""

    base: Vector = (0.0, 0.0, 0.8)

    @property
    def name(self) -> str:
        """Its name."""
        return "capsule arm"

    @property
    def root(self) -> Root:
        """The world holds it."""
        return "fixed"

    @property
    def joints(self) -> tuple[Joint, ...]:
        """Base, seven hinges, two slides."""
        return Joint(_BASE, -1, "root", "arm", self.base), *(link.joint for link in _LINKS)

    @property
    def tips(self) -> tuple[tuple[str, Vector], ...]:
        """The middles of both finger pads."""
        return ("left_finger", _TIP), ("right_finger", _TIP)

    @property
    def hands(self) -> tuple[tuple[str, ...], ...]:
        """One, of two fingers."""
        return (("left_finger", "right_finger"),)

    @property
    def feet(self) -> tuple[str, ...]:
        """None."""
        return ()

    def add_to(self, spec: mujoco.MjSpec) -> None:
        """Add links as capsules; only the fingers meet anything, since links do not collide when all goes well."""
        kind = mujoco.mjtGeom.mjGEOM_CAPSULE
        bodies = [spec.worldbody.add_body(name=_BASE, pos=self.base)]
        looks = {"contype": 0, "conaffinity": 0, "rgba": [0.86, 0.87, 0.89, 1.0]}
        bodies[0].add_geom(name=_BASE, type=kind, fromto=[0, 0, 0, 0, 0, _PEDESTAL_M], size=[0.06, 0, 0], **looks)
        for link in _LINKS:
            joint = link.joint
            body = bodies[joint.parent].add_body(name=joint.name, pos=joint.offset, gravcomp=1)
            body.add_joint(
                name=joint.name,
                type=getattr(mujoco.mjtJoint, f"mjJNT_{joint.kind.upper()}"),
                axis=joint.axis,
                range=joint.range,
                stiffness=[joint.stiffness, 0, 0],
                damping=[joint.damping, 0, 0],
                armature=_ARMATURE if joint.kind == "hinge" else 0.0,
            )
            if joint.part == "gripper":
                _add_finger(body, link)
            else:
                ends, size = [0, 0, 0, 0, 0, link.length_m], [_RADIUS_M, 0, 0]
                body.add_geom(name=joint.name, type=kind, fromto=ends, size=size, mass=link.mass_kg, **looks)
            bodies.append(body)


def _add_finger(body: mujoco.MjsBody, link: _Link) -> None:
    """A pad whose inner face is in the middle of the gripper when it is closed."""
    body.add_geom(
        name=link.joint.name,
        type=mujoco.mjtGeom.mjGEOM_BOX,
        pos=[link.joint.axis[0] * _PAD[0], 0, _TIP[2]],
        size=_PAD,
        mass=link.mass_kg,
        contype=0,
        conaffinity=TABLE | OBJECT,
        condim=4,
        friction=[1.0, 0.01, 0.0001],
        solref=[0.01, 1.0],
        solimp=[0.9, 0.95, 0.001, 0.5, 2.0],
        rgba=[0.25, 0.26, 0.29, 1.0],
    )


def reach(arm: CapsuleArm, place: np.ndarray, yaw: np.ndarray, opening_m: np.ndarray) -> np.ndarray:
    """Positions (T, 9) of all joints with the gripper pointing down, its grasp centre at `place` (T, 3), its fingers
    opening along a horizontal axis turned by `yaw` (T,) from x, each `opening_m` (T,) from the middle.

    Closed form: the shoulder turns towards the place, elbow and wrist bend in the vertical plane. Beyond its reach the
    arm stretches as far as it goes; joints' ranges are not looked at. Angles go on from frame to frame without a jump.
    """
    shoulder = np.array(arm.base) + [0, 0, _PEDESTAL_M + _SHOULDER_M]
    way = np.asarray(place, float) - shoulder
    turn = np.unwrap(np.arctan2(-way[:, 0], way[:, 1]))
    out, up = np.linalg.norm(way[:, :2], axis=1), way[:, 2] + _HAND_M
    far = np.clip(np.hypot(out, up), 1e-6, _UPPER_M + _FORE_M - 1e-6)
    inner = np.arccos(np.clip((_UPPER_M**2 + far**2 - _FORE_M**2) / (2 * _UPPER_M * far), -1, 1))
    bend = np.pi - np.arccos(np.clip((_UPPER_M**2 + _FORE_M**2 - far**2) / (2 * _UPPER_M * _FORE_M), -1, 1))
    lean = np.arctan2(out, up) - inner
    still = np.zeros_like(turn)
    # pointing down, the gripper turns the other way round; a half turn is the same grip
    roll = np.unwrap((turn - yaw + np.pi / 2) % np.pi - np.pi / 2, period=np.pi)
    return np.stack([turn, lean, still, bend, still, np.pi - lean - bend, roll, opening_m, opening_m], axis=1)
