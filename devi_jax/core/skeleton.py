"""SMPL-X's 55 joints, and the 52 of them (body and hands) that are simulated.

Arrays over joints are always in the order of `JOINTS`; files carry the names, so order is never assumed.
Source: `smplx.joint_names.JOINT_NAMES[:55]`, SMPL-X's `kintree_table`.
"""

from collections.abc import Sequence
from typing import Literal

SIDES = ("left", "right")
FINGERS = ("index", "middle", "pinky", "ring", "thumb")

_BODY = (
    "pelvis left_hip right_hip spine1 left_knee right_knee spine2 left_ankle right_ankle spine3 left_foot "
    "right_foot neck left_collar right_collar head left_shoulder right_shoulder left_elbow right_elbow "
    "left_wrist right_wrist"
).split()
_FACE = ["jaw", "left_eye_smplhf", "right_eye_smplhf"]
_HANDS = [f"{side}_{finger}{k}" for side in SIDES for finger in FINGERS for k in (1, 2, 3)]

SMPLX_JOINTS: tuple[str, ...] = (*_BODY, *_FACE, *_HANDS)
"""All 55 SMPL-X joints."""

_BODY_PARENTS = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19]


def _smplx_parents() -> tuple[int, ...]:
    hands = []
    for wrist, first in ((20, 25), (21, 40)):
        for finger in range(5):
            base = first + 3 * finger
            hands += [wrist, base, base + 1]
    return (*_BODY_PARENTS, 15, 15, 15, *hands)


SMPLX_PARENTS: tuple[int, ...] = _smplx_parents()
"""Parent of each SMPL-X joint, -1 for the pelvis."""

JOINTS: tuple[str, ...] = tuple(n for n in SMPLX_JOINTS if n not in _FACE)
"""The 52 simulated joints: pelvis, 21 body joints, 30 hand joints."""

INDEX: dict[str, int] = {name: i for i, name in enumerate(JOINTS)}
"""Index of a joint name in `JOINTS`."""

PARENTS: tuple[int, ...] = tuple(
    -1 if n == "pelvis" else INDEX[SMPLX_JOINTS[SMPLX_PARENTS[SMPLX_JOINTS.index(n)]]] for n in JOINTS
)
"""Parent of each of the 52 joints, -1 for the pelvis."""

BODY19: tuple[int, ...] = tuple(range(1, 20))
"""The 19 body joints of DeVI Eq. 4: SMPL-X joints 1..19, without pelvis and wrists."""

HAND32: tuple[int, ...] = tuple(
    INDEX[n] for side in SIDES for n in (f"{side}_wrist", *(j for j in _HANDS if j.startswith(side)))
)
"""The 32 hand joints of DeVI Eq. 4: per side the wrist and 15 finger joints, left first."""

HAND_BODIES: tuple[tuple[int, ...], tuple[int, ...]] = (HAND32[:16], HAND32[16:])
"""The 16 bodies of each hand (palm, then phalanges) that carry contact sensors: left, right."""

TIPS: tuple[int, ...] = tuple(INDEX[f"{side}_{finger}3"] for side in SIDES for finger in FINGERS)
"""The ten distal phalanges, whose ends are the fingertips: left then right, in the order of `FINGERS`."""


def levels(parents: Sequence[int] = PARENTS) -> tuple[tuple[int, ...], ...]:
    """Joint indices grouped by depth below the root, so that kinematics runs one level at a time."""
    depth = [0] * len(parents)
    for i, parent in enumerate(parents):
        depth[i] = 0 if parent < 0 else depth[parent] + 1
    return tuple(tuple(i for i, d in enumerate(depth) if d == level) for level in range(max(depth) + 1))


def joint_class(name: str) -> Literal["finger", "wrist", "arm", "leg", "spine"]:
    """One of `finger`, `wrist`, `arm`, `leg`, `spine`: joints of a class share gains and exploration."""
    if any(f in name for f in FINGERS):
        return "finger"
    if "wrist" in name:
        return "wrist"
    if any(k in name for k in ("shoulder", "elbow", "collar")):
        return "arm"
    if any(k in name for k in ("hip", "knee", "ankle", "foot")):
        return "leg"
    return "spine"
