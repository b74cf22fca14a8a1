"""The paper's metrics (DeVI 5.1, Table 3) and InterMimic's, from rollouts and the reference they should follow.

One definition of every number: reports, films and tables read these.
"""

from dataclasses import asdict, dataclass

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.systems.rollouts import Rollouts
from envs.reference import Reference

BODY, HANDS = slice(0, 22), slice(22, 52)
"""22 body and 30 hand joints: the split under which the paper's own body, hand and all columns agree."""

PAPER = {"mpjpe_m": 0.2, "t_obj_m": 0.2, "o_obj_rad": np.inf}
"""Success in section 5.1."""
TIGHT = {"mpjpe_m": 0.1, "t_obj_m": 0.1, "o_obj_rad": 0.9}
"""The strictest column of Table 3."""

FAIL_M, FALLEN_M = 0.5, 0.15
"""InterMimic's failure: mean human or object error above 0.5 m, or a pelvis below 0.15 m."""


@dataclass(frozen=True)
class Scores:
    """Scores of one rollout. Object scores are `None` for a clip without object poses, lift for one without lift."""

    success_paper: bool
    success_tight: bool
    mpjpe_body_mm: float
    mpjpe_hand_mm: float
    mpjpe_all_mm: float
    mpjpe_all_root_relative_mm: float
    t_root_mm: float
    t_obj_mm: float | None
    o_obj_rad: float | None
    duration_s: float
    success_intermimic: bool
    lift_ratio: float | None
    contact_share: float | None
    alive_share: float


def score(rollouts: Rollouts, reference: Reference, fps: float) -> list[Scores]:
    """Scores of each of the N rollouts. What is not finite counts as an error of 1 m or pi."""
    human = np.asarray(rollouts.frames.position, float)
    error = _finite(np.linalg.norm(human - np.asarray(reference.position)[:, None], axis=-1), 1.0)
    relative = human - human[:, :, :1] - np.asarray(reference.position - reference.position[:, :1])[:, None]
    relative = _finite(np.linalg.norm(relative, axis=-1), 1.0)
    t_obj, o_obj = _object_errors(rollouts, reference)
    lift = _lift_ratio(rollouts, reference)
    touch = _contact_share(rollouts, reference)
    alive = np.asarray(rollouts.alive)
    out = []
    for n in range(human.shape[1]):
        e = error[:, n]
        mean_obj = None if t_obj is None else float(t_obj[:, n].mean())
        mean_turn = None if o_obj is None else float(o_obj[:, n].mean())
        failing = (e.mean(axis=-1) > FAIL_M) | (_finite(human[:, n, 0, 2], 0.0) < FALLEN_M)
        if t_obj is not None:
            failing |= t_obj[:, n] > FAIL_M
        steps = int(np.argmax(failing)) if failing.any() else len(failing) - 1
        out.append(
            Scores(
                success_paper=_success(e.mean(), mean_obj, mean_turn, PAPER),
                success_tight=_success(e.mean(), mean_obj, mean_turn, TIGHT),
                mpjpe_body_mm=1e3 * float(e[:, BODY].mean()),
                mpjpe_hand_mm=1e3 * float(e[:, HANDS].mean()),
                mpjpe_all_mm=1e3 * float(e.mean()),
                mpjpe_all_root_relative_mm=1e3 * float(relative[:, n].mean()),
                t_root_mm=1e3 * float(e[:, 0].mean()),
                t_obj_mm=None if mean_obj is None else 1e3 * mean_obj,
                o_obj_rad=mean_turn,
                duration_s=steps / fps,
                success_intermimic=not bool(failing.any()),
                lift_ratio=None if lift is None else float(lift[n]),
                contact_share=None if touch is None else float(touch[n]),
                alive_share=float(alive[:, n].mean()),
            )
        )
    return out


def summary(scores: list[Scores]) -> dict[str, float | int | None]:
    """Rates of success and means of all other scores over several rollouts."""
    rows = [asdict(s) for s in scores]
    out: dict[str, float | int | None] = {
        "rollouts": len(rows),
        "success_rate": _mean([r["success_paper"] for r in rows]),
    }
    if rows[0]["lift_ratio"] is not None:
        kept = [r["success_paper"] and abs(r["lift_ratio"] - 1) <= 0.3 for r in rows]
        out["success_lift_rate"] = _mean(kept)
    for key in rows[0]:
        out[key.replace("success_", "success_rate_")] = _mean([r[key] for r in rows])
    return out


def _mean(values: list) -> float | None:
    return None if any(v is None for v in values) else float(np.mean([float(v) for v in values]))


def _success(mpjpe_m: float, t_obj_m: float | None, o_obj_rad: float | None, bounds: dict[str, float]) -> bool:
    return bool(
        mpjpe_m < bounds["mpjpe_m"]
        and (t_obj_m is None or t_obj_m < bounds["t_obj_m"])
        and (o_obj_rad is None or o_obj_rad < bounds["o_obj_rad"])
    )


def _object_errors(rollouts: Rollouts, reference: Reference) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Distance in metres and angle in radians of the object to its reference, (T, N) each."""
    if reference.object_position is None or rollouts.frames.object_position is None:
        return None, None
    where = np.asarray(rollouts.frames.object_position, float) - np.asarray(reference.object_position)[:, None]
    turned = np.asarray(rollouts.frames.object_rotation, float)
    angle = rot.angle_between(turned, np.broadcast_to(np.asarray(reference.object_rotation)[:, None], turned.shape))
    return _finite(np.linalg.norm(where, axis=-1), 1.0), _finite(angle, np.pi)


def _lift_ratio(rollouts: Rollouts, reference: Reference) -> np.ndarray | None:
    """Height the object gained over what the reference gains, (N,), at the last frame where that is (nearly) all."""
    if reference.object_position is None or rollouts.frames.object_position is None:
        return None
    height = np.asarray(reference.object_position)[:, 2] - float(reference.object_position[0, 2])
    if height.max() < 0.02:
        return None
    t = int(np.flatnonzero(height >= 0.95 * height.max())[-1])
    z = np.asarray(rollouts.frames.object_position, float)[..., 2]
    return _finite((z[t] - z[0]) / height[t], 0.0)


def _contact_share(rollouts: Rollouts, reference: Reference) -> np.ndarray | None:
    """Share of the reference's contact frames in which that hand really feels the object, (N,)."""
    wanted = np.asarray(reference.contact)[:, None] > 0.5
    if not wanted.any():
        return None
    felt = (np.asarray(rollouts.frames.contact_n) > 0.05).any(axis=-1)
    return (felt & wanted).sum(axis=(0, 2)) / wanted.sum()


def _finite(x: np.ndarray, otherwise: float) -> np.ndarray:
    return np.where(np.isfinite(x), x, otherwise)
