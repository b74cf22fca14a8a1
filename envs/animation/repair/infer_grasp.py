"""The grip that a seen hold most likely is: of all ways hands could hold the object there, by looks and by reach.

From one view a hand that the object hides is tens of millimetres and degrees off, and holds nothing. What is known
better is the object's path, which hands hold it when, and about where in the picture they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import mujoco
import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.camera import project
from devi_jax.core.clip import Clip
from devi_jax.core.intervals import true_runs
from devi_jax.core.skeleton import FINGERS, INDEX, SIDES
from envs.animation.grasping.grasp_candidates import Candidate, clasps, pushes, wraps
from envs.animation.grasping.graspable_parts import Handle, handles, surface, unit
from envs.animation.grasping.grip import Grip, pressed, wrapped
from envs.animation.grasping.select_grasp import depth, looseness, part_held
from envs.animation.kinematics.ik import Solution, solve
from envs.animation.kinematics.posed_scene import kinematics, pose
from envs.animation.repair.posed_clip import Posed

POSED, CLOSED = 24, 4
"""How many grips are reached for by inverse kinematics, and how many of these close their fingers."""
SEEN_PX, SEEN_M = 10.0, 0.03
"""How far palms are off where they are seen, in a picture of 1175 px diagonal; without a camera, in space."""
MISS = 2e-3
"""A grip is reached when no wrist misses its place by more, metres or radians."""
UP_M = 0.02
"""An object that never rises by so much may be pushed; one that does is held."""
FRAMES = 8
"""In so many frames of a hold hands are compared with what was seen."""
ARM = {"spine2": 0.02, "spine3": 0.02, "collar": 0.1, "shoulder": 1.0, "elbow": 0.8, "wrist": 0.5}
"""How readily an arm's joints leave the posture that was seen; the trunk hardly does."""
_PER_M, _EFFORT = 300.0, 0.25


@dataclass(frozen=True)
class Hold:
    """Hands `sides` that hold the object from frame `start` until before `stop`."""

    sides: tuple[str, ...]
    start: int
    stop: int


def holds(clip: Clip) -> list[Hold]:
    """The clip's holds in order; two hands that mostly hold together are one."""
    touching = [(side, run) for s, side in enumerate(SIDES) for run in true_runs(clip.contact[:, s] > 0.5)]
    runs = [Hold((side,), int(run[0]), int(run[-1]) + 1) for side, run in touching]
    out: list[Hold] = []
    for run in sorted(runs, key=lambda h: h.start):
        last = out[-1] if out else None
        both = 0 if last is None else min(last.stop, run.stop) - max(last.start, run.start)
        if last is not None and len(last.sides) == 1 and last.sides != run.sides and 2 * both > _length(last, run):
            out[-1] = Hold(SIDES, min(last.start, run.start), max(last.stop, run.stop))
        else:
            out.append(run)
    return out


def best_grips(posed: Posed, clip: Clip, hold: Hold) -> tuple[Grip, ...] | None:
    """The grips of a hold's hands, in the world at its first frame; None where no hand can hold the object there."""
    likely = sorted(
        ((c.awkward + unlikeness(posed, clip, hold, c), k, c) for k, c in enumerate(candidates(posed, clip, hold))),
        key=lambda entry: entry[:2],
    )
    reached = [_reached(posed, hold.start, candidate, cost) for cost, _, candidate in likely[:POSED]]
    reached = sorted((entry for entry in reached if entry[1].residual < MISS), key=lambda entry: entry[0])
    closed = [_closed(posed, *entry) for entry in reached[:CLOSED]]
    return min(closed, key=lambda entry: entry[0])[1] if closed else None


def candidates(posed: Posed, clip: Clip, hold: Hold) -> Iterator[Candidate]:
    """All ways these hands could hold the object, or push it, where it is at the hold's first frame."""
    stage, qpos, thing = posed.stage, posed.qpos[hold.start], posed.stage.scene.object
    assert thing is not None
    at, turn = qpos[stage.object][:3], rot.quat_to_matrix(qpos[stage.object][3:])
    cloud = surface(thing)
    points = cloud @ turn.T + at
    held = [Handle(turn @ h.centre + at, turn @ h.axis) for h in handles(cloud)]
    path = posed.qpos[:, stage.object][:, :3]
    ground = float(points[:, 2].min()) if abs(at[2] - path[0, 2]) < UP_M else -np.inf
    moved = path[hold.stop - 1] - at
    if np.ptp(path[hold.start : hold.stop, 2]) < UP_M < np.linalg.norm(moved[:2]):
        yield from pushes(stage, qpos, hold.sides, points, unit([*moved[:2], 0.0]))
    if len(hold.sides) == 2:
        level = [unit(h.axis * [1, 1, 0]) for h in held if np.linalg.norm(h.axis[:2]) > 0.8]
        yield from clasps(stage, points, level or [np.array([1.0, 0.0, 0.0])], ground)
    else:
        yield from wraps(stage, qpos, hold.sides[0], points, held, ground)


def unlikeness(posed: Posed, clip: Clip, hold: Hold, candidate: Candidate) -> float:
    """How unlike what was seen: the mean distance of wrists and knuckles over `SEEN_PX` or `SEEN_M`, squared."""
    frames = np.unique(np.linspace(hold.start, hold.stop - 1, FRAMES).astype(int))
    thing = posed.qpos[:, posed.stage.object]
    start, gaps = thing[hold.start], []
    for place in candidate.places:
        side = place.body.split("_")[0]
        palm = [f"{side}_wrist", *(f"{side}_{finger}1" for finger in FINGERS)]
        own = np.array([np.zeros(3), *(posed.stage.model.body(name).pos for name in palm[1:])])
        there = place.position + (own - place.point) @ place.rotation.T
        inside = rot.rotate_inverse(np.broadcast_to(start[3:], (len(palm), 4)), there - start[:3])
        turns = np.broadcast_to(thing[frames, None, 3:], (len(frames), len(palm), 4))
        carried = rot.rotate(turns, np.broadcast_to(inside, (len(frames), *inside.shape))) + thing[frames, None, :3]
        seen = clip.joint_positions[frames][:, [INDEX[name] for name in palm]].astype(float)
        gaps.append(_apart(clip, carried, seen))
    return float(np.mean(gaps)) ** 2


def _apart(clip: Clip, some: np.ndarray, others: np.ndarray) -> float:
    """The mean distance of points (..., 3) from others, in standard deviations."""
    camera = clip.camera
    if camera is None:
        return float(np.linalg.norm(some - others, axis=-1).mean()) / SEEN_M
    px = [project(points, camera.K, camera.T_camera_world)[0] for points in (some, others)]
    scale = camera.diagonal_px / float(np.hypot(1024, 576))
    return float(np.linalg.norm(px[0] - px[1], axis=-1).mean()) / (SEEN_PX * scale)


def arms(posed: Posed, sides: tuple[str, ...]) -> np.ndarray:
    """How readily each degree of freedom leaves its posture when these arms reach, (nv,)."""
    out = np.zeros(posed.stage.model.nv)
    for part, value in ARM.items():
        for side in sides:
            out[posed.stage.dofs(part if part in INDEX else f"{side}_{part}")] = value
    return out


def _reached(posed: Posed, t: int, candidate: Candidate, cost: float) -> tuple[float, Solution, Candidate]:
    """The candidate with its hands at their places at frame t; what it costs to go there added."""
    stage, sides = posed.stage, tuple(place.body.split("_")[0] for place in candidate.places)
    free = arms(posed, sides)
    found = solve(stage, candidate.places, posed.qpos[t], free)
    turned = np.zeros(stage.model.nv)
    mujoco.mj_differentiatePos(stage.model, turned, 1.0, posed.qpos[t], found.qpos)
    moves = free > 0
    cost += float(_EFFORT * (turned[moves] ** 2 / free[moves]).sum())
    data = kinematics(stage, found.qpos)
    for side in sides:
        cost += _PER_M * depth(stage, data, [f"{side}_wrist", f"{side}_elbow"], solid(posed))
    return cost, found, candidate


def _closed(posed: Posed, cost: float, found: Solution, candidate: Candidate) -> tuple[float, tuple[Grip, ...]]:
    """The grips of a candidate that is reached, and its cost with what is wrong about them added."""
    stage, grips = posed.stage, []
    for place in candidate.places:
        if candidate.kind == "wrap":
            grip = wrapped(stage, found.qpos, place, part_held(candidate, place), solid(posed))
        else:
            grip = pressed(stage, found.qpos, place)
        data = kinematics(stage, pose(stage, grip.closed, found.qpos))
        hand = [posed.stage.model.geom(int(g)).name for g in posed.hands[SIDES.index(grip.side)]]
        cost += 3 * _PER_M * depth(stage, data, hand, solid(posed))
        cost += looseness(stage, data, grip.side) if candidate.kind == "wrap" else 0.0
        grips.append(grip)
    return cost, tuple(grips)


def solid(posed: Posed) -> tuple[str, ...]:
    """What hands do not pass."""
    return ("object", "floor") if posed.stage.scene.table is None else ("object", "floor", "table")


def _length(one: Hold, other: Hold) -> int:
    return max(one.stop, other.stop) - min(one.start, other.start)
