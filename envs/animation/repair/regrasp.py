"""Hands that truly hold the object: each seen hold becomes its likeliest grip, taken as a hand takes a thing.

The object's path stays and arms follow, by inverse kinematics. What is no hold, nor near one in time, stays as it was.
"""

from dataclasses import dataclass, replace

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.clip import Clip
from devi_jax.core.rotations import quat_log
from devi_jax.core.skeleton import HAND_BODIES, JOINTS, SIDES
from envs.animation.grasping.grip import HandGrasp, hand_shape
from envs.animation.grasping.hand_paths import aside
from envs.animation.kinematics.ik import FrameTask, solve
from envs.animation.kinematics.minimum_jerk import phase
from envs.animation.kinematics.posed_scene import kinematics, pose
from envs.animation.repair.infer_grasp import ContactInterval, arms, best_grasps, contact_intervals
from envs.animation.repair.posed_clip import PosedClip, pose_clip, with_note, with_postures
from envs.physics.scene_model import Scene

SETTLE_S = 0.2
"""So long before the object moves it is held."""
COME_S, DOWN_S, CLOSE_S = 0.5, 0.27, 0.4
"""The hand comes from where it was seen to beside its place, goes there, and closes; it leaves the same way back."""
NEAR_M = 0.05
"""A hand that is seen this near to its grip is believed on its way: there it goes straight from where it is seen."""
OPEN_S, BESIDE = 0.2, 0.5
"""So quickly it opens there, and goes beside the object, by this part of the usual way."""
MOVED_M = 0.005
"""An object this far from where it was has moved."""


def replace_grasps(clip: Clip, scene: Scene, near_seen: np.ndarray | None = None) -> Clip:
    """The clip with each hold of the object replaced by the grip that is likeliest by looks and reach (`best_grasps`).

    Contact labels begin at the grip, in time for the object to move. Without object poses or contact, and where no hand
    can hold the object, the clip stays as it is; provenance says what was done.
    """
    found = contact_intervals(clip)
    if clip.scene.object is None or clip.object_poses is None or not found:
        return clip
    posed = pose_clip(scene, clip)
    found = _in_time(posed, found, clip.fps)
    contact, notes = np.array(clip.contact), []
    for hold in found:
        grips = best_grasps(posed, clip, hold, near_seen)
        if grips is None:
            notes.append(
                f"grip: frames {hold.start} to {hold.stop - 1} kept as seen, no hand can hold the object there"
            )
            continue
        before = _wrists(posed, hold)
        straight = near_seen is not None and _as_seen(before[0], grips)
        posed, miss = _taken(posed, hold, grips, _times(hold, found, posed.frames, clip.fps, straight), straight)
        moved = np.linalg.norm(_wrists(posed, hold) - before, axis=-1).max()
        contact[hold.start : hold.stop, [SIDES.index(side) for side in hold.sides]] = 1.0
        notes.append(
            f"grip: {' and '.join(hold.sides)}, frames {hold.start} to {hold.stop - 1}, the likeliest one in place of "
            f"what was seen; wrists moved by up to {1e3 * moved:.0f} mm, missed by {1e3 * miss:.0f}"
        )
    out = with_postures(posed, replace(clip, contact=contact), notes[0])
    for note in notes[1:]:
        out = with_note(out, note)
    return out


def _in_time(posed: PosedClip, found: list[ContactInterval], fps: float) -> list[ContactInterval]:
    """The holds, those of an object at rest begun early enough before it moves."""
    path, out, free = posed.qpos[:, posed.stage.object][:, :3], [], 0
    for hold in found:
        start = hold.start
        if free < start:  # nobody holds it in between
            away = np.flatnonzero(np.linalg.norm(path[free : hold.stop] - path[free], axis=1) > MOVED_M)
            moves = free + int(away[0]) if len(away) else hold.stop
            start = max(free, min(start, moves - round(SETTLE_S * fps)))
        out.append(replace(hold, start=start))
        free = max(free, hold.stop)
    return out


@dataclass(frozen=True)
class _Times:
    """Frames of one hold: the hand begins to `come`, is `beside`, is `there`, has `closed`; and the way back."""

    come: float
    beside: float
    there: float
    closed: float
    opens: float
    off: float
    beyond: float
    gone: float


def _as_seen(wrists: np.ndarray, grips: tuple[HandGrasp, ...]) -> bool:
    """Whether wrists (S, 3) are near to their grips."""
    places = [grip.wrist.position - grip.wrist.rotation @ grip.wrist.point for grip in grips]
    return bool(np.linalg.norm(wrists - places, axis=-1).max() < NEAR_M)


def _times(
    hold: ContactInterval, found: list[ContactInterval], frames: int, fps: float, straight: bool = False
) -> _Times:
    """As the constants say, quicker where the clip, or another hold of the same hand, leaves not so much time.

    A hand that goes `straight` to its grip closes on the way; it opens before it leaves, and not far beside the object.
    """
    same = [other for other in found if {*other.sides} & {*hold.sides}]
    before = [(hold.start - other.stop) / 2 for other in same if other.start < hold.start]
    after = [(other.start - hold.stop) / 2 for other in same if other.start > hold.start]
    steps = np.cumsum([0.0, CLOSE_S, DOWN_S, COME_S]) * fps
    lead = min(1.0, max(1.0, min(before, default=hold.start)) / steps[-1])
    trail = min(1.0, max(1.0, min(after, default=frames - hold.stop)) / steps[-1])
    if straight:
        first = hold.start - lead * steps[1]
        off, beside, last = hold.stop + trail * np.cumsum([OPEN_S, OPEN_S, CLOSE_S]) * fps
        return _Times(first, hold.start, first, hold.start, hold.stop, off, beside, last)
    return _Times(*(hold.start - lead * steps)[::-1], *(hold.stop + trail * steps))


def _taken(
    posed: PosedClip, hold: ContactInterval, grips: tuple[HandGrasp, ...], times: _Times, straight: bool
) -> tuple[PosedClip, float]:
    """The postures with a hold's hands on the object, and by how much a wrist missed its place at worst."""
    stage, frame = posed.stage, np.arange(posed.frames)
    thing = posed.qpos[np.clip(frame, hold.start, hold.stop - 1)][:, stage.object]
    part = phase(frame, times.come, times.beside) * (1 - phase(frame, times.beyond, times.gone))
    ready = 1 - (BESIDE if straight else 1.0) * phase(frame, times.off, times.beyond)
    ready = ready if straight else ready * phase(frame, times.beside, times.there)
    closing = phase(frame, times.there, times.closed) * (1 - phase(frame, times.opens, times.off))
    out, miss, free = np.array(posed.qpos), 0.0, arms(posed, hold.sides)
    for t in np.flatnonzero(part > 1e-4):
        seen, tasks, rest = kinematics(stage, posed.qpos[t]), [], posed.qpos[t]
        for grip in grips:
            place = _carried(grip, thing[hold.start], thing[t], ready[t])
            wrist = seen.body(place.body)
            tasks.append(_between(wrist.xpos, np.array(wrist.xquat), place, part[t]))
            rest = pose(stage, _shape(posed, int(t), grip, part[t], closing[t]), rest)
        found = solve(stage, tasks, rest, free, iterations=30)
        out[t] = found.qpos
        miss = max(miss, found.residual) if part[t] > 1 - 1e-6 else miss
    return replace(posed, qpos=out), miss


def _carried(grip: HandGrasp, start: np.ndarray, now: np.ndarray, ready: float) -> FrameTask:
    """A grip's place when the object has gone from the pose `start` (7,) to `now`; beside it, where `ready` is 0."""
    turn = rot.quat_to_matrix(rot.quat_mul(now[3:], rot.quat_conj(start[3:])))
    rotation = turn @ grip.wrist.rotation
    at = now[:3] + turn @ (grip.wrist.position - start[:3]) + (1 - ready) * aside(grip, rotation)
    return replace(grip.wrist, position=at - rotation @ grip.wrist.point, rotation=rotation, point=np.zeros(3))


def _between(position: np.ndarray, quat: np.ndarray, place: FrameTask, part: float) -> FrameTask:
    """A wrist's pose on the way from where it was seen to its place."""
    turned = rot.slerp(quat, rot.matrix_to_quat(place.rotation), np.asarray(part))
    return replace(place, position=(1 - part) * position + part * place.position, rotation=rot.quat_to_matrix(turned))


def _shape(posed: PosedClip, t: int, grip: HandGrasp, part: float, closing: float) -> dict[str, np.ndarray]:
    """Rotation vectors of the hand's joints between those seen and the grip's."""
    wanted = hand_shape(grip, 1.0, closing)
    out = {}
    for i in HAND_BODIES[SIDES.index(grip.side)][1:]:
        seen = posed.qpos[t][posed.stage.quat(JOINTS[i])]
        out[JOINTS[i]] = quat_log(rot.slerp(seen, rot.quat_exp(wanted[JOINTS[i]]), np.asarray(part)))
    return out


def _wrists(posed: PosedClip, hold: ContactInterval) -> np.ndarray:
    """Positions (F, S, 3) of a hold's wrists in its frames."""
    frames = range(hold.start, hold.stop)
    return np.array(
        [[kinematics(posed.stage, posed.qpos[t]).body(f"{side}_wrist").xpos for side in hold.sides] for t in frames]
    )
