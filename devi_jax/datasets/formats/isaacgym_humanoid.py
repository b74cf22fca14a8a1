"""The 52-body SMPL-X humanoid of Isaac Gym's imitation data, turned into this project's joints and rest axes.

InterMimic and PhysHOI store the same bodies in MJCF depth-first order, but disagree about the axes of the rest pose;
those are recovered from the data itself: a recording's positions and rotations fix its bone offsets.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.clip import forward_kinematics, global_rotations
from devi_jax.core.errors import ClipError
from devi_jax.core.skeleton import FINGERS, INDEX, JOINTS, PARENTS


def _depth_first() -> tuple[str, ...]:
    def leg(side: str) -> list[str]:
        return [f"{side}_{n}" for n in ("hip", "knee", "ankle", "foot")]

    def arm(side: str) -> list[str]:
        hand = [f"{side}_{finger}{k}" for finger in FINGERS for k in (1, 2, 3)]
        return [*(f"{side}_{n}" for n in ("collar", "shoulder", "elbow", "wrist")), *hand]

    trunk = ["spine1", "spine2", "spine3", "neck", "head"]
    return ("pelvis", *leg("left"), *leg("right"), *trunk, *arm("left"), *arm("right"))


BODIES: tuple[str, ...] = _depth_first()
"""Our names in the files' order: L_Toe is left_foot; Torso, Spine, Chest are spine1..3; L_Thorax is left_collar."""

ORDER: tuple[int, ...] = tuple(BODIES.index(name) for name in JOINTS)
"""File index of each joint of `skeleton.JOINTS`."""


@dataclass(frozen=True)
class Recording:
    """The human of both formats, in the file's rest axes, joints in `JOINTS` order; metres, wxyz.

    `root` (T, 3), `rotations` (T, 52, 4) parent-relative, `positions` (T, 52, 3).
    """

    root: np.ndarray
    rotations: np.ndarray
    positions: np.ndarray


@dataclass(frozen=True)
class Motion:
    """A recording in the project's rest axes, joints rebuilt by forward kinematics, and how well that fits the file.

    `lag` counts the frames by which the file's positions trail its rotations; `axes` maps the file's rest axes to ours.
    """

    rotations: np.ndarray
    positions: np.ndarray
    axes: np.ndarray
    lag: int
    fk_error_mm: float


def local_rotations(root: np.ndarray, rotvecs: np.ndarray) -> np.ndarray:
    """Parent-relative quaternions (T, 52, 4) of root quaternions (T, 4) and 51 file-order rotation vectors (T, 153)."""
    joints = rot.quat_exp(rotvecs.reshape(len(root), 51, 3))
    return np.concatenate([rot.quat_normalise(root)[:, None], joints], axis=1)[:, ORDER]


def in_our_order(columns: np.ndarray, width: int) -> np.ndarray:
    """Flat per-body columns (T, 52 * width) in file order as (T, 52, width) in `JOINTS` order."""
    return columns.reshape(len(columns), 52, width)[:, ORDER]


def to_motion(recording: Recording, where: str, limit_mm: float, lags: tuple[int, ...] = (0,)) -> Motion:
    """Convert a recording; raises `ClipError` if its positions and rotations do not belong together.

    Positions are rebuilt from the rotations with the recording's own (median) bone offsets, so that both agree; the
    median departure from the file's must stay below `limit_mm`. Among `lags` the one with the stiffest bones is taken.
    """
    fits = [_fit(recording, lag) for lag in lags]
    best = int(np.argmin([stretch for _, stretch in fits]))
    offsets, lag = fits[best][0], lags[best]
    error_mm = _fk_error_mm(recording, offsets, lag)
    if error_mm > limit_mm:
        raise ClipError(
            f"joint positions are {error_mm:.0f} mm (median) from those that the joint rotations give",
            where=where,
            valid=f"exponential maps relative to the parent that agree with the positions within {limit_mm:.0f} mm",
            fix="use the file as its authors released it; hinge angles have to be turned into exponential maps first",
        )
    axes = rest_axes(offsets, where)
    turn = rot.matrix_to_quat(axes)
    local = rot.quat_mul(rot.quat_mul(turn, recording.rotations), rot.quat_conj(turn))
    local[:, 0] = rot.quat_mul(recording.rotations[:, 0], rot.quat_conj(turn))
    positions = forward_kinematics(local, recording.root, offsets @ axes.T)
    return Motion(local, positions, axes, lag, error_mm)


def check_columns(data: np.ndarray, where: str) -> None:
    """Raise `ClipError` unless the columns (T, C) are finite and a motion: at least three frames."""
    if not np.isfinite(data).all():
        raise ClipError(
            f"a value is not finite (first at frame {int(np.argwhere(~np.isfinite(data))[0][0])})",
            where=where,
            valid="finite numbers in every frame",
            fix="cut the frames at the source",
        )
    if len(data) < 3:
        raise ClipError(
            f"file has {len(data)} frame(s)", where=where, valid="at least 3 frames", fix="fetch the file again"
        )


def rest_axes(offsets: np.ndarray, where: str) -> np.ndarray:
    """The axis permutation (3, 3), a rotation, that takes rest-pose bone offsets (52, 3) to z up, facing +y."""

    def total(*names: str) -> np.ndarray:
        return offsets[[INDEX[name] for name in names]].sum(axis=0)

    pairs = ("hip", "collar", "shoulder", "elbow", "wrist")
    up = total("spine1", "spine2", "spine3", "neck", "head")
    right = total(*(f"right_{n}" for n in pairs)) - total(*(f"left_{n}" for n in pairs))
    toes = total("left_foot", "right_foot")
    source = np.array([right, toes - up * (toes @ up) / max(up @ up, 1e-12), up])  # ours: +x, +y, +z
    source /= np.maximum(np.linalg.norm(source, axis=1, keepdims=True), 1e-12)
    orders, signs = itertools.permutations(range(3)), list(itertools.product((1.0, -1.0), repeat=3))
    permutations = [np.diag(sign)[list(order)] for order in orders for sign in signs]
    best = max((m for m in permutations if np.linalg.det(m) > 0), key=lambda m: float(np.trace(source @ m.T)))
    if np.diag(source @ best.T).min() < 0.8:
        raise ClipError(
            "the recording's rest pose is not an upright T-pose along the axes",
            where=where,
            valid="bone offsets with the spine, the hips and the toes along three different axes",
            fix="use the SMPL-X rest pose (zero rotations) of the released files",
        )
    return best


def _fit(recording: Recording, lag: int) -> tuple[np.ndarray, float]:
    """Median bone offsets (52, 3) in the file's rest axes, and the mean departure from them in metres."""
    steps = _steps(recording, lag)
    offsets = np.median(steps, axis=0)
    return offsets, float(np.linalg.norm(steps - offsets, axis=-1).mean())


def _steps(recording: Recording, lag: int) -> np.ndarray:
    """Offsets (T - lag, 52, 3) of each joint in its parent's frame."""
    frames = len(recording.root) - lag
    world = global_rotations(recording.rotations[:frames])
    positions = np.concatenate([recording.root[:frames, None], recording.positions[lag:, 1:]], axis=1)
    out = np.zeros_like(positions)
    for i, parent in enumerate(PARENTS):
        if parent >= 0:
            out[:, i] = rot.rotate_inverse(world[:, parent], positions[:, i] - positions[:, parent])
    return out


def _fk_error_mm(recording: Recording, offsets: np.ndarray, lag: int) -> float:
    frames = len(recording.root) - lag
    rebuilt = forward_kinematics(recording.rotations[:frames], recording.root[:frames], offsets)
    gap = np.linalg.norm(rebuilt[:, 1:] - recording.positions[lag:, 1:], axis=-1)
    return float(np.median(gap)) * 1e3
