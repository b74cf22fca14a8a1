"""Where a person stands whose hands alone are seen: within reach, the arm along the forearm that is seen, out of sight.

It is a guess that the film does not contradict: nothing of the person but the hands is in it.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from perception.scene.standing_thing import up_in_camera

YAWS_DEG = tuple(range(0, 360, 10))
"""Ways that the person may face, from where the camera looks, counter-clockwise seen from above."""
ASIDE_M = (-0.1, 0.0, 0.1, 0.2, 0.3)
AHEAD_M = (0.24, 0.3, 0.36, 0.45, 0.55)
"""Where the thing may stand before the person: towards the hand's side, and ahead."""
SUPPORTS_M = (0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1)
"""How high what it stands on may be, if nobody says it: a table of one who stands, or sits and is made to stand."""
USUAL_ASIDE_M, USUAL_AHEAD_M, USUAL_SUPPORT_M, USUAL_M = 0.1, 0.36, 0.8, 0.3
REACH, BEYOND_M = 0.95, 0.1
"""Part of an arm's length that wrists are from the shoulder at most; what is beyond it counts over this length, as a
trunk can lean so far."""
ALONG, HIDDEN = 6.0, 4.0
"""What it costs if the arm points the other way than the forearm that is seen, and if all of the person is in view."""


@dataclass(frozen=True)
class SeenArm:
    """A hand in the camera's frame, where it is seen: `wrists` and `knuckles` (T, 3), metres."""

    side: str
    wrists: np.ndarray
    knuckles: np.ndarray


@dataclass(frozen=True)
class Stander:
    """A person at the origin who looks along y: `shoulder` (3,) of the arm that is seen, the arm's length, `others`
    (J, 3), joints that the film does not show; metres."""

    shoulder: np.ndarray
    arm_m: float
    others: np.ndarray


@dataclass(frozen=True)
class PlacedPerson:
    """The camera in the person's world: `T_camera_world` (4, 4). `foot` (3,): the thing's foot there.

    `beyond_m`: by how much wrists are out of the arm's reach, on the mean. `off_deg`: angle in the picture between the
    arm and the forearm that is seen, on the mean. `in_view`: part of the other joints that are in the picture.
    """

    T_camera_world: np.ndarray
    foot: np.ndarray
    beyond_m: float
    off_deg: float
    in_view: float

    @property
    def summary(self) -> str:
        """What of it is a guess, and how well that fits."""
        return (
            f"invented but for the hands: forearm {self.off_deg:.0f} degrees off the one seen, wrists "
            f"{self.beyond_m * 1e3:.0f} mm beyond its reach, {self.in_view:.0%} of the rest in view"
        )


def place_person(
    foot_camera: np.ndarray,
    pitch_deg: float,
    arm: SeenArm,
    person: Stander,
    support_m: float | None,
    K: np.ndarray,
    size: tuple[int, int],
) -> PlacedPerson:
    """The person about the thing, by trying all places and ways to face.

    Args:
        foot_camera: the thing's foot (3,) in the camera's frame, metres.
        support_m: height of what the thing stands on, None where it is to be tried too.
        size: of the picture, width and height.
    """
    sign = 1.0 if arm.side == "right" else -1.0
    found = []
    supports = SUPPORTS_M if support_m is None else (support_m,)
    for yaw, aside, ahead, support in product(YAWS_DEG, ASIDE_M, AHEAD_M, supports):
        foot = np.array([sign * aside, ahead, support])
        T = camera_in_world(foot_camera, pitch_deg, np.radians(yaw), foot)
        placed = _judged(T, foot, arm, person, K, size)
        usual = (aside - USUAL_ASIDE_M, ahead - USUAL_AHEAD_M, support - USUAL_SUPPORT_M if support_m is None else 0.0)
        unusual = float(np.square(usual).sum()) / USUAL_M**2
        angle = ALONG * (1 - np.cos(np.radians(placed.off_deg)))
        found.append((unusual + angle + (placed.beyond_m / BEYOND_M) ** 2 + HIDDEN * placed.in_view, placed))
    return min(found, key=lambda tried: tried[0])[1]


def camera_in_world(foot_camera: np.ndarray, pitch_deg: float, yaw_rad: float, foot: np.ndarray) -> np.ndarray:
    """`T_camera_world` (4, 4) of a person who faces `yaw_rad` from where the camera looks, the thing at `foot` (3,)."""
    up = up_in_camera(pitch_deg)
    level = np.array([0.0, 0.0, 1.0]) - up[2] * up
    level /= np.linalg.norm(level)
    ahead = np.cos(yaw_rad) * level + np.sin(yaw_rad) * np.cross(up, level)
    T = np.eye(4)
    T[:3, :3] = np.stack([np.cross(ahead, up), ahead, up], axis=1)
    T[:3, 3] = foot_camera - T[:3, :3] @ foot
    return T


def _judged(
    T: np.ndarray, foot: np.ndarray, arm: SeenArm, person: Stander, K: np.ndarray, size: tuple[int, int]
) -> PlacedPerson:
    shoulder = T[:3, :3] @ person.shoulder + T[:3, 3]
    beyond = np.maximum(np.linalg.norm(arm.wrists - shoulder, axis=-1) - REACH * person.arm_m, 0.0)
    back = _in_picture(arm.wrists, arm.wrists - arm.knuckles)
    along = _in_picture(arm.wrists, shoulder - arm.wrists)
    off = np.degrees(np.arccos(np.clip((back * along).sum(axis=-1), -1, 1)))
    others = person.others @ T[:3, :3].T + T[:3, 3]
    px = others @ K.T / np.where(others[:, 2:] > 0.05, others[:, 2:], np.nan)
    shown = (px[:, :2] >= 0).all(axis=1) & (px[:, :2] < size).all(axis=1)
    return PlacedPerson(T, foot, float(beyond.mean()), float(off.mean()), float(shown.mean()))


def _in_picture(at: np.ndarray, way: np.ndarray) -> np.ndarray:
    """Unit directions (T, 2) in the picture of ways (T, 3) from points (T, 3); ends may be behind the camera."""
    slope = way[:, :2] - at[:, :2] / at[:, 2:] * way[:, 2:]
    return slope / np.maximum(np.linalg.norm(slope, axis=-1, keepdims=True), 1e-9)
