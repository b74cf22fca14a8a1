"""Trunk and arms that show their joints where they are seen, with the least turning away from the first frame.

The network's own depth of elbow and wrist is not used: with it, in any weight, wrists came out no better.
"""

from dataclasses import dataclass

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.camera import Camera, project
from devi_jax.core.clip import forward_kinematics, global_rotations
from devi_jax.core.skeleton import INDEX, PARENTS
from perception.human.chain_solver import bend, right_jacobian, solve_chain
from perception.human.evidence import FirstPose, Landmarks2D

MOVING = ("spine1", "spine2", "spine3", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow")


@dataclass(frozen=True)
class PostureConfig:
    """What weighs how much: each term is a square over its standard deviation."""

    turn_rad: float = 0.7
    """How far a shoulder or an elbow turns away from the first frame."""
    spine_turn_rad: float = 0.15
    """The same of each joint of the spine."""
    step_rad: float = 0.05
    """By how much that changes from frame to frame, at 30 frames a second."""
    iterations: int = 60
    tolerance: float = 1e-4
    """Enough when no rotation vector moves more, in radians, or the objective falls by less than this part."""


@dataclass(frozen=True)
class BasePose:
    """What rotation vectors start from: `rotations` (T, 52, 4), `root` (T, 3), `offsets` (52, 3)."""

    rotations: np.ndarray
    root: np.ndarray
    offsets: np.ndarray


@dataclass(frozen=True)
class Anchors:
    """Joints whose place is known: `points` (A,) at `xyz` (T, A, 3) metres, by `weight` (T, A), one over variance."""

    points: tuple[int, ...]
    xyz: np.ndarray
    weight: np.ndarray


def base_pose(first: FirstPose, frames: int) -> BasePose:
    """The first frame's pose in all frames."""
    return BasePose(np.tile(first.rotations, (frames, 1, 1)), np.tile(first.root, (frames, 1)), first.offsets)


NO_ANCHORS = Anchors((), np.zeros((1, 0, 3)), np.zeros((1, 0)))


def fit_posture(
    seen: Landmarks2D,
    sigma_px: np.ndarray,
    camera: Camera,
    base: BasePose,
    fps: float,
    config: PostureConfig,
    anchors: Anchors = NO_ANCHORS,
) -> np.ndarray:
    """Rotations (T, 52, 4) of all joints; those beside `MOVING` stay as in `base`.

    Levenberg and Marquardt over the whole clip: the prior is linear in the rotation vectors, only pixels are not.

    Args:
        seen: pixels whose constant offsets are taken out, as (T, L).
        sigma_px: standard deviation (L,) of each point.
        base: what is turned as little as can be.
        anchors: where joints are known to be in space.
    """
    moving = [INDEX[name] for name in MOVING]
    frames, size = len(seen.px), 3 * len(moving)
    turn = np.where([n.startswith("spine") for n in MOVING], config.spine_turn_rad, config.turn_rad)
    stiff = np.repeat(turn**-2.0, 3)
    smooth = np.full(size, (config.step_rad * 30 / fps) ** -2.0)
    held = np.broadcast_to(anchors.weight, (frames, len(anchors.points)))
    weight = np.concatenate([np.repeat(seen.confidence / sigma_px**2, 2, axis=1), np.repeat(held, 3, axis=1)], axis=1)
    problem = _Problem(seen, camera, base, anchors, tuple(moving))
    tangent = np.zeros((frames, len(moving), 3))
    damping = 1e-2
    residual, jacobian = _residual(problem, tangent)
    cost = _cost(residual, tangent, weight, stiff, smooth)
    for _ in range(config.iterations):
        weighted = jacobian * weight[..., None]
        hessian = np.einsum("tri,trj->tij", weighted, jacobian) + np.diag(stiff)
        x = tangent.reshape(frames, size)
        gradient = np.einsum("tri,tr->ti", weighted, residual) + stiff * x - smooth * bend(x)
        damped = hessian + damping * np.einsum("tii,ij->tij", hessian, np.eye(size))
        tried = tangent - solve_chain(damped, smooth, gradient).reshape(tangent.shape)
        then, slope = _residual(problem, tried)
        now = _cost(then, tried, weight, stiff, smooth)
        if now > cost:
            damping *= 8
            continue
        moved, settled = float(np.abs(tried - tangent).max()), cost - now < config.tolerance * cost
        tangent, residual, jacobian, cost, damping = tried, then, slope, now, damping / 4
        if moved < config.tolerance or settled:
            break
    return _turned(problem, tangent)


def _cost(
    residual: np.ndarray, tangent: np.ndarray, weight: np.ndarray, stiff: np.ndarray, smooth: np.ndarray
) -> float:
    x = tangent.reshape(len(tangent), -1)
    return float((weight * residual**2).sum() + (stiff * x**2).sum() + (smooth * np.diff(x, axis=0) ** 2).sum())


@dataclass(frozen=True)
class _Problem:
    """What stays the same while rotation vectors change."""

    seen: Landmarks2D
    camera: Camera
    base: BasePose
    anchors: Anchors
    moving: tuple[int, ...]


def _turned(problem: _Problem, tangent: np.ndarray) -> np.ndarray:
    moving = list(problem.moving)
    local = problem.base.rotations.copy()
    local[:, moving] = rot.quat_mul(local[:, moving], rot.quat_exp(tangent))
    return local


def _residual(problem: _Problem, tangent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels and metres less what they should be (T, 2L + 3A), and that by the rotation vectors (T, ., 3V)."""
    frames, seen, camera, anchors = len(tangent), problem.seen, problem.camera, problem.anchors
    local = _turned(problem, tangent)
    at = forward_kinematics(local, problem.base.root, problem.base.offsets)
    points = at[:, list(seen.points)]
    moved = _moved(problem, local, tangent, at)
    px, depth = project(points, camera.K, camera.T_camera_world)
    focal, axes = camera.K[[0, 1], [0, 1]], camera.T_camera_world[:3, :3]
    ray = (px - camera.K[:2, 2]) / focal
    slope = (axes[:2] - ray[..., None] * axes[2]) * (focal[:, None] / depth[..., None, None])
    flat = (slope @ moved[:, : len(seen.points)]).reshape(frames, 2 * len(seen.points), -1)
    away = (at[:, list(anchors.points)] - anchors.xyz).reshape(frames, -1)
    jacobian = np.concatenate(
        [flat, moved[:, len(seen.points) :].reshape(frames, away.shape[1], flat.shape[2])], axis=1
    )
    return np.concatenate([(px - seen.px).reshape(frames, -1), away], axis=1), jacobian


def _moved(problem: _Problem, local: np.ndarray, tangent: np.ndarray, at: np.ndarray) -> np.ndarray:
    """How points and anchored joints move in the world as rotation vectors change, (T, L + A, 3, 3V)."""
    moving, points = problem.moving, (*problem.seen.points, *problem.anchors.points)
    turn = rot.quat_to_matrix(global_rotations(local)[:, list(moving)]) @ right_jacobian(tangent)
    out = np.zeros((len(local), len(points), 3, len(moving), 3))
    for v, joint in enumerate(moving):
        for k, point in enumerate(points):
            if _above(joint, point):
                lever = (at[:, point] - at[:, joint])[:, :, None]
                out[:, k, :, v] = np.cross(turn[:, v], lever, axisa=1, axisb=1, axisc=1)
    return out.reshape(len(local), len(points), 3, -1)


def _above(joint: int, point: int) -> bool:
    """Whether turning `joint` moves `point`."""
    while PARENTS[point] >= 0:
        point = PARENTS[point]
        if point == joint:
            return True
    return False
