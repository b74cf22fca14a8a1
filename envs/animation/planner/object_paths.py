"""The object's path in each action: its poses over time, from the frame at which it begins to move."""

from collections.abc import Callable
from typing import Any

import numpy as np

from devi_jax.core.rotations import quat_conj, quat_mul
from envs.animation.grasping.select_grasp import SelectedGrasp
from envs.animation.kinematics.posed_scene import kinematics
from envs.animation.planner.actions import Action, Drink, Follow, HandOver, Lift, PlaceAt, Pour, Push, Strike, Wear
from envs.animation.planner.pace import frames_for
from envs.animation.planner.planning_scene import PlanningScene, clearance_below, target_surface
from envs.animation.planner.tilting import drink, pour, strike
from envs.animation.planner.waypoints import ObjectPath, Shift, compose_path


def object_path(scene: PlanningScene, grasp: SelectedGrasp, action: Action, move: int) -> ObjectPath:
    """The path of the object in an action; it rests before frame `move`. Raises `SceneError` for an unknown target."""
    return _PATHS[type(action)](scene, grasp, action, move)


def _lift(scene: PlanningScene, grasp: SelectedGrasp, action: Lift | HandOver, move: int) -> ObjectPath:
    """A lift by the arm curves towards the body."""
    by = action.height_m * np.array([0.0, -0.1, 1.0])
    stop = move + frames_for(action.height_m)
    return ObjectPath(compose_path(scene.start, stop + 1, [Shift(move, stop, by)]), let_go=False)


def _hand_over(scene: PlanningScene, grasp: SelectedGrasp, action: HandOver, move: int) -> ObjectPath:
    middle = (scene.points.min(axis=0) + scene.points.max(axis=0)) / 2
    meeting = np.array([0.0, max(0.30, middle[1] - 0.06), middle[2] + action.height_m])
    by = meeting - middle
    stop = move + frames_for(float(np.linalg.norm(by)))
    return ObjectPath(compose_path(scene.start, stop + 1, [Shift(move, stop, by)]), let_go=True)


def _place(scene: PlanningScene, grasp: SelectedGrasp, action: PlaceAt, move: int) -> ObjectPath:
    """Up, across and down, the corners rounded."""
    top, ground = target_surface(scene, action.target)
    low, high = scene.points.min(axis=0), scene.points.max(axis=0)
    across = np.array([*(top - (low + high) / 2)[:2], 0.0])
    above = scene.points + across + [0.0, 0.0, 1.0]
    end = 1.0 - clearance_below(
        above, ground, floor_m=float(min(ground[:, 2].min(), low[2])) if len(ground) > 1 else top[2]
    )
    peak = max(0.0, end, top[2] - low[2]) + action.clearance_m
    span = frames_for(float(np.linalg.norm(across)) + peak + (peak - end))
    third, stop = span / 3, move + span
    steps = [
        Shift(move, move + 1.5 * third, peak * _UP),
        Shift(move + third / 2, stop - third / 2, across),
        Shift(move + 1.5 * third, stop, (end - peak) * _UP),
    ]
    return ObjectPath(compose_path(scene.start, stop + 1, steps), let_go=True)


def _push(scene: PlanningScene, grasp: SelectedGrasp, action: Push, move: int) -> ObjectPath:
    by = np.array([*action.shift_m, 0.0])
    stop = move + frames_for(1.5 * float(np.linalg.norm(by)))
    return ObjectPath(compose_path(scene.start, stop + 1, [Shift(move, stop, by)]), let_go=True)


def _wear(scene: PlanningScene, grasp: SelectedGrasp, action: Wear, move: int) -> ObjectPath:
    """Up before the face, then back and down onto the head."""
    data = kinematics(scene.stage, scene.standing)
    head, size = data.geom("head").xpos, scene.stage.model.geom("head").size[0]
    low, high = scene.points.min(axis=0), scene.points.max(axis=0)
    ball = head + size * _sphere()
    across = np.array([*(head - (low + high) / 2)[:2], 0.0])
    down = clearance_below(scene.points + across + [0.0, 0.0, 2.0], ball)
    worn = across + [0.0, 0.0, 2.0 - down - action.sink_m]
    ahead = worn + _BEFORE_FACE_M
    rise = move + frames_for(float(np.linalg.norm(ahead)))
    stop = rise - 10 + frames_for(float(np.linalg.norm(worn - ahead)))
    steps = [Shift(move, rise, ahead), Shift(rise - 10, stop, worn - ahead)]
    return ObjectPath(compose_path(scene.start, stop + 1, steps), let_go=False)


def _follow(scene: PlanningScene, grasp: SelectedGrasp, action: Follow, move: int) -> ObjectPath:
    poses = np.array(action.poses)
    out = np.tile(scene.start, (move + len(poses), 1))
    out[move:, :3] += poses[:, :3] - poses[0, :3]
    out[move:, 3:] = quat_mul(quat_mul(poses[:, 3:], quat_conj(poses[0, 3:])), scene.start[3:])
    return ObjectPath(out, let_go=False)


_PATHS: dict[type, Callable[[PlanningScene, SelectedGrasp, Any, int], ObjectPath]] = {
    Lift: _lift,
    PlaceAt: _place,
    Pour: pour,
    Drink: drink,
    Push: _push,
    Wear: _wear,
    Strike: strike,
    HandOver: _hand_over,
    Follow: _follow,
}


def _sphere(count: int = 4000) -> np.ndarray:
    """Points (count, 3) spread over the unit sphere by the golden angle."""
    k = np.arange(count) + 0.5
    polar, turn = np.arccos(1 - 2 * k / count), np.pi * (1 + 5**0.5) * k
    return np.stack([np.cos(turn) * np.sin(polar), np.sin(turn) * np.sin(polar), np.cos(polar)], axis=1)


_UP = np.array([0.0, 0.0, 1.0])
_BEFORE_FACE_M = np.array([0.0, 0.28, -0.12])
