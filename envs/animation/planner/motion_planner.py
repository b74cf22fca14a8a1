"""The kinematic planner: any scene, any action; idle, reach, shape, close, move the thing, hold it or let it go."""

from dataclasses import replace
from typing import Literal

import numpy as np

from devi_jax.core.scene_file import SceneFile
from devi_jax.core.skeleton import HAND_BODIES, JOINTS, SIDES
from envs.animation.grasping.grasp_candidates import GraspCandidate, clasp_candidates, push_candidates, wrap_candidates
from envs.animation.grasping.graspable_parts import handles, unit
from envs.animation.grasping.grip import HandGrasp
from envs.animation.grasping.hand_paths import moved
from envs.animation.grasping.select_grasp import SelectedGrasp, choose_grasp
from envs.animation.kinematics.ik import solve_or_raise
from envs.animation.kinematics.minimum_jerk import phase
from envs.animation.kinematics.posed_scene import pose
from envs.animation.kinematics.posture import mirror, mobility, stance_tasks
from envs.animation.planner.actions import Action, HandOver, Push
from envs.animation.planner.motion import PlannedMotion, plan_record
from envs.animation.planner.object_paths import object_path
from envs.animation.planner.pace import frames_for, reach_phases
from envs.animation.planner.phases import LEAVING, OPENING, HandPhases, PhaseTimes, act_out
from envs.animation.planner.planning_scene import PlanningScene, planning_scene, with_posture
from envs.animation.planner.task_fit import task_misfit
from envs.scenes.arrange import arrange

Hand = Literal["right", "left", "both"]

HOLD, DWELL, HOME = 20, 8, 32
"""Frames: a thing is held at the end; a hand stays before it lets go; it takes to hang again."""


def plan_motion(setup: SceneFile, action: Action, hand: Hand = "right") -> PlannedMotion:
    """The motion of the bundled human doing `action` with the manipulated thing of a setup.

    Raises `SceneError` for a setup without sense, a thing that cannot be held or reached and a target that is not
    there; `ClipError` naming the frame where a hand cannot follow.
    """
    return plan_action(planning_scene(arrange(setup)), action, hand)


def plan_action(scene: PlanningScene, action: Action, hand: Hand = "right") -> PlannedMotion:
    """Plan an action of one hand or both.

    Raises `SceneError` for a thing that no hand can hold or reach, and for a target that is not there; `ClipError`
    naming the frame where a hand cannot follow.
    """
    if isinstance(action, HandOver):
        return _hand_over(scene, action, "left" if hand == "left" else "right")
    grasp = plan_grasp(scene, action, hand)
    beats = reach_phases(scene.stage, scene.standing, grasp.grips)
    going = object_path(scene, grasp, action, beats.move)
    beats, frames = _ending(beats, going.there, going.let_go)
    parts = [HandPhases(grip, beats) for grip in grasp.grips]
    qpos, contact = act_out(scene.stage, scene.standing, parts, _held(going.poses, frames), scene.on_floor)
    return PlannedMotion(scene.stage, qpos, contact, plan_record(action, hand=hand, thing=scene.thing))


def plan_grasp(scene: PlanningScene, action: Action, hand: Hand) -> SelectedGrasp:
    """The best grasp of the object where it rests."""
    found = [
        replace(c, comfort_cost=c.comfort_cost + task_misfit(scene, action, c))
        for c in _candidates(scene, action, hand)
    ]
    return choose_grasp(scene.stage, scene.standing, found, scene.thing, scene.stage.obstacles, scene.on_floor)


def _candidates(scene: PlanningScene, action: Action, hand: Hand) -> list[GraspCandidate]:
    stage, standing, points = scene.stage, scene.standing, scene.points
    ground = float(points[:, 2].min())
    if isinstance(action, Push):
        towards = unit([*action.shift_m, 0.0])
        return push_candidates(stage, standing, SIDES if hand == "both" else (hand,), points, towards)
    if hand == "both":
        level = [unit(h.axis * [1, 1, 0]) for h in handles(points) if np.linalg.norm(h.axis[:2]) > 0.8]
        return clasp_candidates(stage, points, level or [np.array([1.0, 0.0, 0.0])], ground)
    return wrap_candidates(stage, standing, hand, points, scene.held, ground)


def _hand_over(scene: PlanningScene, action: HandOver, giver: Literal["left", "right"]) -> PlannedMotion:
    """One hand takes the thing to the middle, the other takes it there, the first lets go and hangs again."""
    stage, standing = scene.stage, scene.standing
    taker = "left" if giver == "right" else "right"
    given = plan_grasp(scene, action, giver)
    first = reach_phases(stage, standing, given.grips)
    before = object_path(scene, given, action, first.move)
    (grip,) = given.grips
    hand = tuple(JOINTS[i] for i in HAND_BODIES[SIDES.index(giver)])
    there = with_posture(scene, _meeting(scene, grip, before.poses[-1]))
    palm = moved(grip, scene.start, before.poses[-1]).wrist.rotation[:, 2]
    ways_to_take = [  # palms that face each other leave each other room
        replace(c, comfort_cost=c.comfort_cost + 2.0 * (1.0 + float(c.wrists[0].rotation[:, 2] @ palm)))
        for c in wrap_candidates(stage, there.standing, taker, there.points, there.held)
    ]
    taken = choose_grasp(stage, there.standing, ways_to_take, scene.thing, (*scene.stage.obstacles, *hand), busy=giver)
    second = reach_phases(stage, standing, taken.grips, go=before.there - 10)
    first, frames = _ending(first, second.move, let_go=True)
    gone = second.move + DWELL + OPENING + LEAVING
    aside = np.array([0.12 * mirror(taker), -0.03, -0.05])
    stop = gone + frames_for(float(np.linalg.norm(aside)))
    frames = max(frames, stop + HOLD)
    poses = _held(before.poses, frames)
    poses[:, :3] += phase(np.arange(frames), gone, stop)[:, None] * aside
    parts = [
        HandPhases(grip, replace(first, frames=frames)),
        HandPhases(taken.grips[0], replace(second, there=stop, frames=frames)),
    ]
    qpos, contact = act_out(stage, standing, parts, poses)
    return PlannedMotion(stage, qpos, contact, plan_record(action, hand=giver, thing=scene.thing))


def _meeting(scene: PlanningScene, grip: HandGrasp, thing: np.ndarray) -> np.ndarray:
    """The posture (nq,) of the giver with the thing at the pose `thing` (7,)."""
    stage, standing = scene.stage, scene.standing
    place = moved(grip, scene.start, thing).wrist
    out = solve_or_raise(
        stage, (*stance_tasks(stage, standing), place), standing, mobility(stage, SIDES), "handing over"
    )
    out = pose(stage, grip.closed, out)
    out[stage.object] = thing
    return out


def _ending(beats: PhaseTimes, there: int, let_go: bool) -> tuple[PhaseTimes, int]:
    """The phase times to their end, and the number of frames."""
    if not let_go:
        return replace(beats, there=there, frames=there + HOLD), there + HOLD
    release = there + DWELL
    home = release + OPENING + LEAVING + HOME
    return replace(beats, there=there, release=release, home=home, frames=home + 6), home + 6


def _held(poses: np.ndarray, frames: int) -> np.ndarray:
    """Poses (frames, 7): the last one stays."""
    return poses[np.minimum(np.arange(frames), len(poses) - 1)]
