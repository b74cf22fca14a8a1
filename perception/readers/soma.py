"""SOMA's 77 joints (NVIDIA, `py-soma-x`) in terms of SMPL-X's: names, and local rotations from one to the other.

Both are in a T-pose at rest, y up and facing +z, and both count rotations from there in axes of the world, so they
carry over name by name; a joint that SMPL-X has not is folded into its child. Settled from SOMA's documentation; that
the two rest poses agree in the bend of arms and fingers is an assumption (some degrees).
"""

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.skeleton import FINGERS, SIDES, SMPLX_JOINTS

_HAND = ("Thumb1", "Thumb2", "Thumb3", "ThumbEnd") + tuple(
    f"{finger}{k}" for finger in ("Index", "Middle", "Ring", "Pinky") for k in ("1", "2", "3", "4", "End")
)


def _arm(side: str) -> tuple[str, ...]:
    return tuple(f"{side}{n}" for n in ("Shoulder", "Arm", "ForeArm", "Hand", *(f"Hand{part}" for part in _HAND)))


def _leg(side: str) -> tuple[str, ...]:
    return tuple(f"{side}{n}" for n in ("Leg", "Shin", "Foot", "ToeBase", "ToeEnd"))


SOMA77: tuple[str, ...] = (
    *("Hips", "Spine1", "Spine2", "Chest", "Neck1", "Neck2", "Head", "HeadEnd", "Jaw", "LeftEye", "RightEye"),
    *(*_arm("Left"), *_arm("Right"), *_leg("Left"), *_leg("Right")),
)
"""SOMA's joints in the order of its pose vector."""

_TRUNK = {
    **{"pelvis": ("Hips",), "spine1": ("Spine1",), "spine2": ("Spine2",), "spine3": ("Chest",)},
    **{"neck": ("Neck1",), "head": ("Neck2", "Head"), "jaw": ("Jaw",)},
}
_LIMBS = {
    **{"collar": "Shoulder", "shoulder": "Arm", "elbow": "ForeArm", "wrist": "Hand"},
    **{"hip": "Leg", "knee": "Shin", "ankle": "Foot", "foot": "ToeBase"},
}


def _sources() -> dict[str, tuple[str, ...]]:
    """The SOMA joints whose rotations, one after the other, make each of SMPL-X's."""
    out = dict(_TRUNK)
    for side in SIDES:
        upper = side.capitalize()
        out |= {f"{side}_{ours}": (f"{upper}{theirs}",) for ours, theirs in _LIMBS.items()}
        out[f"{side}_eye_smplhf"] = (f"{upper}Eye",)
        for finger in FINGERS:
            name = f"{upper}Hand{finger.capitalize()}"
            # a SOMA finger begins at the wrist with a metacarpal bone, which SMPL-X has not; the thumb is alike
            bones = [("1",), ("2",), ("3",)] if finger == "thumb" else [("1", "2"), ("3",), ("4",)]
            out |= {f"{side}_{finger}{k}": tuple(name + n for n in part) for k, part in enumerate(bones, start=1)}
    return out


SOURCES: dict[str, tuple[str, ...]] = _sources()
"""For each SMPL-X joint the SOMA joints that make it, from the parent outwards."""

POINTS: dict[str, str] = {
    **{name: part[-1] for name, part in SOURCES.items()},
    **{f"{s}_{f}_tip": f"{s.capitalize()}Hand{f.capitalize()}End" for s in SIDES for f in FINGERS},
}
"""For each landmark the SOMA joint that lies there."""


def smplx_rotations(pose: np.ndarray) -> dict[str, np.ndarray]:
    """Unit quaternions (T, 4) of each SMPL-X joint relative to its parent, from SOMA rotation vectors (T, 77, 3)."""
    local = rot.quat_exp(pose)
    out = {}
    for name in SMPLX_JOINTS:
        parts = [local[:, SOMA77.index(part)] for part in SOURCES[name]]
        out[name] = parts[0]
        for part in parts[1:]:
            out[name] = rot.quat_mul(out[name], part)
    return out
