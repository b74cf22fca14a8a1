"""A user's licensed SMPL-X or SMPL-H model: where its joints rest, and what its hands' principal components mean.

Loper et al. 2015, Romero et al. 2017, Pavlakos et al. 2019. Nothing is downloaded and nothing is unpickled.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.clip import forward_kinematics
from devi_jax.core.errors import ClipError
from devi_jax.core.skeleton import JOINTS, PARENTS, SMPLX_JOINTS
from devi_jax.datasets.formats import isaacgym_humanoid

_ROWS = {55: [SMPLX_JOINTS.index(name) for name in JOINTS], 52: list(range(52))}  # SMPL-H has no face
_KEYS = ("v_template", "shapedirs", "J_regressor")
STATURE_M = (1.2, 2.2)
"""Ankle to head of a standing human and what is above and below: outside of it a length is in another unit."""


@dataclass(frozen=True)
class Model:
    """`template` (V, 3) metres, y up; `shapes` (V, 3, B); `regressor` (52, V) of `JOINTS`; for each hand, if the model
    has them, the mean (45,) and components (N, 45) of its rotation vectors."""

    template: np.ndarray
    shapes: np.ndarray
    regressor: np.ndarray
    means: tuple[np.ndarray, np.ndarray] | None
    components: tuple[np.ndarray, np.ndarray] | None

    def joints(self, betas: np.ndarray | None = None, vertices: np.ndarray | None = None) -> np.ndarray:
        """Joints (52, 3) at rest, metres, of shape coefficients, or of a subject's own vertices (V, 3)."""
        if vertices is None:
            betas = np.zeros(0) if betas is None else np.asarray(betas, float).ravel()[: self.shapes.shape[2]]
            vertices = self.template + self.shapes[..., : len(betas)] @ betas
        return self.regressor @ vertices


def load_model(path: Path | None, needed_by: str) -> Model:
    """Read a model's `.npz`. Raises `ClipError` where there is none (naming the layout that needs it), or no such."""
    valid = f"SMPL-X or SMPL-H as .npz with {', '.join(_KEYS)}"
    if path is None:
        raise ClipError(
            f"{needed_by} says joint angles only: where the joints are, its licensed body model says",
            where="--model",
            valid=f"{valid}, from smpl-x.is.tue.mpg.de or mano.is.tue.mpg.de, of the subject's gender",
            fix="python -m devi_jax.clips convert SOURCE --model=SMPLX_NEUTRAL.npz --out=CLIP.npz",
        )
    try:
        # keys are read one by one: official files hold object arrays under others, which would need unpickling
        with np.load(path, allow_pickle=False) as file:
            template, shapes, regressor = (np.asarray(file[key], float) for key in _KEYS)
            hands = [_both(file, what) for what in ("mean", "components")]
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise ClipError(f"not a readable body model ({error})", where=f"--model={path}", valid=valid) from error
    count = len(regressor)
    if count not in _ROWS or regressor.shape[1:] != template.shape[:1] or shapes.shape[:2] != template.shape:
        raise ClipError(
            f"the model's arrays have shapes {template.shape}, {shapes.shape} and {regressor.shape}",
            where=f"--model={path}",
            valid="(V, 3), (V, 3, shapes) and (55, V) for SMPL-X or (52, V) for SMPL-H",
        )
    return Model(template, shapes, regressor[_ROWS[count]], *hands)


def _both(file: Mapping[str, np.ndarray], what: str) -> tuple[np.ndarray, np.ndarray] | None:
    """An array of the left hand and of the right one, where the model has hands."""
    if f"hands_{what}l" not in file:
        return None
    return np.asarray(file[f"hands_{what}l"], float), np.asarray(file[f"hands_{what}r"], float)


def recording(rotvecs: np.ndarray, pelvis: np.ndarray, rest: np.ndarray, where: str) -> isaacgym_humanoid.Recording:
    """The human of rotation vectors (T, 52, 3) in `JOINTS` order, pelvis positions (T, 3) and resting joints (52, 3).

    Raises `ClipError` for numbers that are not finite, a human of another unit, and one that stands along another axis.
    """
    if not (np.isfinite(rotvecs).all() and np.isfinite(pelvis).all() and np.isfinite(rest).all()):
        raise ClipError("a value is not finite", where=where, valid="finite numbers in every frame")
    offsets = np.array([rest[i] - rest[parent] if parent >= 0 else np.zeros(3) for i, parent in enumerate(PARENTS)])
    local = rot.quat_exp(rotvecs)
    positions = forward_kinematics(local, pelvis, offsets)
    _check_unit(rest, where)
    _check_upright(positions, where)
    return isaacgym_humanoid.Recording(pelvis, local, positions)


def _check_unit(rest: np.ndarray, where: str) -> None:
    tall = float(np.ptp(rest[:, 1]))
    if not STATURE_M[0] < tall < STATURE_M[1]:
        raise ClipError(
            f"the human is {tall:.3g} m from toes to head",
            where=where,
            valid=f"{STATURE_M[0]} to {STATURE_M[1]} m, resting with y up",
            fix="lengths are metres: divide millimetres by 1000",
        )


def _check_upright(positions: np.ndarray, where: str) -> None:
    """The head is above the pelvis in most frames, along z."""
    up = np.median(positions[:, JOINTS.index("head")] - positions[:, 0], axis=0)
    axis = int(np.abs(up).argmax())
    if axis != 2 or up[2] < 0:
        raise ClipError(
            f"the human's head points along {'-' if up[axis] < 0 else '+'}{'xyz'[axis]}",
            where=where,
            valid="a world with z up",
            fix="turn root and translation by 90 degrees about x at the source: (x, y, z) becomes (x, -z, y)",
        )
