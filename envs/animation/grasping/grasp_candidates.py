"""The ways hands could lie on a thing: where the wrists would be, cheapest guess of comfort first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from envs.animation.grasping.close_fingers import in_palm
from envs.animation.grasping.graspable_parts import WIDEST_M, Handle, extent, faces, near, unit
from envs.animation.kinematics.ik import FrameTask
from envs.animation.kinematics.posed_scene import PosedScene, kinematics
from envs.animation.kinematics.posture import mirror


@dataclass(frozen=True)
class GraspCandidate:
    """One way to lay hands on an object, before anything is posed.

    `kind`: fingers wrap around it, or flat hands press; `wrists`: where one wrist or both would be; `centre`, `axis`
    (3,): the point and unit vector about which a thumb opposes; `comfort_cost`: 0 is the most natural reach.
    """

    kind: Literal["wrap", "press"]
    wrists: tuple[FrameTask, ...]
    centre: np.ndarray
    axis: np.ndarray
    comfort_cost: float


def wrap_candidates(
    stage: PosedScene,
    standing: np.ndarray,
    side: str,
    points: np.ndarray,
    held: Sequence[Handle],
    ground_m: float = -np.inf,
) -> list[GraspCandidate]:
    """Closed hands around a thing whose surface is `points` (N, 3), by any of its handles; world frame, metres.

    `ground_m`: the height of its support, under which no hand goes.
    """
    shoulder = np.array(kinematics(stage, standing).body(f"{side}_shoulder").xpos)
    found = []
    for rank, handle in enumerate(held):
        offsets = near(points, handle)
        for thumb, palm in _directions(handle.axis):
            fingers = fingers_of(side, palm, thumb)
            comfort = _comfort_cost(side, fingers, palm, thumb, handle.centre - shoulder)
            rotation, up = wrist_rotation(side, palm, thumb), np.sign(handle.axis[2]) * handle.axis
            for centre, along, gap in holds(offsets, fingers, palm):
                for higher in _HIGHER_M if abs(handle.axis[2]) > 0.7 else (0.0,):
                    at = handle.centre + centre + higher * up
                    place = place_in_palm(stage, side, at, rotation, along, gap)
                    cost = comfort + 0.15 * rank + 10 * higher + sunk_cost(place, ground_m)
                    found.append(GraspCandidate("wrap", (place,), at, handle.axis, cost))
    return sorted(found, key=lambda c: c.comfort_cost)


def push_candidates(
    stage: PosedScene, standing: np.ndarray, sides: Sequence[str], points: np.ndarray, towards: np.ndarray
) -> list[GraspCandidate]:
    """One flat hand or two side by side on the face of a thing from which the level unit vector `towards` (3,) leads
    through it."""
    face = faces(points, towards)[0]
    across = np.cross(towards, [0.0, 0.0, 1.0])
    apart = min(_APART_M, float(np.ptp(points @ across)) / 4) if len(sides) > 1 else 0.0
    data = kinematics(stage, standing)
    found = []
    for angle in np.radians(np.arange(0, 360, _STEP_DEG)):
        for along in _ALONG_M:
            places, cost = [], 4 * (along - _ALONG_M[0])
            for side in sides:
                thumb = np.cos(angle) * np.array([0.0, 0.0, 1.0]) - mirror(side) * np.sin(angle) * across
                spot = face + mirror(side) * np.sign(across[0] or 1.0) * apart * across
                point = in_palm(stage, side, along, 0.0, _FLAT_M)
                places.append(FrameTask(f"{side}_wrist", spot, wrist_rotation(side, towards, thumb), point))
                reach = spot - data.body(f"{side}_shoulder").xpos
                cost += _comfort_cost(side, fingers_of(side, towards, thumb), towards, thumb, reach)
                cost += _PER_M * _sunk(places[-1], _FLAT_HAND, float(points[:, 2].min()))
            found.append(GraspCandidate("press", tuple(places), face, towards, cost))
    return sorted(found, key=lambda c: c.comfort_cost)


def clasp_candidates(
    stage: PosedScene, points: np.ndarray, across: Sequence[np.ndarray], ground_m: float = -np.inf
) -> list[GraspCandidate]:
    """Two flat hands on opposite faces of a thing, along any of the horizontal unit vectors `across`."""
    found = []
    for direction in across:
        right = direction * (1.0 if direction[0] >= 0 else -1.0)
        sides = dict(zip(("left", "right"), faces(points, right), strict=True))
        for pitch in _PITCHES_DEG:
            for along in _ALONG_M:
                places = tuple(
                    _on_face(stage, side, face, -mirror(side) * right, pitch, along) for side, face in sides.items()
                )
                cost = 2.0 * (1 - right[0]) + abs(pitch + 20.0) / 60.0 + 4 * (along - _ALONG_M[0])
                cost += _PER_M * max(_sunk(place, _FLAT_HAND, ground_m) for place in places)
                middle = (sides["left"] + sides["right"]) / 2
                found.append(GraspCandidate("press", places, middle, right, cost))
    return sorted(found, key=lambda c: c.comfort_cost)


def wrist_rotation(side: str, palm: np.ndarray, thumb: np.ndarray) -> np.ndarray:
    """Wrist rotation (3, 3) whose palm faces `palm` and whose thumb points to `thumb`, unit vectors at right angles."""
    return np.stack([np.cross(thumb, -palm), thumb, -palm], axis=1)


def fingers_of(side: str, palm: np.ndarray, thumb: np.ndarray) -> np.ndarray:
    """Where the fingers of a flat hand point (3,)."""
    return mirror(side) * np.cross(palm, thumb)


def shifted(candidate: GraspCandidate, by: np.ndarray) -> GraspCandidate:
    """The same grasp of the thing elsewhere, `by` (3,) metres."""
    wrists = tuple(replace(wrist, position=wrist.position + by) for wrist in candidate.wrists)
    return replace(candidate, wrists=wrists, centre=candidate.centre + by)


def _directions(axis: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Thumbs along an axis, either way, with palms all around it."""
    one = unit(np.cross(axis, [0.0, 0.0, 1.0] if abs(axis[2]) < 0.9 else [1.0, 0.0, 0.0]))
    other = np.cross(axis, one)
    for angle in np.radians(np.arange(0, 360, _STEP_DEG)):
        around = np.cos(angle) * one + np.sin(angle) * other
        yield axis, around
        yield -axis, around


def place_in_palm(
    stage: PosedScene, side: str, at: np.ndarray, rotation: np.ndarray, along: float, gap: float
) -> FrameTask:
    """A wrist turned by `rotation` (3, 3) that has the point `at` (3,) so far along its hand and from its palm."""
    return FrameTask(f"{side}_wrist", at, rotation, in_palm(stage, side, along, ACROSS_M, gap))


def sunk_cost(place: FrameTask, ground_m: float) -> float:
    """What it costs that a half-closed hand is partly below a height."""
    return _PER_M * _sunk(place, _HALF_CLOSED, ground_m)


def holds(offsets: np.ndarray, fingers: np.ndarray, palm: np.ndarray) -> Iterator[tuple[np.ndarray, float, float]]:
    """Shift of the centre (3,), place along the hand and distance from the palm of hands that could close around."""
    if not len(offsets):
        return
    above, below = extent(offsets, palm)
    # a crown may widen below the fingers; an edge that widens all the way is no hold
    for depth in (_FINGERS_M, _TIPS_M):
        before, behind = _breadth(offsets, fingers, palm, depth - above)
        steady = sum(_breadth(offsets, fingers, palm, depth / 2 - above)) > _STEADY * (before + behind)
        if before + behind <= WIDEST_M and steady:
            break
    else:
        return
    breadth = before + behind
    centre = (behind - before) / 2 * fingers
    if above + below > _THIN_M or breadth < 1.5 * (above + below):
        yield centre, IN_FIST_M, above + _GAP_M
    if breadth > _NARROW_M and above + below < _PLATE_M:
        for standoff in _STANDOFFS_M:
            yield centre, _PINCH_M - breadth / 2, above + standoff


def _breadth(offsets: np.ndarray, fingers: np.ndarray, palm: np.ndarray, depth_m: float) -> tuple[float, float]:
    """How far what is less than `depth_m` along the palm's direction goes against and along the fingers, metres."""
    return extent(offsets[offsets @ palm < depth_m], fingers)


def _sunk(place: FrameTask, corners: np.ndarray, ground_m: float) -> float:
    """How far corners (N, 3) of a right hand, mirrored for a left one, are below a height, metres."""
    sign = mirror(place.body.split("_")[0])
    there = place.position + (corners * [sign, 1, 1] - place.point) @ place.rotation.T
    return max(0.0, ground_m - float(there[:, 2].min()))


def _comfort_cost(side: str, fingers: np.ndarray, palm: np.ndarray, thumb: np.ndarray, reach: np.ndarray) -> float:
    """How unlike a natural reach: fingers go on along the arm, palms look inwards or down, thumbs up or inwards."""
    outwards = np.array([mirror(side), 0.0, 0.0])
    level = unit([reach[0], reach[1], 0.5 * reach[2]])
    bent = np.arccos(np.clip(fingers @ level, -1, 1))
    return float(
        bent**2
        + 1.0 * max(0.0, palm @ outwards)
        + 1.5 * max(0.0, palm[2])
        + 1.0 * max(0.0, -thumb[2])
        + 0.7 * max(0.0, thumb @ outwards)
    )


def _on_face(
    stage: PosedScene, side: str, face: np.ndarray, palm: np.ndarray, pitch_deg: float, along: float
) -> FrameTask:
    """A flat hand on a face with its fingers ahead, up by `pitch_deg`."""
    level = mirror(side) * np.cross(palm, [0.0, 0.0, 1.0])
    pitch = np.radians(pitch_deg)
    thumb = np.cos(pitch) * np.array([0.0, 0.0, 1.0]) - np.sin(pitch) * level
    return FrameTask(
        f"{side}_wrist", face, wrist_rotation(side, palm, thumb), in_palm(stage, side, along, 0.0, _FLAT_M)
    )


_STEP_DEG = 15
_HIGHER_M = (0.0, 0.015, 0.03)  # along what stands upright, for the little finger to clear the table
_STEADY, _FINGERS_M, _TIPS_M = 0.6, 0.05, 0.03  # how far beyond the palm fingers close, and how far at least
_PITCHES_DEG = (-20.0, 0.0, -45.0, -70.0)
_ALONG_M = (0.090, 0.125, 0.160, 0.190)  # palm, knuckles, fingers, tips
_PALM = np.array([[x, y, z] for x in (0.0, 0.12) for y in (-0.05, 0.04) for z in (-0.022, 0.010)])
_FLAT_HAND = np.concatenate([_PALM, [[0.20, 0.02, -0.015], [0.20, -0.02, -0.015]]])
_HALF_CLOSED = np.concatenate([_PALM, [[0.185, 0.02, -0.04], [0.185, -0.02, -0.04]]])
_PER_M = 60.0
IN_FIST_M, ACROSS_M, _GAP_M, _FLAT_M = 0.090, 0.008, 0.003, 0.002
_THIN_M, _PLATE_M, _NARROW_M = (
    0.03,
    0.045,
    0.01,
)  # plates are pinched at their edges, by fingertips at most this far along the hand
_APART_M = 0.14
_PINCH_M, _STANDOFFS_M = 0.165, (0.030, 0.045, 0.060)
