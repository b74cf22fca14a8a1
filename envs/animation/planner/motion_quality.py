"""What makes a clip fit to imitate, measured: nothing interpenetrates, the grasp touches, the body could stand."""

from dataclasses import asdict, dataclass

import mujoco
import numpy as np

from devi_jax.core.clip import Clip
from devi_jax.core.rotations import angle_between
from devi_jax.core.skeleton import HAND_BODIES, INDEX, JOINTS, SIDES, TIPS
from envs.animation.kinematics.posed_scene import PosedScene, distance, kinematics
from envs.animation.kinematics.support_polygon import balance_margin
from envs.animation.kinematics.to_clip import postures_of_clip


@dataclass(frozen=True)
class MotionQuality:
    """Worst values over a clip. Penetrations are zero where nothing overlaps.

    `self_penetration_mm`: forearms and hands against trunk and thighs;
    `palm_gap_mm`, `tip_gap_mm`: palm, and last phalanges, from the object while the hand is in contact;
    `opposition_deg`: angle about the object's axis between the thumb and index and middle finger, at contact;
    `joint_step_rad`: largest turn of a joint in one frame; `balance_margin_mm`: see `balance_margin`.
    """

    hand_object_penetration_mm: float
    hand_table_penetration_mm: float
    body_table_penetration_mm: float
    floor_penetration_mm: float
    self_penetration_mm: float
    palm_gap_mm: float
    tip_gap_mm: float
    opposition_deg: float
    foot_slip_mm: float
    wrist_speed_m_s: float
    joint_step_rad: float
    balance_margin_mm: float


@dataclass(frozen=True)
class QualityLimits:
    """The worst a bundled clip may be; fields as in `MotionQuality`, `least_*` are lower bounds."""

    penetration_mm: float = 2.0
    self_penetration_mm: float = 2.0
    palm_gap_mm: float = 8.0
    tip_gap_mm: float = 2.0
    least_opposition_deg: float = 120.0
    foot_slip_mm: float = 1.0
    wrist_speed_m_s: float = 1.5
    joint_step_rad: float = 0.2
    least_balance_margin_mm: float = 20.0


def measure_quality(stage: PosedScene, clip: Clip) -> MotionQuality:
    """Measure a clip on the stage's human; the clip needs object poses and at least one frame of contact."""
    qpos = postures_of_clip(stage, clip)
    frames = [kinematics(stage, q) for q in qpos]
    hands = [JOINTS[i] for hand in HAND_BODIES for i in hand]
    others = [g for g in _human_geoms(stage) if g not in hands]
    arms = [*hands, *(f"{side}_elbow" for side in SIDES)]
    trunk = [g for g in others if g.startswith(("pelvis", "spine")) or g.endswith("_hip")]
    feet = clip.joint_positions[:, [INDEX[f"{side}_ankle"] for side in SIDES]]
    wrists = clip.joint_positions[:, [INDEX[f"{side}_wrist"] for side in SIDES]]
    touching = [(frames[t], SIDES[k]) for t, k in np.argwhere(clip.contact > 0.5)]
    return MotionQuality(
        hand_object_penetration_mm=_penetration(stage, frames, hands, "object"),
        hand_table_penetration_mm=_penetration(stage, frames, hands, "table"),
        body_table_penetration_mm=_penetration(stage, frames, others, "table"),
        floor_penetration_mm=_penetration(stage, frames, others, "floor"),
        self_penetration_mm=max(_penetration(stage, frames, arms, part) for part in trunk),
        palm_gap_mm=1e3 * max(distance(stage, d, f"{side}_wrist", "object") for d, side in touching),
        tip_gap_mm=1e3 * max(distance(stage, d, tip, "object") for d, side in touching for tip in _tips(side)),
        opposition_deg=min(_opposition(d, side) for d, side in touching),
        foot_slip_mm=1e3 * float(np.linalg.norm(feet - feet[0], axis=-1).max()),
        wrist_speed_m_s=clip.fps * float(np.linalg.norm(np.diff(wrists, axis=0), axis=-1).max()),
        joint_step_rad=float(angle_between(clip.joint_rotations[1:], clip.joint_rotations[:-1]).max()),
        balance_margin_mm=1e3 * min(balance_margin(stage, q) for q in qpos),
    )


def quality_faults(quality: MotionQuality, limits: QualityLimits = QualityLimits()) -> tuple[str, ...]:
    """What exceeds its limit, one readable line each; empty for a fit clip."""
    measured, allowed = asdict(quality), asdict(limits)
    upper = {k: allowed.get(k, limits.penetration_mm) for k in measured if f"least_{k}" not in allowed}
    lower = {k: allowed[f"least_{k}"] for k in measured if f"least_{k}" in allowed}
    high = [f"{k} is {measured[k]:.3g}, allowed is at most {v:g}" for k, v in upper.items() if not measured[k] <= v]
    low = [f"{k} is {measured[k]:.3g}, allowed is at least {v:g}" for k, v in lower.items() if not measured[k] >= v]
    return (*high, *low)


def _penetration(stage: PosedScene, frames: list[mujoco.MjData], geoms: list[str], other: str) -> float:
    if other == "table" and stage.scene.table is None:
        return 0.0
    return max(0.0, -1e3 * min(distance(stage, data, geom, other) for data in frames for geom in geoms))


def _human_geoms(stage: PosedScene) -> list[str]:
    model = stage.model
    human = {model.body(name).id for name in JOINTS}
    return [model.geom(g).name for g in range(model.ngeom) if model.geom_bodyid[g] in human]


def _tips(side: str) -> list[str]:
    return [JOINTS[i] for i in TIPS if JOINTS[i].startswith(side)]


def _opposition(data: mujoco.MjData, side: str) -> float:
    """Degrees between thumb and mean of index and middle finger, seen along the object's own z axis."""
    thing = data.body("object")
    frame = thing.xmat.reshape(3, 3)[:, :2]
    thumb = (data.geom(f"{side}_thumb3").xpos - thing.xpos) @ frame
    fingers = (np.mean([data.geom(f"{side}_{f}3").xpos for f in ("index", "middle")], axis=0) - thing.xpos) @ frame
    return float(np.degrees(np.arccos(thumb @ fingers / (np.linalg.norm(thumb) * np.linalg.norm(fingers)))))
