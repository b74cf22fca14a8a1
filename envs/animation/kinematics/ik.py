"""Whole-body inverse kinematics: the posture nearest to a given one with hands, feet and balance where they must be.

Damped least squares on MuJoCo's Jacobians with the posture in the null space; tasks are met exactly where reachable.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import mujoco
import numpy as np

from devi_jax.core.errors import ClipError
from devi_jax.core.rotations import matrix_to_quat, quat_log
from envs.animation.kinematics.posed_scene import PosedScene


@runtime_checkable
class Task(Protocol):
    """A constraint on the posture: `residual` gives what is missing (k,) and its Jacobian (k, nv)."""

    def residual(self, model: mujoco.MjModel, data: mujoco.MjData) -> tuple[np.ndarray, np.ndarray]:
        """Missing displacement (k,), metres or radians, and how each degree of freedom moves it (k, nv)."""
        ...


@dataclass(frozen=True)
class FrameTask:
    """Bring `point` (3,) of a body's frame to `position` (3,) in the world, the body turned as `rotation` (3, 3)."""

    body: str
    position: np.ndarray
    rotation: np.ndarray
    point: np.ndarray

    def residual(self, model: mujoco.MjModel, data: mujoco.MjData) -> tuple[np.ndarray, np.ndarray]:
        """Six numbers: translation in metres, then rotation in radians (world axes)."""
        body = model.body(self.body).id
        turned = data.xmat[body].reshape(3, 3)
        at = data.xpos[body] + turned @ self.point
        moves, turns = np.zeros((3, model.nv)), np.zeros((3, model.nv))
        mujoco.mj_jac(model, data, moves, turns, at, body)
        turn = quat_log(matrix_to_quat(self.rotation @ turned.T))
        return np.concatenate([self.position - at, turn]), np.concatenate([moves, turns])


@dataclass(frozen=True)
class CenterOfMassTask:
    """Bring the human's centre of mass over `ground` (2,), metres."""

    ground: np.ndarray

    def residual(self, model: mujoco.MjModel, data: mujoco.MjData) -> tuple[np.ndarray, np.ndarray]:
        """Two numbers: the horizontal displacement in metres."""
        pelvis = model.body("pelvis").id
        moves = np.zeros((3, model.nv))
        mujoco.mj_jacSubtreeCom(model, data, moves, pelvis)
        return self.ground - data.subtree_com[pelvis, :2], moves[:2]


@dataclass(frozen=True)
class Solution:
    """A posture (nq,), and the largest residual of any task in metres or radians."""

    qpos: np.ndarray
    residual: float


def solve(
    stage: PosedScene,
    tasks: Sequence[Task],
    rest: np.ndarray,
    mobility: np.ndarray,
    start: np.ndarray | None = None,
    iterations: int = 60,
) -> Solution:
    """Posture meeting `tasks` with the least sum of squared differences from `rest` (nq,), weighted by 1 / `mobility`.

    `mobility` (nv,): how readily each degree of freedom leaves `rest`; zero never does. `start` (nq,) is where the
    iteration begins (`rest` by default): it changes the speed, not the answer, for tasks within reach.
    """
    model = stage.model
    data = mujoco.MjData(model)
    data.qpos[:] = rest
    back, largest = np.zeros(model.nv), np.inf
    if start is not None:
        mujoco.mj_differentiatePos(model, back, 1.0, rest, start)
        mujoco.mj_integratePos(model, data.qpos, back * (mobility > 0), 1.0)
    for _ in range(iterations):
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        errors, jacobians = zip(*(task.residual(model, data) for task in tasks), strict=True)
        error, jacobian = np.concatenate(errors), np.concatenate(jacobians)
        largest = float(np.abs(error).max())
        mujoco.mj_differentiatePos(model, back, 1.0, data.qpos, rest)
        back *= _PULL * (mobility > 0)
        # least |step - back| in the metric 1 / mobility subject to jacobian @ step = error
        weighted = jacobian * mobility
        damped = weighted @ jacobian.T + _DAMPING * np.eye(len(error))
        step = back + weighted.T @ np.linalg.solve(damped, error - jacobian @ back)
        largest_step = np.abs(step).max()
        mujoco.mj_integratePos(model, data.qpos, step, min(1.0, _LARGEST_STEP / max(largest_step, _SETTLED)))
        if largest_step < _SETTLED:
            break
    return Solution(np.array(data.qpos), largest)


def solve_or_raise(
    stage: PosedScene,
    tasks: Sequence[Task],
    rest: np.ndarray,
    mobility: np.ndarray,
    where: str,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """The posture (nq,) of `solve`; raises `ClipError` where a task is missed by over a millimetre or milliradian."""
    found = solve(stage, tasks, rest, mobility, start)
    if found.residual > _MISS:
        raise ClipError(
            f"the human cannot reach: a task is missed by {found.residual:.3f} m or rad",
            where=where,
            valid="a place within reach of a human that stands where it is",
            fix="move the object nearer, or turn the hand another way",
        )
    return found.qpos


_DAMPING = 1e-8
_PULL = 0.5  # of the way back to `rest` in one step: the whole way overshoots where the tasks curve strongly
_MISS = 1e-3
_LARGEST_STEP = 0.2  # radians or metres: the Jacobian is trusted no further
_SETTLED = 1e-7
