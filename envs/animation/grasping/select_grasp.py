"""The best of all grasp candidates: reached with ease, clear of everything, touching from two sides."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from devi_jax.core.errors import SceneError
from devi_jax.core.skeleton import SIDES
from envs.animation.grasping.grasp_candidates import GraspCandidate, shifted
from envs.animation.grasping.grasp_cost import OVERLAP_COST_PER_M, closed_hand_cost, depth, effort_cost, hand_geoms
from envs.animation.grasping.graspable_parts import unit
from envs.animation.grasping.grip import HandGrasp, hand_shape, press, wrap
from envs.animation.grasping.hand_paths import aside
from envs.animation.kinematics.crouch import bending, crouched
from envs.animation.kinematics.ik import FrameTask, Solution, Task, solve
from envs.animation.kinematics.posed_scene import PosedScene, kinematics, pose
from envs.animation.kinematics.posture import keep_body, mirror, mobility, stance_tasks

POSED, CLOSED = 14, 5
"""How many candidates are posed by inverse kinematics, and how many of them close their fingers."""


@dataclass(frozen=True)
class SelectedGrasp:
    """The chosen candidate, its hands' `grips` (one or two) and its `cost` as `choose_grasp` counts it."""

    candidate: GraspCandidate
    grips: tuple[HandGrasp, ...]
    cost: float


def choose_grasp(
    stage: PosedScene,
    standing: np.ndarray,
    candidates: Sequence[GraspCandidate],
    thing: str,
    solid: tuple[str, ...],
    bent: bool = False,
    busy: str | None = None,
) -> SelectedGrasp:
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
    still = [*stance_tasks(stage, standing), *([keep_body(stage, standing, f"{busy}_wrist")] if busy else [])]
    posed = sorted((_posed(stage, standing, still, c, solid, bent) for c in _spread(candidates)), key=lambda p: p[2])
    reached = [p for p in posed if p[1].residual < _MISS_M]
    if not reached:
        _refuse(stage, standing, still, posed[0][0], thing, bent)
    grasps = [_closed(stage, *p, solid) for p in _varied(reached)]
    return min(grasps, key=lambda grasp: grasp.cost)


def _spread(candidates: Sequence[GraspCandidate]) -> list[GraspCandidate]:
    """The candidates of least comfort cost: a few of each kind of grasp and of each place along the hand."""
    kinds: dict[Hashable, list[GraspCandidate]] = {}
    for candidate in sorted(candidates, key=lambda c: c.comfort_cost):
        kinds.setdefault(_hold(candidate), []).append(candidate)
    rows = sorted(kinds.values(), key=lambda row: row[0].comfort_cost)
    share = max(2, POSED // len(rows))
    chosen = [candidate for row in rows for candidate in row[:share]]
    chosen += [candidate for row in rows[:2] for candidate in row[share : share + 4]]
    return sorted(chosen, key=lambda c: c.comfort_cost)[:POSED]


def _varied(posed: Sequence[tuple[GraspCandidate, Solution, float]]) -> list[tuple[GraspCandidate, Solution, float]]:
    """The best of each kind of hold, then the next best: `CLOSED` of them."""
    firsts: dict[Hashable, int] = {}
    for k, (candidate, _, _) in enumerate(posed):
        firsts.setdefault(_hold(candidate), k)
    order = [*firsts.values(), *(k for k in range(len(posed)) if k not in firsts.values())]
    return [posed[k] for k in order[:CLOSED]]


def _hold(candidate: GraspCandidate) -> Hashable:
    """What kind of hold it is: how far along the hand and from the palm the thing is, to a centimetre or two."""
    along, _, away = candidate.wrists[0].point
    return candidate.kind, round(abs(along) / 0.02), round(away / 0.015) if abs(along) > 0.1 else 0


def _posed(
    stage: PosedScene,
    standing: np.ndarray,
    still: Sequence[Task],
    candidate: GraspCandidate,
    solid: tuple[str, ...],
    bent: bool,
) -> tuple[GraspCandidate, Solution, float]:
    """The body with its hands in place, and its cost: comfort, effort and overlap."""
    sides = tuple(place.body.split("_")[0] for place in candidate.wrists)
    free = mobility(stage, SIDES)
    low = min(place.position[2] for place in candidate.wrists)
    rest = crouched(stage, standing, float(bending(low))) if bent else standing
    found = solve(stage, (*still, *candidate.wrists), rest, free)
    cost = candidate.comfort_cost + effort_cost(stage, rest, found.qpos, free)
    data = kinematics(stage, found.qpos)
    for side in sides:
        hand = [f"{side}_wrist", f"{side}_elbow"]
        cost += OVERLAP_COST_PER_M * depth(stage, data, hand, (*solid, *_TRUNK))
        elbow = mirror(side) * 2 * np.arctan2(*found.qpos[stage.quat(f"{side}_elbow")][[3, 0]])
        cost += 5.0 * max(0.0, 0.1 - elbow)
    return candidate, found, cost


def _closed(
    stage: PosedScene, candidate: GraspCandidate, found: Solution, cost: float, solid: tuple[str, ...]
) -> SelectedGrasp:
    """The candidate with its fingers closed, and what is wrong about it added to its cost."""
    close = wrap_around if candidate.kind == "wrap" else _flat
    grips = tuple(close(stage, found.qpos, candidate, place, solid) for place in candidate.wrists)
    for grip in grips:
        cost += closed_hand_cost(stage, found.qpos, grip, candidate.kind, solid)
        for away in (np.zeros(3), aside(grip, grip.wrist.rotation)):
            cost += (
                3
                * OVERLAP_COST_PER_M
                * depth(stage, _ready(stage, found.qpos, grip, away), hand_geoms(grip.side), (*solid, *_TRUNK))
            )
    return SelectedGrasp(candidate, grips, cost)


def wrap_around(
    stage: PosedScene, standing: np.ndarray, candidate: GraspCandidate, place: FrameTask, solid: tuple[str, ...]
) -> HandGrasp:
    """A hand closed around the part of the object that a candidate means."""
    return wrap(stage, standing, place, part_held(candidate, place), solid)


def part_held(candidate: GraspCandidate, place: FrameTask) -> tuple[np.ndarray, np.ndarray]:
    """Centre (3,) and frame (3, 3) of the part of the object that a hand at `place` closes around."""
    one = unit(np.cross(candidate.axis, place.rotation[:, 2]))
    return candidate.centre, np.stack([one, np.cross(candidate.axis, one), candidate.axis], axis=1)


def _flat(
    stage: PosedScene, standing: np.ndarray, candidate: GraspCandidate, place: FrameTask, solid: tuple[str, ...]
) -> HandGrasp:
    return press(stage, standing, place)


def _ready(stage: PosedScene, qpos: np.ndarray, grip: HandGrasp, away: np.ndarray) -> mujoco.MjData:
    """The hand shaped to grasp, `away` (3,) metres from its place: instead of the hand, the rest moves."""
    shaped = pose(stage, hand_shape(grip, 1.0, 0.0), qpos)
    found = solve(
        stage,
        (FrameTask(grip.wrist.body, grip.wrist.position + away, grip.wrist.rotation, grip.wrist.point),),
        shaped,
        mobility(stage, (grip.side,)),
        iterations=15,
    )
    return kinematics(stage, found.qpos)


def _refuse(
    stage: PosedScene, standing: np.ndarray, still: Sequence[Task], candidate: GraspCandidate, thing: str, bent: bool
) -> None:
    """Raise with how far the thing would have to come nearer to be reached so."""
    wrist = kinematics(stage, standing).body(candidate.wrists[0].body)
    home = wrist.xpos + [0.0, 0.2, 0.2]
    way = home - candidate.wrists[0].position
    near, far = 1.0, 0.0  # shares of the way: reached, not reached
    for _ in range(7):
        middle = (near + far) / 2
        _, found, _ = _posed(stage, standing, still, shifted(candidate, middle * way), (), bent)
        reached = found.residual < _MISS_M
        near, far = (middle, far) if reached else (near, middle)
    side = candidate.wrists[0].body.split("_")[0]
    raise SceneError(
        f"unreachable: '{thing}' is {near * np.linalg.norm(way):.2f} m beyond the {side} hand's reach",
        where=f"things: {thing}",
        valid="within reach of a human that stands where it is",
        fix="move the thing nearer to the human, or take the other hand",
    )


_TRUNK = ("pelvis", "spine1", "spine2", "spine3", "left_hip", "right_hip")
_MISS_M = 1e-3
