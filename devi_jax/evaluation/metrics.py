"""The paper's metrics (DeVI 5.1, Table 3), InterMimic's, and a success that no dropped object passes.

One definition of every number, from rollouts and the reference they should follow, for reports, films and tables.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.evaluation.rollouts import Rollouts
from envs.tracking.reference import Reference

BODY, HANDS = slice(0, 22), slice(22, 52)
"""22 body and 30 hand joints of a human: the split under which the paper's own body, hand and all columns agree. A
smaller body has no more joints than these, and no hand by itself."""

Bounds = tuple[float, float, float]
"""Mean MPJPE(all) in metres, mean object error in metres, mean object turn in radians; each must stay below."""
PAPER: Bounds = (0.2, 0.2, np.inf)
"""Success in section 5.1."""
TIGHT: Bounds = (0.1, 0.1, 0.9)
"""The strictest column of Table 3."""
PARITY: Bounds = (0.026, 0.022, np.inf)
"""As close as the paper's own policies: MPJPE(all) 26 mm, T_obj 22 mm."""

TURNED_RAD = 0.5
"""Mean turn of the object from which it is not handled as the clip has it; of a round thing, only of its axis."""

LIFTED_M, LIFT_TOLERANCE, END_M = 0.02, 0.3, 0.05
"""A reference that gains 2 cm lifts; a lift may miss its height by 30 %; what was put down lies within 5 cm."""

FAIL_M, FALLEN_M = 0.5, 0.15
"""InterMimic's failure: mean human or object error above 0.5 m, or a pelvis below 0.15 m."""

FELT_N = 0.05
"""Contact force from which a hand feels the object."""


@dataclass(frozen=True)
class Scores:
    """Scores of one rollout. `None`: the clip has no object, no object poses, no lift, or no contact to judge by.

    `success`: the paper's, and the object is where the clip has it: lifted to within 30 % of the reference's height
    wherever that lifts it, and at the clip's end within 30 % of its height change, or within 5 cm of its place if it
    ends as high as it began, turned by less than half a radian on average, and `placed` where there is a target. Mean
    errors alone hide a drop. Without an object, the paper's in every single frame, as
    a mean over frames hides a fall. `parity`: mean errors as small as the paper's own.
    `placed`: of a clip that brings its object to a target and lets go, whether it lies on the target where the clip
    has it, be the target pushed away or not.
    """

    success: bool | None
    parity: bool | None
    success_paper: bool
    success_tight: bool
    success_intermimic: bool
    mpjpe_body_mm: float
    mpjpe_hand_mm: float | None
    mpjpe_all_mm: float
    mpjpe_all_root_relative_mm: float
    t_root_mm: float
    t_obj_mm: float | None
    t_obj_end_mm: float | None
    o_obj_rad: float | None
    duration_s: float
    lift_ratio: float | None
    end_ratio: float | None
    contact_share: float | None
    alive_share: float
    placed: bool | None = None


def score(rollouts: Rollouts, reference: Reference, fps: float) -> list[Scores]:
    """Scores of each of the N rollouts. What is not finite counts as an error of 1 m or pi."""
    columns: dict[str, Any] = {**_human(rollouts, reference), **_object(rollouts, reference)}
    mpjpe, t_obj, o_obj = columns["mpjpe_all_mm"] / 1e3, columns["t_obj_mm"], columns["o_obj_rad"]
    t_obj = None if t_obj is None else t_obj / 1e3
    failing = _failing(rollouts, reference)
    paper = _within(mpjpe, t_obj, o_obj, PAPER)
    blind = t_obj is None and reference.object_start is not None
    placed = _placed(rollouts, reference)
    kept = _followed(rollouts, reference) if t_obj is None else _in_place(columns) & _upright(rollouts, reference)
    columns |= {
        "success": None if blind else paper & kept & (True if placed is None else placed),
        "parity": None if blind else _within(mpjpe, t_obj, o_obj, PARITY),
        "success_paper": paper,
        "success_tight": _within(mpjpe, t_obj, o_obj, TIGHT),
        "success_intermimic": ~failing.any(axis=0),
        "duration_s": np.where(failing.any(axis=0), failing.argmax(axis=0), len(failing) - 1) / fps,
        "contact_share": _contact_share(rollouts, reference),
        "alive_share": np.asarray(rollouts.alive).mean(axis=0),
        "placed": placed,
    }
    rows: list[dict[str, Any]] = [
        {k: None if v is None else v[n].item() for k, v in columns.items()} for n in range(len(mpjpe))
    ]
    return [Scores(**row) for row in rows]


def summary(scores: list[Scores]) -> dict[str, float | int | None]:
    """Means over several rollouts; of what is true or false, rates: `success_rate`, `parity_rate`, and so on."""
    rows = [asdict(s) for s in scores]
    return {"rollouts": len(rows)} | {rate_name(key): _mean([r[key] for r in rows]) for key in rows[0]}


def rate_name(key: str) -> str:
    """What the mean of a score over rollouts is called."""
    if key in ("success", "parity", "placed"):
        return f"{key}_rate"
    return key.replace("success_", "success_rate_")


def _mean(values: list) -> float | None:
    return None if any(v is None for v in values) else float(np.mean([float(v) for v in values]))


def _within(mpjpe_m: np.ndarray, t_obj_m: np.ndarray | None, o_obj: np.ndarray | None, bounds: Bounds) -> np.ndarray:
    good = mpjpe_m < bounds[0]
    for error, bound in ((t_obj_m, bounds[1]), (o_obj, bounds[2])):
        good = good if error is None else good & (error < bound)
    return good


def _in_place(columns: dict[str, Any]) -> np.ndarray | bool:
    """Whether the object was lifted, and ended, where it should."""
    good = True
    for ratio in (columns["lift_ratio"], columns["end_ratio"]):
        good = good if ratio is None else good & (np.abs(ratio - 1) <= LIFT_TOLERANCE)
    if columns["end_ratio"] is None and columns["t_obj_end_mm"] is not None:
        good = good & (columns["t_obj_end_mm"] < 1e3 * END_M)
    return good


def _followed(rollouts: Rollouts, reference: Reference) -> np.ndarray:
    """Whether the joints' mean error stays below the paper's bound in every frame, (N,)."""
    return (_errors_m(rollouts, reference).mean(axis=-1) < PAPER[0]).all(axis=0)


def _errors_m(rollouts: Rollouts, reference: Reference) -> np.ndarray:
    """Distance of each joint to its reference, (T, N, 52)."""
    away = np.asarray(rollouts.frames.position, float) - np.asarray(reference.position)[:, None]
    return _finite(np.linalg.norm(away, axis=-1), 1.0)


def _human(rollouts: Rollouts, reference: Reference) -> dict[str, np.ndarray | None]:
    position, wanted = np.asarray(rollouts.frames.position, float), np.asarray(reference.position)[:, None]
    error = 1e3 * _errors_m(rollouts, reference)
    relative = position - position[:, :, :1] - (wanted - wanted[:, :, :1])
    return {
        "mpjpe_body_mm": error[..., BODY].mean(axis=(0, 2)),
        "mpjpe_hand_mm": error[..., HANDS].mean(axis=(0, 2)) if error.shape[-1] > BODY.stop else None,
        "mpjpe_all_mm": error.mean(axis=(0, 2)),
        "mpjpe_all_root_relative_mm": 1e3 * _finite(np.linalg.norm(relative, axis=-1), 1.0).mean(axis=(0, 2)),
        "t_root_mm": error[..., 0].mean(axis=0),
    }


def _object(rollouts: Rollouts, reference: Reference) -> dict[str, np.ndarray | None]:
    t_obj, o_obj = _object_errors(rollouts, reference)
    if t_obj is None or o_obj is None:
        return dict.fromkeys(("t_obj_mm", "t_obj_end_mm", "o_obj_rad", "lift_ratio", "end_ratio"))
    return {
        "t_obj_mm": 1e3 * t_obj.mean(axis=0),
        "t_obj_end_mm": 1e3 * t_obj[-1],
        "o_obj_rad": o_obj.mean(axis=0),
        "lift_ratio": _lift_ratio(rollouts, reference),
        "end_ratio": _height_ratio(rollouts, reference, len(t_obj) - 1),
    }


def _object_errors(rollouts: Rollouts, reference: Reference) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Distance in metres and angle in radians of the object to its reference, (T, N) each."""
    if reference.object_position is None or rollouts.frames.object_position is None:
        return None, None
    where = np.asarray(rollouts.frames.object_position, float) - np.asarray(reference.object_position)[:, None]
    turned = np.asarray(rollouts.frames.object_rotation, float)
    angle = rot.angle_between(turned, np.broadcast_to(np.asarray(reference.object_rotation)[:, None], turned.shape))
    return _finite(np.linalg.norm(where, axis=-1), 1.0), _finite(angle, np.pi)


def _upright(rollouts: Rollouts, reference: Reference) -> np.ndarray:
    """Whether the object's turn is on average below `TURNED_RAD`, (N,)."""
    turned, wanted = np.asarray(rollouts.frames.object_rotation, float), np.asarray(reference.object_rotation, float)
    wanted = np.broadcast_to(wanted[:, None], turned.shape)
    angle = rot.angle_between(turned, wanted)
    if reference.object_round is not None and bool(reference.object_round):
        # the axis is the object's own that stood upright at its start
        axis = rot.rotate_inverse(np.asarray(reference.object_start, float)[3:], np.array([0.0, 0.0, 1.0]))
        lean = [rot.rotate(q, np.broadcast_to(axis, q[..., :3].shape)) for q in (turned, wanted)]
        angle = np.arccos(np.clip((lean[0] * lean[1]).sum(axis=-1), -1.0, 1.0))
    return _finite(angle, np.pi).mean(axis=0) < TURNED_RAD


def _placed(rollouts: Rollouts, reference: Reference) -> np.ndarray | None:
    """Whether the object ends within 5 cm of where the clip has it, as seen from the target, (N,)."""
    if rollouts.target is None or reference.object_position is None or np.asarray(reference.contact)[-1].max() > 0.5:
        return None
    first, last = (np.asarray(rollouts.target, float)[t] for t in (0, -1))
    wanted = rot.rotate_inverse(first[:, 3:], np.asarray(reference.object_position, float)[-1] - first[:, :3])
    found = np.asarray(rollouts.frames.object_position, float)[-1] - last[:, :3]
    return _finite(np.linalg.norm(rot.rotate_inverse(last[:, 3:], found) - wanted, axis=-1), 1.0) < END_M


def _failing(rollouts: Rollouts, reference: Reference) -> np.ndarray:
    """InterMimic's failure, (T, N)."""
    position = np.asarray(rollouts.frames.position, float)
    failing = (_errors_m(rollouts, reference).mean(axis=-1) > FAIL_M) | (_finite(position[:, :, 0, 2], 0.0) < FALLEN_M)
    t_obj, _ = _object_errors(rollouts, reference)
    return failing if t_obj is None else failing | (t_obj > FAIL_M)


def _lift_ratio(rollouts: Rollouts, reference: Reference) -> np.ndarray | None:
    """Height gained over what the reference gains at the last frame where that is (nearly) all; None without lift."""
    height = np.asarray(reference.object_position)[:, 2]
    gained = height - height[0]
    if gained.max() < LIFTED_M:
        return None
    return _height_ratio(rollouts, reference, int(np.flatnonzero(gained >= 0.95 * gained.max())[-1]))


def _height_ratio(rollouts: Rollouts, reference: Reference, t: int) -> np.ndarray | None:
    """Height change of the object until frame t over the reference's, (N,); None where that is below 2 cm."""
    height, z = (np.asarray(x, float)[..., 2] for x in (reference.object_position, rollouts.frames.object_position))
    if abs(height[t] - height[0]) < LIFTED_M:
        return None
    return _finite((z[t] - z[0]) / (height[t] - height[0]), 0.0)


def _contact_share(rollouts: Rollouts, reference: Reference) -> np.ndarray | None:
    """Share of the reference's contact frames in which that hand really feels the object, (N,)."""
    wanted = np.asarray(reference.contact)[:, None] > 0.5
    if not wanted.any():
        return None
    felt = (np.asarray(rollouts.frames.contact_n) > FELT_N).any(axis=-1)
    return (felt & wanted).sum(axis=(0, 2)) / wanted.sum()


def _finite(x: np.ndarray, otherwise: float) -> np.ndarray:
    return np.where(np.isfinite(x), x, otherwise)
