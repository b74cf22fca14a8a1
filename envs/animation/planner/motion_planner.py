"""The kinematic planner: any scene, any action; idle, reach, shape, close, move the thing, hold it or let it go."""

from dataclasses import replace
from typing import Literal

import numpy as np

from devi_jax.core.scene_file import Setup
from devi_jax.core.skeleton import HAND_BODIES, JOINTS, SIDES
from envs.animation.grasping.grasp_candidates import Candidate, clasps, pushes, wraps
from envs.animation.grasping.graspable_parts import handles, unit
from envs.animation.grasping.grip import Grip
from envs.animation.grasping.hand_paths import moved
from envs.animation.grasping.select_grasp import Grasp, choose
from envs.animation.kinematics.ik import meet
from envs.animation.kinematics.minimum_jerk import phase
from envs.animation.kinematics.posed_scene import pose
from envs.animation.kinematics.posture import footing, mirror, mobility
from envs.animation.planner.actions import Action, HandOver, Push
from envs.animation.planner.motion import Motion, described
from envs.animation.planner.object_paths import way
from envs.animation.planner.pace import frames_for, reaching
from envs.animation.planner.phases import LEAVING, OPENING, Beats, Part, act
from envs.animation.planner.scene_query import Cast, cast, recast
from envs.animation.planner.task_fit import unsuited
from envs.scenes.arrange import arrange

Hand = Literal["right", "left", "both"]

HOLD, DWELL, HOME = 20, 8, 32
"""Frames: a thing is held at the end; a hand stays before it lets go; it takes to hang again."""


def script(setup: Setup, action: Action, hand: Hand = "right") -> Motion:
    """The motion of the bundled human doing `action` with the manipulated thing of a setup.

    Raises `SceneError` for a setup without sense, a thing that cannot be held or reached and a target that is not
    there; `ClipError` naming the frame where a hand cannot follow.
    """
    return perform_action(cast(arrange(setup)), action, hand)


def perform_action(cast: Cast, action: Action, hand: Hand = "right") -> Motion:
    """Plan an action of one hand or both.

    Raises `SceneError` for a thing that no hand can hold or reach, and for a target that is not there; `ClipError`
    naming the frame where a hand cannot follow.
    """
    if isinstance(action, HandOver):
        return _hand_over(cast, action, "left" if hand == "left" else "right")
    grasp = take(cast, action, hand)
    beats = reaching(cast.stage, cast.standing, grasp.grips)
    going = way(cast, grasp, action, beats.move)
    beats, frames = _ending(beats, going.there, going.let_go)
    parts = [Part(grip, beats) for grip in grasp.grips]
    qpos, contact = act(cast.stage, cast.standing, parts, _held(going.poses, frames), cast.on_floor)
    return Motion(cast.stage, qpos, contact, described(action, hand=hand, thing=cast.thing))


def take(cast: Cast, action: Action, hand: Hand) -> Grasp:
    """The hands on the thing where it rests."""
    found = [replace(c, awkward=c.awkward + unsuited(cast, action, c)) for c in _candidates(cast, action, hand)]
    return choose(cast.stage, cast.standing, found, cast.thing, cast.solid, cast.on_floor)


def _candidates(cast: Cast, action: Action, hand: Hand) -> list[Candidate]:
    stage, standing, points = cast.stage, cast.standing, cast.points
    ground = float(points[:, 2].min())
    if isinstance(action, Push):
        towards = unit([*action.shift_m, 0.0])
        return pushes(stage, standing, SIDES if hand == "both" else (hand,), points, towards)
    if hand == "both":
        level = [unit(h.axis * [1, 1, 0]) for h in handles(points) if np.linalg.norm(h.axis[:2]) > 0.8]
        return clasps(stage, points, level or [np.array([1.0, 0.0, 0.0])], ground)
    return wraps(stage, standing, hand, points, cast.held, ground)


def _hand_over(cast: Cast, action: HandOver, giver: Literal["left", "right"]) -> Motion:
    """One hand takes the thing to the middle, the other takes it there, the first lets go and hangs again."""
    stage, standing = cast.stage, cast.standing
    taker = "left" if giver == "right" else "right"
    given = take(cast, action, giver)
    first = reaching(stage, standing, given.grips)
    before = way(cast, given, action, first.move)
    (grip,) = given.grips
    hand = tuple(JOINTS[i] for i in HAND_BODIES[SIDES.index(giver)])
    there = recast(cast, _meeting(cast, grip, before.poses[-1]))
    palm = moved(grip, cast.start, before.poses[-1]).place.rotation[:, 2]
    ways_to_take = [  # palms that face each other leave each other room
        replace(c, awkward=c.awkward + 2.0 * (1.0 + float(c.places[0].rotation[:, 2] @ palm)))
        for c in wraps(stage, there.standing, taker, there.points, there.held)
    ]
    taken = choose(stage, there.standing, ways_to_take, cast.thing, (*cast.solid, *hand), busy=giver)
    second = reaching(stage, standing, taken.grips, go=before.there - 10)
    first, frames = _ending(first, second.move, let_go=True)
    gone = second.move + DWELL + OPENING + LEAVING
    aside = np.array([0.12 * mirror(taker), -0.03, -0.05])
    stop = gone + frames_for(float(np.linalg.norm(aside)))
    frames = max(frames, stop + HOLD)
    poses = _held(before.poses, frames)
    poses[:, :3] += phase(np.arange(frames), gone, stop)[:, None] * aside
    parts = [
        Part(grip, replace(first, frames=frames)),
        Part(taken.grips[0], replace(second, there=stop, frames=frames)),
    ]
    qpos, contact = act(stage, standing, parts, poses)
    return Motion(stage, qpos, contact, described(action, hand=giver, thing=cast.thing))


def _meeting(cast: Cast, grip: Grip, thing: np.ndarray) -> np.ndarray:
    """The posture (nq,) of the giver with the thing at the pose `thing` (7,)."""
    stage, standing = cast.stage, cast.standing
    place = moved(grip, cast.start, thing).place
    out = meet(stage, (*footing(stage, standing), place), standing, mobility(stage, SIDES), "handing over")
    out = pose(stage, grip.closed, out)
    out[stage.object] = thing
    return out


def _ending(beats: Beats, there: int, let_go: bool) -> tuple[Beats, int]:
    """The beats to their end, and the number of frames."""
    if not let_go:
        return replace(beats, there=there, frames=there + HOLD), there + HOLD
    release = there + DWELL
    home = release + OPENING + LEAVING + HOME
    return replace(beats, there=there, release=release, home=home, frames=home + 6), home + 6


def _held(poses: np.ndarray, frames: int) -> np.ndarray:
    """Poses (frames, 7): the last one stays."""
    return poses[np.minimum(np.arange(frames), len(poses) - 1)]
