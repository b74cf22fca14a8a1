"""A human body as plain data: bone offsets, fingertips, radii, soles. Arrays are in the order of `skeleton.JOINTS`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from devi_jax.core.errors import DeviError
from devi_jax.core.npz_container import NpzFormat
from devi_jax.core.skeleton import INDEX, JOINTS, PARENTS, SIDES, TIPS

SCHEMA = 1
"""Version of the body file format; readers refuse any other."""

_ARRAYS = ("offsets", "tips", "radii", "forward")
_SHORTEST_M = 1e-3


class BodyError(DeviError):
    """A body, or a file that should become one, is not usable."""


FORMAT = NpzFormat("body", SCHEMA, BodyError)


@dataclass(frozen=True)
class Body:
    """A human in SMPL-X's T-pose: z up, facing +y, left = -x; all joint frames are aligned with the world.

    Attributes:
        offsets: (52, 3) joint centres relative to the parent's, metres; zero for the pelvis.
        tips: (10, 3) fingertips in the frames of their distal phalanges (`skeleton.TIPS`), metres.
        radii: (52,) radius of limbs and phalanges, half the thickness of trunk, head, palms and feet, metres.
        forward: (52,) how far in front of its joint the middle of trunk and head lies, metres; zero elsewhere.
        sole_m: height of the ankle joints above the sole.
        crown_m: height of the crown above the head joint.
        mass_kg: total mass, spread over the segments by anthropometry.
    """

    name: str
    offsets: np.ndarray
    tips: np.ndarray
    radii: np.ndarray
    forward: np.ndarray
    sole_m: float
    crown_m: float
    mass_kg: float = 70.0

    def __post_init__(self) -> None:
        """Raise `BodyError` unless every number is usable."""
        n = len(JOINTS)
        shapes = ((n, 3), (len(TIPS), 3), (n,), (n,))
        for key, shape in zip(_ARRAYS, shapes, strict=True):
            value = getattr(self, key)
            if value.shape != shape or not np.isfinite(value).all():
                raise BodyError(
                    f"{key} has shape {value.shape} or a value that is not finite",
                    where=f"body {self.name}: {key}",
                    valid=f"finite metres of shape {shape}",
                )
        self._check_tpose()
        if not (self.radii > 0).all() or not 0 < self.sole_m < 1 or not 0 < self.crown_m < 1 or self.mass_kg <= 0:
            raise BodyError(
                f"a radius, sole_m {self.sole_m}, crown_m {self.crown_m} or mass_kg {self.mass_kg} is not physical",
                where=f"body {self.name}",
                valid="positive metres and kilograms",
            )

    def _check_tpose(self) -> None:
        short = [JOINTS[i] for i in range(1, len(JOINTS)) if np.linalg.norm(self.offsets[i]) < _SHORTEST_M]
        if short:
            raise BodyError(
                f"joint {short[0]} lies on its parent",
                where=f"body {self.name}: offsets",
                valid=f"bones of at least {_SHORTEST_M} m",
            )
        # palms and feet are boxes along these axes: a body in other axes would get boxes of negative size
        along = {"left_wrist": (0, -1), "right_wrist": (0, 1), "left_foot": (1, 1), "right_foot": (1, 1)}
        crooked = [n for n, (axis, sign) in along.items() if self.offsets[INDEX[n], axis] * sign < _SHORTEST_M]
        front = {side: self.offsets[INDEX[f"{side}_index1"], 1] for side in SIDES}
        crooked += [f"{s}_pinky1" for s in SIDES if self.offsets[INDEX[f"{s}_pinky1"], 1] > front[s] - _SHORTEST_M]
        if crooked:
            raise BodyError(
                f"the offset of {crooked[0]} is {np.round(self.offsets[INDEX[crooked[0]]], 3)}: not a T-pose facing +y",
                where=f"body {self.name}: offsets",
                valid="z up, facing +y, left = -x, arms sideways, palms down, toes forward",
            )

    def positions(self) -> np.ndarray:
        """Joint centres (52, 3) in the T-pose with the pelvis at the origin."""
        out = np.zeros_like(self.offsets)
        for i, parent in enumerate(PARENTS):
            if parent >= 0:
                out[i] = out[parent] + self.offsets[i]
        return out

    @property
    def pelvis_m(self) -> float:
        """Height of the pelvis above the floor when the T-pose stands on its lower sole."""
        heights = self.positions()[:, 2]
        return self.sole_m - float(min(heights[INDEX["left_ankle"]], heights[INDEX["right_ankle"]]))

    @property
    def stature_m(self) -> float:
        """Standing height from sole to crown."""
        return self.pelvis_m + float(self.positions()[INDEX["head"], 2]) + self.crown_m


def save_body(body: Body, path: Path, provenance: dict[str, Any]) -> None:
    """Write a body file: numeric arrays and a JSON header."""
    header: dict[str, Any] = {"name": body.name, "joints": list(JOINTS), "tips": [JOINTS[i] for i in TIPS]}
    header |= {"sole_m": round(body.sole_m, 6), "crown_m": round(body.crown_m, 6), "provenance": provenance}
    FORMAT.write(path, {k: getattr(body, k).astype(np.float32) for k in _ARRAYS}, header, indent=1)


def load_body(path: Path) -> Body:
    """Read a body file; rows are found by joint name. Raises `BodyError` on any other file."""
    header, arrays = FORMAT.read(path)
    try:
        row = {name: i for i, name in enumerate(header["joints"])}
        tip = {name: i for i, name in enumerate(header["tips"])}
        joints, tips = [row[n] for n in JOINTS], [tip[JOINTS[i]] for i in TIPS]
        return Body(
            name=header["name"],
            offsets=arrays["offsets"][joints].astype(np.float64),
            tips=arrays["tips"][tips].astype(np.float64),
            radii=arrays["radii"][joints].astype(np.float64),
            forward=arrays["forward"][joints].astype(np.float64),
            sole_m=header["sole_m"],
            crown_m=header["crown_m"],
        )
    except (KeyError, IndexError, ValueError, TypeError) as error:
        valid = f"a body file of schema {SCHEMA}"
        raise BodyError(f"cannot read a body ({error})", where=str(path), valid=valid) from error
