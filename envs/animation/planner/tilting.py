"""Paths of an object that is tilted: poured from, drunk from, struck with."""

import numpy as np

from devi_jax.core.rotations import matrix_to_quat, quat_exp, quat_log, quat_to_matrix
from envs.animation.grasping.grasp_candidates import fingers_of
from envs.animation.grasping.graspable_parts import unit
from envs.animation.grasping.select_grasp import SelectedGrasp
from envs.animation.kinematics.posture import mirror, mouth
from envs.animation.planner.actions import Drink, Pour, Strike
from envs.animation.planner.pace import frames_for
from envs.animation.planner.planning_scene import PlanningScene, target_surface
from envs.animation.planner.waypoints import ObjectPath, Shift, Turn, compose_path


def pour(scene: PlanningScene, grasp: SelectedGrasp, action: Pour, move: int) -> ObjectPath:
    """The upper rim over the target, tilted towards it; then upright again, beside it."""
    top, _ = target_surface(scene, action.target)
    centre, radius = _rim(scene)
    inwards = np.array([-mirror(grasp.grips[0].side), 0.0, 0.0])
    ahead = (top - centre) * [1, 1, 0]
    towards = unit(ahead) if np.linalg.norm(ahead) > 0.03 and unit(ahead) @ inwards > 0.3 else inwards
    lip = centre + radius * towards
    over = top + [0.0, 0.0, _OVER_TARGET_M] - 0.2 * radius * towards
    axis, angle = np.cross(_UP, towards), np.radians(action.tilt_deg)
    near = move + frames_for(float(np.linalg.norm(over - lip)))
    tilted = near - 8 + frames_for(0.0, angle)
    back = tilted + _POUR_FRAMES
    upright = back + frames_for(0.0, angle)
    rise = max(_CLEAR_M, (over - lip)[2] + _CLEAR_M / 2)  # upright, its foot must not drag; tilting, the lip comes down
    down = ((over - lip)[2] - rise) * _UP
    steps = [
        Shift(move, near - 8, rise * _UP),
        Shift(move + 8, near, (over - lip) * [1, 1, 0]),
        Shift(near, tilted, down),
        Turn(near - 8, tilted, angle * axis),
        Turn(back, upright, -angle * axis),
        Shift(back, upright, -down),
        Shift(back + 8, upright + 8, -_ASIDE_M * towards),
    ]
    return ObjectPath(compose_path(scene.start, upright + 9, steps, _local(scene, lip)), let_go=False)


def drink(scene: PlanningScene, grasp: SelectedGrasp, action: Drink, move: int) -> ObjectPath:
    """The rim to the lips, the hand turned inwards on the way; tilted about the lips; lowered a little."""
    grip = grasp.grips[0]
    fingers = fingers_of(grip.side, -grip.wrist.rotation[:, 2], grip.wrist.rotation[:, 1])
    inwards = np.degrees(np.arctan2(-mirror(grip.side) * fingers[0], fingers[1]))
    yaw = np.radians(np.clip(_INWARDS_DEG - inwards, 0.0, 60.0)) if len(grasp.grips) == 1 else 0.0
    yaw *= mirror(grip.side)
    centre, radius = _rim(scene)
    facing = np.array([-np.sin(yaw), -np.cos(yaw), 0.0])  # what will face the human after the turn by yaw
    lip = centre + radius * facing
    there = mouth(scene.stage, scene.standing) + [0.0, 0.015, -0.005]
    tilt = np.radians(action.tilt_deg) * np.array([1.0, 0.0, 0.0])
    near = move + frames_for(float(np.linalg.norm(there - lip)))
    tilted = near + frames_for(0.0, float(tilt[0])) - 10
    back = tilted + _DRINK_FRAMES
    stop = back + frames_for(0.15, float(tilt[0]))
    steps = [
        Shift(move, near, there - lip + [0.0, 0.02, -0.01]),
        Shift(near - 6, near + 10, np.array([0.0, -0.02, 0.01])),
        Turn(move + 8, near, yaw * _UP),
        Turn(near - 4, tilted, tilt),
        Turn(back, stop - 4, -tilt),
        Shift(back + 8, stop, np.array([0.0, 0.06, -0.08])),
    ]
    return ObjectPath(compose_path(scene.start, stop + 1, steps, _local(scene, lip)), let_go=False)


def strike(scene: PlanningScene, grasp: SelectedGrasp, action: Strike, move: int) -> ObjectPath:
    """Raised ahead of the shoulder, then down on the target again and again, turning about the hand."""
    grip, hold = grasp.grips[0], grasp.candidate.centre
    end, face = head_of_tool(scene, hold)
    frame = np.stack([end, face, np.cross(end, face)], axis=1)
    blows = [np.stack([_STRUCK, s * _FACE, np.cross(_STRUCK, s * _FACE)], axis=1) @ frame.T for s in (1.0, -1.0)]
    inwards = np.array([-mirror(grip.side), 0.0, 0.0])
    blow = max(blows, key=lambda turn: (turn @ -grip.wrist.rotation[:, 2]) @ inwards)
    top, _ = target_surface(scene, action.target)
    struck = (scene.points - hold) @ blow.T
    tip = np.array([*struck[struck[:, 2] < struck[:, 2].min() + 0.004].mean(axis=0)[:2], struck[:, 2].min()])
    swing = np.radians(_SWING_DEG)
    raised_turn = quat_log(matrix_to_quat(quat_to_matrix(quat_exp(_about(swing))) @ blow))
    low = top + [0.0, 0.0, action.short_m] - tip - hold
    high = low + _RAISED_M
    up = move + frames_for(float(np.linalg.norm(high)), float(np.linalg.norm(raised_turn)))
    steps: list[Shift | Turn] = [Shift(move, up, high), Turn(move + 6, up, raised_turn)]
    for _ in range(action.repeats):
        hit, again = up + _BLOW_FRAMES, up + 2 * _BLOW_FRAMES + 4
        steps += [Shift(up, hit, low - high), Turn(up, hit, _about(-swing))]
        steps += [Shift(hit, again, high - low), Turn(hit, again, _about(swing))]
        up = again
    return ObjectPath(compose_path(scene.start, up + 1, steps, _local(scene, hold)), let_go=False)


def _rim(scene: PlanningScene) -> tuple[np.ndarray, float]:
    """Middle (3,) and radius of the thing's upper end, as it stands."""
    top = scene.points[:, 2].max()
    ring = scene.points[scene.points[:, 2] > top - 0.006]
    low, high = ring.min(axis=0), ring.max(axis=0)
    return np.array([*(low + high)[:2] / 2, top]), float(max(high[0] - low[0], high[1] - low[1]) / 2)


def _local(scene: PlanningScene, point: np.ndarray) -> np.ndarray:
    """A point of the world in the thing's own frame at the start."""
    return quat_to_matrix(scene.start[3:]).T @ (point - scene.start[:3])


def head_of_tool(scene: PlanningScene, hold: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From the hand to the far end (3,), and across it the way that its head is longest (3,), unit vectors."""
    offsets = scene.points - hold
    far = offsets[np.argmax(np.linalg.norm(offsets, axis=1))]
    along = offsets @ unit(far)
    head = offsets[along > 0.75 * along.max()]
    end = unit(head.mean(axis=0))
    across = head - head.mean(axis=0)
    across -= np.outer(across @ end, end)
    return end, unit(np.linalg.svd(across, full_matrices=False)[2][0])


def _about(angle: float) -> np.ndarray:
    """The rotation vector (3,) that raises (positive) or lowers what points ahead."""
    return np.array([angle, 0.0, 0.0])


_UP = np.array([0.0, 0.0, 1.0])
_STRUCK, _FACE = np.array([0.0, 0.96, -0.28]), np.array([0.0, -0.28, -0.96])  # handle and face of a tool that hits
_OVER_TARGET_M, _CLEAR_M, _ASIDE_M, _POUR_FRAMES = 0.04, 0.10, 0.10, 24
_INWARDS_DEG, _DRINK_FRAMES = 85.0, 16
_SWING_DEG, _BLOW_FRAMES, _RAISED_M = 55.0, 16, np.array([0.0, -0.06, 0.12])
