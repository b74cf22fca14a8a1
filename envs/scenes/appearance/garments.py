"""Where clothes and hair are on a T-posed body, as signed depths: metres inside the garment, negative outside.

Every hem is a smooth surface in space, so that what is painted with it has a smooth edge whatever the mesh.
"""

from dataclasses import dataclass

import numpy as np

from devi_jax.core.skeleton import INDEX
from envs.embodiments.human.skin import PARTS, Skin
from envs.scenes.appearance.appearance import Appearance

_NECK_RADIUS_M = 0.078
WAIST_M = 0.105  # above the hip joints
_ARMPIT_M = 0.21  # below the neck joint
_ANYWHERE = 10.0


@dataclass(frozen=True)
class Landmarks:
    """Places on a T-posed skin, metres relative to the pelvis; x of the right side."""

    shoulder_x: float
    elbow_x: float
    wrist_x: float
    hip_z: float
    knee_z: float
    ankle_z: float
    floor_z: float
    foot_x: float
    neck: np.ndarray
    head: np.ndarray
    eye: np.ndarray


def landmarks(skin: Skin) -> Landmarks:
    """The landmarks of a skin in the T-pose that has eyes."""
    at = {name: skin.joints[INDEX[name]] for name in INDEX}
    eyes = skin.vertices[np.unique(skin.triangles[skin.part == PARTS.index("eyes")])]
    return Landmarks(
        shoulder_x=float(at["right_shoulder"][0]),
        elbow_x=float(at["right_elbow"][0]),
        wrist_x=float(at["right_wrist"][0]),
        hip_z=float(at["right_hip"][2]),
        knee_z=float(at["right_knee"][2]),
        ankle_z=float(at["right_ankle"][2]),
        floor_z=float(skin.vertices[:, 2].min()),
        foot_x=float(at["right_foot"][0]),
        neck=at["neck"],
        head=at["head"],
        eye=eyes[eyes[:, 0] > 0].mean(axis=0),
    )


def top_depth(p: np.ndarray, marks: Landmarks, person: Appearance) -> np.ndarray:
    """Depth (P,) of points (P, 3) inside the shirt: between hem, cuffs and neckline."""
    cuff = np.interp(person.top.sleeve, (0, 1, 2), (marks.shoulder_x, marks.elbow_x, marks.wrist_x))
    hem = marks.hip_z - person.top.hem_m
    return np.minimum.reduce([cuff - np.abs(p[:, 0]), p[:, 2] - hem, neckline_depth(p, marks)])


def cuff_depth(p: np.ndarray, marks: Landmarks, person: Appearance) -> np.ndarray:
    """Metres from the end of the sleeve towards the shoulder."""
    cuff = np.interp(person.top.sleeve, (0, 1, 2), (marks.shoulder_x, marks.elbow_x, marks.wrist_x))
    return cuff - np.abs(p[:, 0])


def sleeve_depth(p: np.ndarray, marks: Landmarks) -> np.ndarray:
    """Metres from the armhole, which slants in towards the armpit, into the sleeve."""
    height = p[:, 2] - marks.neck[2]
    slant = 0.25 * np.clip(height + 0.1, -0.1, 0.1)
    return np.minimum(np.abs(p[:, 0]) - marks.shoulder_x + 0.015 - slant, height + _ARMPIT_M)


def neckline_depth(p: np.ndarray, marks: Landmarks) -> np.ndarray:
    """Distance from a tilted tube around the neck, which the head fills: the opening of a round collar."""
    base = marks.neck + [0.0, 0.035, -0.030]
    along = np.array([0.0, 0.30, 1.0]) / np.hypot(0.30, 1.0)
    q = p - base
    t = np.maximum(q @ along, 0.0)
    return np.linalg.norm(q - t[:, None] * along, axis=1) - _NECK_RADIUS_M - 0.5 * t


def trousers_depth(p: np.ndarray, marks: Landmarks, person: Appearance) -> np.ndarray:
    """Depth (P,) inside the trousers: below the waist, above the hem; arms are higher."""
    hem = np.interp(person.trousers.leg, (0, 1, 2), (marks.hip_z - 0.1, marks.knee_z, marks.ankle_z - 0.02))
    return np.minimum(marks.hip_z + WAIST_M - p[:, 2], p[:, 2] - hem)


def scalp_depth(p: np.ndarray, marks: Landmarks) -> np.ndarray:
    """Depth (P,) above the hairline: a curve from the forehead over the ears down to the nape."""
    y, z, x = p[:, 1] - marks.eye[1], p[:, 2] - marks.eye[2], np.abs(p[:, 0])
    forehead = 0.062 - 0.9 * x * x / 0.06
    line = np.interp(
        y,
        (-0.20, -0.135, -0.105, -0.08, -0.066, -0.05, -0.02, 0.02),
        (-0.09, -0.075, -0.045, 0.0, -0.015, 0.0, 0.045, 0.062),
    )
    edge = np.maximum(line, np.where(y > -0.045, forehead, -1.0))
    return np.where(z < -0.12, -_ANYWHERE, z - edge)


def cap_depth(p: np.ndarray, marks: Landmarks) -> np.ndarray:
    """Depth (P,) above the rim of a cap, which sits low on the forehead and higher behind the ears."""
    y, z = p[:, 1] - marks.eye[1], p[:, 2] - marks.eye[2]
    return z - 0.040 - 0.06 * y
