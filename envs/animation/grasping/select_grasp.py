"""Of all ways to lay hands on a thing the best: reached with ease, clear of everything, touching from two sides."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from devi_jax.core.errors import SceneError
from devi_jax.core.skeleton import FINGERS, SIDES
from envs.animation.grasping.grasp_candidates import Candidate, shifted
from envs.animation.grasping.graspable_parts import unit
from envs.animation.grasping.grip import Grip, hand_shape, press, wrap
from envs.animation.grasping.hand_paths import aside
from envs.animation.kinematics.crouch import bending, crouched
from envs.animation.kinematics.ik import Place, Solution, Task, solve
from envs.animation.kinematics.posed_scene import Stage, kinematics, pose
from envs.animation.kinematics.posture import footing, mirror, mobility, stay

POSED, CLOSED = 14, 5
"""How many candidates are posed by inverse kinematics, and how many of them close their fingers."""


@dataclass(frozen=True)
class Grasp:
    """The chosen hands: `grips` of one or two, and what it `cost` in the measures of `choose`."""

    candidate: Candidate
    grips: tuple[Grip, ...]
    cost: float


def choose(
    stage: Stage,
    standing: np.ndarray,
    candidates: Sequence[Candidate],
    thing: str,
    solid: tuple[str, ...],
    bent: bool = False,
    busy: str | None = None,
) -> Grasp:
    """The best grasp of `thing` by those who stand as `standing` (nq,).

    `solid`: geoms that no hand passes, the object first; `bent`: see `perform`; `busy`: a side whose wrist stays where
    it is. Raises `SceneError` when no candidate is there, or none is reached.
    """
    if not candidates:
        raise SceneError(
            f"no hand can close around '{thing}'",
            where="hand",
            valid="a thing, or a part of it, at most 10 cm wide; wider ones take both hands",
            fix="choose both hands, push it, or scale it down",
        )
    still = [*footing(stage, standing), *([stay(stage, standing, f"{busy}_wrist")] if busy else [])]
    posed = sorted((_posed(stage, standing, still, c, solid, bent) for c in _spread(candidates)), key=lambda p: p[2])
    reached = [p for p in posed if p[1].residual < _MISS_M]
    if not reached:
        _refuse(stage, standing, still, posed[0][0], thing, bent)
    grasps = [_closed(stage, *p, solid) for p in _varied(reached)]
    return min(grasps, key=lambda grasp: grasp.cost)


def _spread(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The least awkward ones, of either kind of hold and each place along the hand a few."""
    kinds: dict[Hashable, list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda c: c.awkward):
        kinds.setdefault(_hold(candidate), []).append(candidate)
    rows = sorted(kinds.values(), key=lambda row: row[0].awkward)
    share = max(2, POSED // len(rows))
    chosen = [candidate for row in rows for candidate in row[:share]]
    chosen += [candidate for row in rows[:2] for candidate in row[share : share + 4]]
    return sorted(chosen, key=lambda c: c.awkward)[:POSED]


def _varied(posed: Sequence[tuple[Candidate, Solution, float]]) -> list[tuple[Candidate, Solution, float]]:
    """The best of each kind of hold, then the next best: `CLOSED` of them."""
    firsts: dict[Hashable, int] = {}
    for k, (candidate, _, _) in enumerate(posed):
        firsts.setdefault(_hold(candidate), k)
    order = [*firsts.values(), *(k for k in range(len(posed)) if k not in firsts.values())]
    return [posed[k] for k in order[:CLOSED]]


def _hold(candidate: Candidate) -> Hashable:
    """What kind of hold it is: how far along the hand and from the palm the thing is, to a centimetre or two."""
    along, _, away = candidate.places[0].point
    return candidate.kind, round(abs(along) / 0.02), round(away / 0.015) if abs(along) > 0.1 else 0


def _posed(
    stage: Stage,
    standing: np.ndarray,
    still: Sequence[Task],
    candidate: Candidate,
    solid: tuple[str, ...],
    bent: bool,
) -> tuple[Candidate, Solution, float]:
    """The body with its hands at their places, and how it looks: awkward, strained, overlapping."""
    sides = tuple(place.body.split("_")[0] for place in candidate.places)
    free = mobility(stage, SIDES)
    low = min(place.position[2] for place in candidate.places)
    rest = crouched(stage, standing, float(bending(low))) if bent else standing
    found = solve(stage, (*still, *candidate.places), rest, free)
    cost = candidate.awkward + _effort(stage, rest, found.qpos, free)
    data = kinematics(stage, found.qpos)
    for side in sides:
        hand = [f"{side}_wrist", f"{side}_elbow"]
        cost += _PER_M * depth(stage, data, hand, (*solid, *_TRUNK))
        bent = mirror(side) * 2 * np.arctan2(*found.qpos[stage.quat(f"{side}_elbow")][[3, 0]])
        cost += 5.0 * max(0.0, 0.1 - bent)
    return candidate, found, cost


def _effort(stage: Stage, standing: np.ndarray, qpos: np.ndarray, free: np.ndarray) -> float:
    """Sum of squared turns over how readily each degree of freedom turns."""
    turned = np.zeros(stage.model.nv)
    mujoco.mj_differentiatePos(stage.model, turned, 1.0, standing, qpos)
    moved = free > 0
    return float(_EFFORT * (turned[moved] ** 2 / free[moved]).sum())


def _closed(stage: Stage, candidate: Candidate, found: Solution, cost: float, solid: tuple[str, ...]) -> Grasp:
    """The candidate with its fingers closed, and what is wrong about it added to its cost."""
    close = wrap_around if candidate.kind == "wrap" else _flat
    grips = tuple(close(stage, found.qpos, candidate, place, solid) for place in candidate.places)
    for grip in grips:
        bones = [f"{grip.side}_{finger}{k}" for finger in FINGERS for k in (1, 2, 3)]
        hand = [f"{grip.side}_wrist", *bones]
        closed = kinematics(stage, pose(stage, grip.closed, found.qpos))
        cost += 3 * _PER_M * depth(stage, closed, hand, solid)
        if candidate.kind == "wrap":
            cost += looseness(stage, closed, grip.side)
        for away in (np.zeros(3), aside(grip, grip.place.rotation)):
            cost += 3 * _PER_M * depth(stage, _ready(stage, found.qpos, grip, away), hand, (*solid, *_TRUNK))
    return Grasp(candidate, grips, cost)


def wrap_around(stage: Stage, standing: np.ndarray, candidate: Candidate, place: Place, solid: tuple[str, ...]) -> Grip:
    """A hand closed around the part of the object that a candidate means."""
    return wrap(stage, standing, place, part_held(candidate, place), solid)


def part_held(candidate: Candidate, place: Place) -> tuple[np.ndarray, np.ndarray]:
    """Centre (3,) and frame (3, 3) of the part of the object that a hand at `place` closes around."""
    one = unit(np.cross(candidate.axis, place.rotation[:, 2]))
    return candidate.centre, np.stack([one, np.cross(candidate.axis, one), candidate.axis], axis=1)


def _flat(stage: Stage, standing: np.ndarray, candidate: Candidate, place: Place, solid: tuple[str, ...]) -> Grip:
    return press(stage, standing, place)


def _ready(stage: Stage, qpos: np.ndarray, grip: Grip, away: np.ndarray) -> mujoco.MjData:
    """The hand shaped to grasp, `away` (3,) metres from its place: instead of the hand, the rest moves."""
    shaped = pose(stage, hand_shape(grip, 1.0, 0.0), qpos)
    found = solve(
        stage,
        (Place(grip.place.body, grip.place.position + away, grip.place.rotation, grip.place.point),),
        shaped,
        mobility(stage, (grip.side,)),
        iterations=15,
    )
    return kinematics(stage, found.qpos)


def looseness(stage: Stage, data: mujoco.MjData, side: str) -> float:
    """0 for a hold from two opposite sides by all fingers; grows with what is missing."""
    fingers = [touch(stage, data, f"{side}_{finger}{k}") for finger in FINGERS[:-1] for k in (2, 3)]
    thumb = [touch(stage, data, f"{side}_thumb{k}") for k in (2, 3)]
    palm = touch(stage, data, f"{side}_wrist")
    there = [way for gap, way in fingers if gap < _TOUCHING_M]
    against = [way for gap, way in thumb if gap < _TOUCHING_M]
    against += [palm[1]] if palm[0] < 2 * _TOUCHING_M else []
    if not there or not against:
        return 8.0
    opposed = -float(np.mean(there, axis=0) @ unit(np.sum(against, axis=0) + 1e-9))
    return 3.0 * (1 - opposed) + 0.4 * (8 - len(there)) + (0.0 if thumb[1][0] < _TOUCHING_M else 1.0)


def touch(stage: Stage, data: mujoco.MjData, geom: str) -> tuple[float, np.ndarray]:
    """Distance in metres of a geom from the object, and the unit vector (3,) from it into the object."""
    best, way = np.inf, np.zeros(3)
    ends = np.zeros(6)
    for other in stage.object_geoms:
        gap = mujoco.mj_geomDistance(stage.model, data, stage.model.geom(geom).id, other, 0.2, ends)
        if gap < best:
            best, way = gap, (ends[3:] - ends[:3]) / (gap if abs(gap) > 1e-9 else 1.0)
    return best, way


def depth(stage: Stage, data: mujoco.MjData, geoms: Sequence[str], others: Sequence[str]) -> float:
    """How deep the worst of the geoms is in the others, metres."""
    model, ends = stage.model, np.zeros(6)
    ids = [g for other in others for g in (stage.object_geoms if other == "object" else (model.geom(other).id,))]
    worst = min(mujoco.mj_geomDistance(model, data, model.geom(a).id, b, 0.05, ends) for a in geoms for b in ids)
    return max(0.0, -worst)


def _refuse(
    stage: Stage, standing: np.ndarray, still: Sequence[Task], candidate: Candidate, thing: str, bent: bool
) -> None:
    """Raise with how far the thing would have to come nearer to be reached so."""
    wrist = kinematics(stage, standing).body(candidate.places[0].body)
    home = wrist.xpos + [0.0, 0.2, 0.2]
    way = home - candidate.places[0].position
    near, far = 1.0, 0.0  # shares of the way: reached, not reached
    for _ in range(7):
        middle = (near + far) / 2
        _, found, _ = _posed(stage, standing, still, shifted(candidate, middle * way), (), bent)
        reached = found.residual < _MISS_M
        near, far = (middle, far) if reached else (near, middle)
    side = candidate.places[0].body.split("_")[0]
    raise SceneError(
        f"unreachable: '{thing}' is {near * np.linalg.norm(way):.2f} m beyond the {side} hand's reach",
        where=f"things: {thing}",
        valid="within reach of a human that stands where it is",
        fix="move the thing nearer to the human, or take the other hand",
    )


_TRUNK = ("pelvis", "spine1", "spine2", "spine3", "left_hip", "right_hip")
_MISS_M = 1e-3
_PER_M = 300.0  # a millimetre of overlap costs as much as a third of a radian
_EFFORT = 0.25
_TOUCHING_M = 0.003
