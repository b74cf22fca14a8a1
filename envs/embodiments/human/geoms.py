"""The collision shapes of a body, from its offsets and radii alone.

Capsules along limbs and phalanges and across the trunk, boxes for palms and feet, a sphere for the head. Lengths that
are not measured are proportions of a measured one, so any body in SMPL-X's topology gets shapes that fit.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from devi_jax.core.skeleton import INDEX, PARENTS, TIPS
from envs.embodiments.human.body import Body

_TRUNK_HALF_LENGTH = 0.4  # of the radius
_TOES = 0.55  # length of the toe box, of the ankle-to-ball length
_HEEL = 0.5
_TOE_THICKNESS_M = 0.025
_THUMB_BALL = 1.3  # radius of the first thumb phalanx, of the thumb's


@dataclass(frozen=True)
class Shape:
    """A geom in its body's frame, metres: `half` is a box's half size, or half the axis of a capsule."""

    name: str
    kind: Literal["capsule", "box", "sphere"]
    centre: np.ndarray
    half: np.ndarray
    radius: float = 0.0

    @property
    def volume(self) -> float:
        """Cubic metres."""
        if self.kind == "box":
            return 8 * float(np.prod(self.half))
        ball = 4 / 3 * np.pi * self.radius**3
        return ball + 2 * float(np.linalg.norm(self.half)) * np.pi * self.radius**2


def shapes(body: Body, name: str) -> tuple[Shape, ...]:
    """The shapes of one body; the first has the body's name, a second one `<name>_2`."""
    if name == "head":
        radius = float(body.radii[INDEX[name]])
        centre = np.array([0.0, body.forward[INDEX[name]], body.crown_m - radius])
        return (Shape(name, "sphere", centre, np.zeros(3), radius),)
    if name == "pelvis" or name.startswith("spine"):
        return _trunk(body, name)
    if "wrist" in name:
        return (_palm(body, name),)
    if "ankle" in name:
        return (_hindfoot(body, name),)
    if "foot" in name:
        return (_toes(body, name),)
    return (_bone(body, name),)


def _bone(body: Body, name: str) -> Shape:
    i = INDEX[name]
    radius = float(body.radii[i]) * (_THUMB_BALL if name.endswith("thumb1") else 1.0)
    if i not in TIPS:
        return _capsule(name, np.zeros(3), body.offsets[PARENTS.index(i)], radius)
    tip = body.tips[TIPS.index(i)]
    length = float(np.linalg.norm(tip))
    return _capsule(name, np.zeros(3), tip * max(1 - radius / length, 0.1), radius)


def _trunk(body: Body, name: str) -> tuple[Shape, ...]:
    i = INDEX[name]
    radius, forward = float(body.radii[i]), float(body.forward[i])
    above = body.offsets[INDEX["neck" if name == "spine3" else f"spine{int(name[-1]) + 1}"], 2] if i else 0.0
    if name != "spine3":
        return (_across(name, forward, 0.5 * above, radius, _TRUNK_HALF_LENGTH * radius),)
    chest = _across(name, forward, 0.35 * above, radius, _TRUNK_HALF_LENGTH * radius)
    return chest, _across(f"{name}_2", forward, 0.64 * above, 0.7 * radius, 0.8 * radius)


def _palm(body: Body, name: str) -> Shape:
    """One box from the wrist to the knuckles, as wide as the four of them, a little below the joints."""
    side = name.split("_")[0]
    knuckles = {f: body.offsets[INDEX[f"{side}_{f}1"]] for f in ("index", "middle", "pinky")}
    outward = knuckles["middle"][0]
    front = knuckles["index"][1] + body.radii[INDEX[f"{side}_index1"]]
    back = knuckles["pinky"][1] - body.radii[INDEX[f"{side}_pinky1"]]
    thick = float(body.radii[INDEX[name]])
    centre = np.array([0.53 * outward, (front + back) / 2, -0.4 * thick])
    return Shape(name, "box", centre, np.array([0.44 * abs(outward), (front - back) / 2, thick]))


def _hindfoot(body: Body, name: str) -> Shape:
    """Heel to ball; the top is at the ankle joint."""
    ball = body.offsets[INDEX[name.replace("ankle", "foot")]]
    low = np.array([0.0, -_HEEL * ball[1], -body.sole_m])
    high = np.array([0.0, ball[1], 0.0])
    centre = (low + high) / 2 + [ball[0] / 2, 0, 0]
    return Shape(name, "box", centre, np.array([body.radii[INDEX[name]], *(high - low)[1:] / 2]))


def _toes(body: Body, name: str) -> Shape:
    """Ball to toe tips, its sole in the plane of the hindfoot's."""
    ball = body.offsets[INDEX[name]]
    length = _TOES * ball[1]
    sole = -body.sole_m - ball[2]
    centre = np.array([0.0, length / 2, sole + _TOE_THICKNESS_M / 2])
    return Shape(name, "box", centre, np.array([body.radii[INDEX[name]], length / 2, _TOE_THICKNESS_M / 2]))


def _capsule(name: str, start: np.ndarray, end: np.ndarray, radius: float) -> Shape:
    return Shape(name, "capsule", (start + end) / 2, (end - start) / 2, radius)


def _across(name: str, forward: float, up: float, radius: float, half_length: float) -> Shape:
    return Shape(name, "capsule", np.array([0.0, forward, up]), np.array([half_length, 0.0, 0.0]), radius)
