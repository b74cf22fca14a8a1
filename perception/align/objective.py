"""The objective of visual HOI alignment (Eq. 10) for one motion and its evidence: constants, and terms by name."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from devi_jax.core import rotations as rot
from devi_jax.core.skeleton import HAND_BODIES, JOINTS, TIPS, joint_class
from perception.align import losses
from perception.align.config import AlignConfig, optimised
from perception.human import so3
from perception.human.evidence import Evidence, Landmarks2D
from perception.human.kinematics import forward, points
from perception.human.motion import SkeletonMotion
from perception.human.skeleton_points import fingertips, fingertips_of

SURFACE, REACHED = 800, 3000
"""At most about so many points stand for the surface of an object that is held, and of one that is reached for."""


@dataclass(frozen=True)
class ObservedPoints:
    """2D joints as tensors: `px` (T, L, 2), `confidence` (T, L), `points` (L,)."""

    px: Tensor
    confidence: Tensor
    points: list[int]


@dataclass(frozen=True)
class ReachTerm:
    """Eq. 14 for one hand: its `parts` among the 62 points, the object's surface (P, 3), the frames that count."""

    parts: list[int]
    surface: Tensor
    frames: slice
    every: bool


@dataclass(frozen=True)
class HoldTerm:
    """One hold: the hand's fingertips `parts` and its `palm` among the 62 points, frames (F,), the object there."""

    parts: list[int]
    palm: list[int]
    frames: Tensor
    turn: Tensor
    at: Tensor
    surface: Tensor

    def inside(self, at: Tensor, which: list[int]) -> Tensor:
        """Points (F, A, 3) in the object's frame."""
        return (at[self.frames][:, which] - self.at[:, None]) @ self.turn


@dataclass(frozen=True)
class AlignmentProblem:
    """All that stays constant while corrections `tangent` (T, V, 3) of the joints `moving` (V,) change."""

    local: Tensor
    root: Tensor
    offsets: Tensor
    tips: Tensor
    K: Tensor
    T_camera_world: Tensor
    moving: Tensor
    stiffness: Tensor
    free: Tensor
    body: ObservedPoints
    hands: ObservedPoints
    reaches: tuple[ReachTerm, ...]
    holds: tuple[HoldTerm, ...]


def make_problem(motion: SkeletonMotion, evidence: Evidence, config: AlignConfig) -> AlignmentProblem:
    """Tensors of `motion` and `evidence`; with `pin_first` the first frame becomes the scene's pose."""
    quats, free = rot.quat_normalise(motion.rotations), np.ones((motion.frames, 1, 1))
    offsets, root = motion.offsets, motion.root.copy()
    if config.pin_first and evidence.first is not None:
        quats[0], root[0], free[0] = evidence.first.rotations, evidence.first.root, 0.0
    moving = optimised(config)
    spine = [joint_class(JOINTS[i]) == "spine" or "collar" in JOINTS[i] for i in moving]
    return AlignmentProblem(
        local=_tensor(rot.quat_to_matrix(quats)),
        root=_tensor(root),
        offsets=_tensor(offsets),
        tips=_tensor(fingertips(offsets)),
        K=_tensor(evidence.camera.K),
        T_camera_world=_tensor(evidence.camera.T_camera_world),
        moving=torch.tensor(moving),
        stiffness=_tensor(np.where(spine, config.spine_stiffness, 1.0)),
        free=_tensor(free),
        body=_seen(evidence.body),
        hands=_seen(evidence.hands),
        reaches=_reaches(evidence, config),
        holds=_holds(evidence, config),
    )


def corrected(problem: AlignmentProblem, tangent: Tensor) -> Tensor:
    """Local rotations (T, 52, 3, 3) with the corrections (T, V, 3) applied: `R exp(w)`."""
    moved = problem.local[:, problem.moving] @ so3.exp(tangent * problem.free)
    return problem.local.index_copy(1, problem.moving, moved)


def weighted_terms(problem: AlignmentProblem, tangent: Tensor, config: AlignConfig) -> dict[str, Tensor]:
    """The weighted terms whose sum is Eq. 10, and those beyond it."""
    local = corrected(problem, tangent)
    at = points(*forward(local, problem.root, problem.offsets), problem.tips)
    every = local[:, problem.moving]
    reduce = torch.mean if config.reduction == "mean" else torch.sum
    out = {
        "body": config.weight_body * reduce(_projected(problem, at, problem.body, config.limit_px)),
        "hand": config.weight_hand * reduce(_projected(problem, at, problem.hands, config.limit_px)),
        "temporal": config.weight_temporal * reduce(_temporal(every, problem.moving)),
        "departure": config.weight_departure * losses.deviation(tangent, problem.stiffness),
        "unrest": config.weight_unrest * losses.deviation_change(tangent),
    }
    if problem.reaches:
        away = [_reached(at, reach, config) for reach in problem.reaches]
        out["hoi"] = config.weight_hoi * torch.stack(away).sum()
    if problem.holds:
        inside = [(hold, hold.inside(at, hold.parts), hold.inside(at, hold.palm)) for hold in problem.holds]
        away = [losses.chamfer_to_surface(tips, hold.surface, config.clearance_m).mean() for hold, tips, _ in inside]
        out["held"] = config.weight_hoi * torch.stack(away).sum()
        out["carry"] = config.weight_carry * torch.stack([losses.slip(palm) for _, _, palm in inside]).sum()
    return out


def _projected(problem: AlignmentProblem, at: Tensor, seen: ObservedPoints, limit_px: float) -> Tensor:
    px = losses.project(at[:, seen.points], problem.K, problem.T_camera_world)
    return losses.reprojection(px, seen.px, seen.confidence, limit_px)


def _temporal(local: Tensor, moving: Tensor) -> Tensor:
    """Eq. 13 has one sum over the body's joints and one over the hands'."""
    hand = torch.isin(moving, torch.tensor(HAND_BODIES).reshape(-1))
    return losses.geodesic_step(local[:, ~hand]) + losses.geodesic_step(local[:, hand])


def _reached(at: Tensor, reach: ReachTerm, config: AlignConfig) -> Tensor:
    distance = losses.chamfer_to_surface(at[reach.frames, reach.parts], reach.surface, config.clearance_m)
    return distance.mean() if reach.every else losses.min_over_time(distance, config.softness_m)


def _reaches(evidence: Evidence, config: AlignConfig) -> tuple[ReachTerm, ...]:
    touch = evidence.touch
    if touch is None or touch.moves == 0:
        return ()
    every = config.reach == "onset" and touch.onset is not None and touch.onset < touch.moves
    frames = slice(touch.onset if every else 0, touch.moves if every else touch.moves + config.margin_frames)
    surface = _thinned(touch.points, REACHED)
    return tuple(ReachTerm(_parts(side, config.parts), surface, frames, every) for side in touch.hands)


def _holds(evidence: Evidence, config: AlignConfig) -> tuple[HoldTerm, ...]:
    carried = evidence.carried
    if carried is None or not config.carry:
        return ()
    return tuple(
        HoldTerm(
            parts=_parts(side, config.parts),
            palm=[i for i in HAND_BODIES[side] if i not in TIPS],
            frames=torch.tensor(frames),
            turn=_tensor(rot.quat_to_matrix(carried.rotations[frames])),
            at=_tensor(carried.positions[frames]),
            surface=_thinned(carried.surface, SURFACE),
        )
        for side, frames in carried.holds
    )


def _thinned(points: np.ndarray, most: int) -> Tensor:
    return _tensor(points[:: max(1, len(points) // most)])


def _parts(side: int, parts: str) -> list[int]:
    if parts == "hand":
        return list(HAND_BODIES[side])
    return list(fingertips_of(side))


def _seen(seen: Landmarks2D) -> ObservedPoints:
    return ObservedPoints(_tensor(seen.px), _tensor(seen.confidence), list(seen.points))


def _tensor(x: np.ndarray) -> Tensor:
    return torch.tensor(x, dtype=torch.float32)
