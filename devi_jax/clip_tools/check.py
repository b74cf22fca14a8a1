"""What a simulator finds about a clip before anyone trains on it: rest, overlap, gaps, feet, open-loop replay."""

from collections.abc import Iterator
from dataclasses import dataclass

import jax
import mujoco
import numpy as np

from devi_jax.clip_tools.reward_factors import FactorRow, reward_factors
from devi_jax.core.clip import Clip
from devi_jax.core.skeleton import INDEX, SIDES
from devi_jax.datasets.clip_quality import ClipFinding
from devi_jax.evaluation.metrics import Scores, score
from devi_jax.evaluation.rollouts import roll, zero_policy
from devi_jax.systems.build import assemble, make_scene
from devi_jax.systems.devi import devi
from envs.animation.repair import PosedClip, pose_clip, resting_drift, stance
from envs.animation.repair.balance import MARGIN_M
from envs.animation.repair.posed_clip import clearances, pose_frame, sole_heights
from envs.physics import HumanRoot
from envs.tracking.env import TrackingEnvironment

ROOTS: tuple[HumanRoot, ...] = ("pinned", "free")
REPAIR = "python -m devi_jax.clips repair CLIP --out=REPAIRED.npz"
REST_MM, REST_DEG = 2.0, 3.0
"""An object that moves or turns more in two seconds alone does not rest where the clip says."""
OVERLAP_MM, GAP_MM = 5.0, 10.0
"""Hands deeper in the object than this eject it; farther away than this they do not hold it."""
SOLE_MM = 5.0
AIR_MM = 20.0
"""A body whose lowest sole is higher than this at first falls before it does anything."""
BALANCE_MM = 1e3 * MARGIN_M - 1
"""What the repair leaves between the centre of mass and the edge of the soles, but for a millimetre."""


def examine(clip: Clip) -> tuple[list[ClipFinding], list[FactorRow]]:
    """All that posing and simulating the clip shows, and what DeVI's reward tells of it; takes some seconds, most of
    them to compile the replays."""
    worlds = {root: assemble(devi("cpu"), clip, "c", root).environment for root in ROOTS}
    findings = [*_of_posture(clip), *_of_rest(clip), *(f for r in ROOTS for f in _of_replay(worlds[r], r))]
    return findings, reward_factors(worlds["pinned"])


def replay_scores(environment: TrackingEnvironment) -> Scores:
    """Scores of the clip's PD targets replayed open loop from the exact start: no policy."""
    return score(roll(environment, zero_policy(), jax.random.key(0)), environment.reference, environment.policy_hz)[0]


def _of_posture(clip: Clip) -> Iterator[ClipFinding]:
    posed = pose_clip(make_scene(clip, "free"), clip)
    seen = _survey(posed)
    yield ClipFinding("soles below the floor", -1e3 * seen.soles.min(), "mm", -np.inf, SOLE_MM, f"lift them: {REPAIR}")
    above = 1e3 * seen.soles.min(axis=(1, 2))
    lands = np.flatnonzero(above <= AIR_MM)
    advice = f"begins in the air: cut with convert --start={lands[0]}" if lands.size else f"never lands: {REPAIR}"
    yield ClipFinding("soles above the floor at first", above[0], "mm", -np.inf, AIR_MM, advice)
    margin = stance(posed, clip.fps).worst
    if np.isfinite(margin):  # somebody stands
        advice = f"would fall where it stands; bring its mass over its feet: {REPAIR}"
        yield ClipFinding("balance margin", 1e3 * margin, "mm", BALANCE_MM, 1e3, advice)
    yield ClipFinding(
        "arm stretched", 100 * _stretch(clip), "%", 0, 102, "farther than its arm: convert the source again"
    )
    if posed.stage.scene.table is not None:
        deepest = 1e3 * max(0.0, -seen.table.min())
        frame = int(seen.table.min(axis=1).argmin())
        yield ClipFinding(
            "hand in the table", deepest, "mm", 0, OVERLAP_MM, f"deepest at frame {frame}: check the table"
        )
    for s, side in enumerate(SIDES):
        touching = clip.contact[:, s] > 0.5
        if posed.parts.size and clip.object_poses is not None and touching.any():
            nearest = 1e3 * seen.object[touching, s].min(axis=1)
            advice = f"take it out: {REPAIR}"
            yield ClipFinding(f"{side} hand in the object", max(0.0, -nearest.min()), "mm", 0, OVERLAP_MM, advice)
            advice = "holds nothing: check labels and mesh, or let training plan a grasp"
            yield ClipFinding(
                f"{side} hand off the object in contact", max(0.0, nearest.max()), "mm", 0, GAP_MM, advice
            )


@dataclass(frozen=True)
class _Survey:
    """Over frames, metres: heights of soles (T, 2, 3), distances of the hands' bodies from the object (T, 2, 16) and
    from the table (T, 32)."""

    soles: np.ndarray
    object: np.ndarray
    table: np.ndarray


def _survey(posed: PosedClip) -> _Survey:
    model, data = posed.stage.model, mujoco.MjData(posed.stage.model)
    table = np.array([model.geom("table").id] if posed.stage.scene.table is not None else [], int)
    both = np.concatenate(posed.hands)
    rows = []
    for t in range(posed.frames):
        pose_frame(posed, t, data)
        rows.append(
            (
                sole_heights(posed, data),
                np.stack([clearances(model, data, hand, posed.parts) for hand in posed.hands]),
                clearances(model, data, both, table),
            )
        )
    return _Survey(*(np.array(column) for column in zip(*rows, strict=True)))


def _stretch(clip: Clip) -> float:
    """Largest distance from shoulder to wrist over the length of the arm."""

    def apart(a: str, b: str) -> np.ndarray:
        return np.linalg.norm(clip.joint_positions[:, INDEX[a]] - clip.joint_positions[:, INDEX[b]], axis=-1)

    shares = []
    for side in SIDES:
        shoulder, elbow, wrist = (f"{side}_{part}" for part in ("shoulder", "elbow", "wrist"))
        length = np.median(apart(shoulder, elbow)) + np.median(apart(elbow, wrist))
        shares.append(apart(shoulder, wrist).max() / length)
    return float(max(shares))


def _of_rest(clip: Clip) -> Iterator[ClipFinding]:
    if clip.scene.object is None or clip.object_start is None or clip.onset == 0:
        return
    found = resting_drift(make_scene(clip, "free"), clip.object_start)
    advice = f"does not rest where it starts; infer and level the table: {REPAIR}"
    yield ClipFinding("object moves in 2 s at rest", 1e3 * found.moved_m, "mm", 0, REST_MM, advice)
    yield ClipFinding("object turns in 2 s at rest", float(np.degrees(found.turned_rad)), "deg", 0, REST_DEG, advice)


def _of_replay(environment: TrackingEnvironment, root: HumanRoot) -> Iterator[ClipFinding]:
    """Open-loop replay of the PD targets; its success is bounded as that of policies is."""
    scores = replay_scores(environment)
    advice = f"not by itself: training has to {'plan the grasp' if root == 'pinned' else 'balance and plan'}"
    if scores.success is not None:
        yield ClipFinding(f"replay, {root}: succeeds", float(scores.success), "", 1, 1, advice)
    yield ClipFinding(f"replay, {root}: MPJPE", scores.mpjpe_all_mm, "mm", 0, 200, advice)
    if scores.t_obj_mm is not None:
        yield ClipFinding(f"replay, {root}: T_obj", scores.t_obj_mm, "mm", 0, 200, advice)
    if scores.lift_ratio is not None:
        yield ClipFinding(f"replay, {root}: lift over the clip's", scores.lift_ratio, "", 0.7, 1.3, advice)
