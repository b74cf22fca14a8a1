"""The most likely grasp in a contact interval: of all candidates at that place, by the picture and by reach.

From one view a hand that the object hides is tens of millimetres and degrees off, and holds nothing. What is known
better is the object's path, which hands hold it when, and about where in the picture they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.camera import project
from devi_jax.core.clip import Clip
from devi_jax.core.intervals import true_runs
from devi_jax.core.skeleton import FINGERS, INDEX, SIDES
from envs.animation.grasping.grasp_candidates import GraspCandidate, clasp_candidates, push_candidates, wrap_candidates
from envs.animation.grasping.grasp_cost import OVERLAP_COST_PER_M, closed_hand_cost, depth, effort_cost
from envs.animation.grasping.graspable_parts import Handle, handles, surface, unit
from envs.animation.grasping.grip import HandGrasp, press_reached, wrap_reached
from envs.animation.grasping.select_grasp import part_held
from envs.animation.kinematics.ik import Solution, solve
from envs.animation.kinematics.posed_scene import kinematics
from envs.animation.repair.posed_clip import PosedClip
from envs.animation.repair.seen_grip import seen_grips

POSED, CLOSED = 24, 4
"""How many grips are reached for by inverse kinematics, and how many of these close their fingers."""
POSED_SEEN, CLOSED_SEEN = 48, 16
"""The same where grips near to the seen one are tried: most of those are alike."""
APART_S = 0.1
"""Contact of a hand that ends for a shorter time is one contact."""
NEAR_FACTOR = 8.0
"""By so much more counts what a hand looks like that is seen from near by."""
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


@dataclass(frozen=True)
class ContactInterval:
    """Hands `sides` in contact with the object from frame `start` until before `stop`."""

    sides: tuple[str, ...]
    start: int
    stop: int


def contact_intervals(clip: Clip) -> list[ContactInterval]:
    """The clip's contact intervals in order; two hands that are mostly in contact together share one."""
    runs = []
    for s, side in enumerate(SIDES):
        for run in true_runs(clip.contact[:, s] > 0.5):
            own, last = ContactInterval((side,), int(run[0]), int(run[-1]) + 1), runs[-1] if runs else None
            if last is not None and last.sides == own.sides and own.start - last.stop < APART_S * clip.fps:
                own = replace(own, start=runs.pop().start)
            runs.append(own)
    out: list[ContactInterval] = []
    for run in sorted(runs, key=lambda h: h.start):
        last = out[-1] if out else None
        both = 0 if last is None else min(last.stop, run.stop) - max(last.start, run.start)
        if last is not None and len(last.sides) == 1 and last.sides != run.sides and 2 * both > _length(last, run):
            out[-1] = ContactInterval(SIDES, min(last.start, run.start), max(last.stop, run.stop))
        else:
            out.append(run)
    return out


def best_grasps(
    posed: PosedClip, clip: Clip, hold: ContactInterval, near_seen: np.ndarray | None = None
) -> tuple[HandGrasp, ...] | None:
    """The grips of a hold's hands, in the world at its first frame; None where no hand can hold the object there.

    `near_seen` (T, 2) bool: frames in which left and right hand are seen from near by. One hand's grips near to how it
    was seen are tried as well, and compared with it in these frames.
    """
    near = near_seen is not None
    likely = sorted(
        (
            (c.comfort_cost + (NEAR_FACTOR if near else 1.0) * unlikeness(posed, clip, hold, c, near_seen), k, c)
            for k, c in enumerate(candidates(posed, clip, hold, near_seen))
        ),
        key=lambda entry: entry[:2],
    )
    most, closing = (POSED_SEEN, CLOSED_SEEN) if near else (POSED, CLOSED)
    reached = [_reached(posed, hold.start, candidate, cost) for cost, _, candidate in likely[:most]]
    reached = sorted((entry for entry in reached if entry[1].residual < MISS), key=lambda entry: entry[0])
    closed = [_closed(posed, *entry) for entry in reached[:closing]]
    return min(closed, key=lambda entry: entry[0])[1] if closed else None


def candidates(
    posed: PosedClip, clip: Clip, hold: ContactInterval, near_seen: np.ndarray | None = None
) -> Iterator[GraspCandidate]:
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
        yield from push_candidates(stage, qpos, hold.sides, points, unit([*moved[:2], 0.0]))
    if len(hold.sides) == 2:
        level = [unit(h.axis * [1, 1, 0]) for h in held if np.linalg.norm(h.axis[:2]) > 0.8]
        yield from clasp_candidates(stage, points, level or [np.array([1.0, 0.0, 0.0])], ground)
    else:
        yield from wrap_candidates(stage, qpos, hold.sides[0], points, held, ground)
        if near_seen is not None:
            wrist = _seen_wrist(posed, hold, near_seen)
            ray = None if clip.camera is None else unit(wrist[0] - clip.camera.position_world)
            yield from seen_grips(stage, hold.sides[0], points, held, wrist, ground, ray)


def _compared(hold: ContactInterval, near_seen: np.ndarray | None) -> np.ndarray:
    """Frames in which a hold is compared with what was seen: those in which its hands are seen, if there are any."""
    frames = np.arange(hold.start, hold.stop)
    if near_seen is not None:
        seen = near_seen[frames][:, [SIDES.index(side) for side in hold.sides]].all(axis=1)
        frames = frames[seen] if seen.any() else frames
    return frames[np.unique(np.linspace(0, len(frames) - 1, FRAMES).astype(int))]


def _seen_wrist(
    posed: PosedClip, hold: ContactInterval, near_seen: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Where a hold's hand was seen on the object, (3,) and (3, 3), in the world at its first frame."""
    frames = _compared(hold, near_seen)
    places, turns = [], []
    for t in frames:
        wrist, thing = kinematics(posed.stage, posed.qpos[t]).body(f"{hold.sides[0]}_wrist"), posed.qpos[t]
        thing = thing[posed.stage.object]
        places.append(rot.rotate_inverse(thing[3:], wrist.xpos - thing[:3]))
        turns.append(rot.quat_mul(rot.quat_conj(thing[3:]), np.array(wrist.xquat)))
    thing = posed.qpos[hold.start][posed.stage.object]
    turn = rot.quat_mul(thing[3:], rot.mean_rotation(np.array(turns)))
    return thing[:3] + rot.rotate(thing[3:], np.median(places, axis=0)), rot.quat_to_matrix(turn)


def unlikeness(
    posed: PosedClip,
    clip: Clip,
    hold: ContactInterval,
    candidate: GraspCandidate,
    near_seen: np.ndarray | None = None,
) -> float:
    """How unlike what was seen: the mean distance of wrists and knuckles over `SEEN_PX` or `SEEN_M`, squared."""
    frames = _compared(hold, near_seen)
    thing = posed.qpos[:, posed.stage.object]
    start, gaps = thing[hold.start], []
    for place in candidate.wrists:
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


def arms(posed: PosedClip, sides: tuple[str, ...]) -> np.ndarray:
    """How readily each degree of freedom leaves its posture when these arms reach, (nv,)."""
    out = np.zeros(posed.stage.model.nv)
    for part, value in ARM.items():
        for side in sides:
            out[posed.stage.dofs(part if part in INDEX else f"{side}_{part}")] = value
    return out


def _reached(
    posed: PosedClip, t: int, candidate: GraspCandidate, cost: float
) -> tuple[float, Solution, GraspCandidate]:
    """The candidate with its hands at their places at frame t; what it costs to go there added."""
    stage, sides = posed.stage, tuple(place.body.split("_")[0] for place in candidate.wrists)
    free = arms(posed, sides)
    found = solve(stage, candidate.wrists, posed.qpos[t], free)
    cost += effort_cost(stage, posed.qpos[t], found.qpos, free)
    data = kinematics(stage, found.qpos)
    for side in sides:
        cost += OVERLAP_COST_PER_M * depth(stage, data, [f"{side}_wrist", f"{side}_elbow"], stage.obstacles)
    return cost, found, candidate


def _closed(
    posed: PosedClip, cost: float, found: Solution, candidate: GraspCandidate
) -> tuple[float, tuple[HandGrasp, ...]]:
    """The grips of a candidate that is reached, and its cost with what is wrong about them added."""
    stage, grips = posed.stage, []
    for place in candidate.wrists:
        if candidate.kind == "wrap":
            grip = wrap_reached(stage, found.qpos, place, part_held(candidate, place), stage.obstacles)
        else:
            grip = press_reached(stage, found.qpos, place)
        cost += closed_hand_cost(stage, found.qpos, grip, candidate.kind, stage.obstacles)
        grips.append(grip)
    return cost, tuple(grips)


def _length(one: ContactInterval, other: ContactInterval) -> int:
    return max(one.stop, other.stop) - min(one.start, other.start)
