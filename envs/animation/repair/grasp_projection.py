"""A grasp out of penetration: in each frame the least change of wrist and fingers that leaves the hand on the surface.

Recorded hands are joints without skin: their phalanges lie centimetres deep in the object, and a simulator would eject
it. From the key frame of a contact, the medoid of the hand's pose in the object, changes spread frame by frame.
"""

from dataclasses import replace

import mujoco
import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import least_squares

from devi_jax.core import rotations as rot
from devi_jax.core.clip import Clip
from devi_jax.core.skeleton import FINGERS, SIDES
from envs.animation.kinematics.ik import Place, solve
from envs.animation.kinematics.posture import mirror
from envs.animation.repair.posed_clip import Posed, at, clearances, pose_clip, to_clip
from envs.physics.scene_model import Scene

DEPTH_M = 0.001
"""Overlap that is left: contact needs some."""
TOUCHING_M = 0.004
"""What is nearer than this in the recording touches, and goes on touching."""
REACH_M = 0.04
"""Frames outside of contact count while the hand is this near to the object."""
_SCALES = np.array([0.01] * 3 + [0.15] * 3 + [0.3] * 8 + [0.3] * 5)  # of wrist shift, wrist turn, fingers, thumb
_PULL, _SMOOTH = 0.3, 1.0  # towards no change; towards the neighbouring frame's
_SIGMA, _FADE = 1.5, 0.85
_ARM = {"collar": 0.1, "shoulder": 1.0, "elbow": 0.8, "wrist": 0.5}


def projected(clip: Clip, scene: Scene) -> Clip:
    """The clip with both hands out of the object by `DEPTH_M`, touching where they touched; the same without contact.

    Wrists follow by inverse kinematics of their arms; the object's motion stays.
    """
    if clip.scene.object is None or clip.object_poses is None or clip.onset >= clip.frames:
        return clip
    posed = pose_clip(scene, clip)
    moves, misses = [], []
    for s, side in enumerate(SIDES):
        if clip.contact[:, s].max() > 0.5:
            changes = _changes(posed, s, clip.contact[:, s] > 0.5)
            posed, miss = _applied(posed, side, changes)
            moves.append(float(np.linalg.norm(changes[:, :3], axis=1).max()))
            misses.append(miss)
    note = (
        f"grasp: wrists moved by up to {1e3 * max(moves):.0f} mm out of the object, missed by {1e3 * max(misses):.0f}"
    )
    return to_clip(posed, clip, note)


def key_frame(posed: Posed, side: int, frames: np.ndarray) -> int:
    """The frame of `frames` whose pose of the hand in the object is nearest to all others'."""
    data = mujoco.MjData(posed.stage.model)
    places, turns = [], []
    for t in frames:
        at(posed, int(t), data)
        thing, wrist = data.body("object"), data.body(f"{SIDES[side]}_wrist")
        places.append(rot.rotate_inverse(np.array(thing.xquat), wrist.xpos - thing.xpos))
        turns.append(rot.quat_mul(rot.quat_conj(np.array(thing.xquat)), np.array(wrist.xquat)))
    place, turn = np.array(places), np.array(turns)
    apart = np.linalg.norm(place[:, None] - place, axis=-1)
    apart += 0.1 * rot.angle_between(turn[:, None], np.broadcast_to(turn, (len(turn), len(turn), 4)))
    return int(frames[apart.sum(axis=1).argmin()])


def _changes(posed: Posed, side: int, contact: np.ndarray) -> np.ndarray:
    """Changes (T, 19) of one hand, `_SCALES` long; zero where it is far from the object."""
    frames, count = posed.frames, len(_SCALES)
    data = mujoco.MjData(posed.stage.model)
    raw = np.array(
        [clearances(posed.stage.model, at(posed, t, data), posed.hands[side], posed.parts) for t in range(frames)]
    )
    busy = contact | (raw.min(axis=1) < REACH_M)
    key = key_frame(posed, side, np.flatnonzero(contact))
    out = np.zeros((frames, count))
    touching = np.where(contact[:, None], raw < TOUCHING_M, False)
    out[key] = _fit(posed, side, key, touching[key], np.zeros(count), evaluations=12)
    for step in (1, -1):
        last = out[key]
        for t in range(key + step, frames if step > 0 else -1, step):
            near = last if contact[t] else _FADE * last
            last = out[t] = _fit(posed, side, t, touching[t], near) if busy[t] else near
    return gaussian_filter1d(out, _SIGMA, axis=0, mode="nearest")


def _fit(posed: Posed, side: int, t: int, touching: np.ndarray, near: np.ndarray, evaluations: int = 4) -> np.ndarray:
    """The change (19,) at frame t nearest to none and to `near` (19,) that overlaps little and touches what touched.

    Not the wrist moves but the object, the other way, so that no arm has to follow.
    """
    stage, model = posed.stage, posed.stage.model
    data = at(posed, t)
    wrist, thing = np.array(data.body(f"{SIDES[side]}_wrist").xpos), posed.qpos[t][stage.object]

    def residuals(x: np.ndarray) -> np.ndarray:
        change = x * _SCALES
        data.qpos[:] = _fingers_turned(posed, SIDES[side], posed.qpos[t], change[6:])
        shift, back = rot.rotate(thing[3:], change[:3]), rot.quat_exp(-rot.rotate(thing[3:], change[3:6]))
        place = rot.rotate(back, thing[:3] - wrist - shift) + wrist
        data.qpos[stage.object] = np.concatenate([place, rot.quat_mul(back, thing[3:])])
        mujoco.mj_kinematics(model, data)
        gaps = 1e3 * clearances(model, data, posed.hands[side], posed.parts)
        overlap = np.maximum(0.0, -gaps - 1e3 * DEPTH_M)
        away = np.where(touching, np.maximum(0.0, gaps), 0.0)
        return np.concatenate([2.0 * overlap, 0.5 * away, _PULL * x, _SMOOTH * (x - near / _SCALES)])

    return _SCALES * least_squares(residuals, near / _SCALES, diff_step=1e-2, max_nfev=evaluations).x


def _fingers_turned(posed: Posed, side: str, qpos: np.ndarray, change: np.ndarray) -> np.ndarray:
    """The posture (nq,) with the hand's joints turned by a change of fingers and thumb (13,)."""
    out = np.array(qpos)
    for joint, turn in _finger_turns(posed, side, change).items():
        place = posed.stage.quat(joint)
        out[place] = rot.quat_mul(out[place], rot.quat_exp(turn))
    return out


def _finger_turns(posed: Posed, side: str, change: np.ndarray) -> dict[str, np.ndarray]:
    """Rotation vectors of the hand's joints: knuckles and the rest of four fingers, then five of the thumb."""
    s = mirror(side)
    out = {}
    for k, finger in enumerate(FINGERS[:-1]):
        knuckle, rest = change[2 * k : 2 * k + 2]
        for joint, bend in ((1, knuckle), (2, rest), (3, 0.6 * rest)):
            out[f"{side}_{finger}{joint}"] = np.array([0.0, s * bend, 0.0])
    axis = np.cross(posed.stage.model.body(f"{side}_thumb3").pos, [0.0, -1.0, -1.0])
    axis /= np.linalg.norm(axis)
    thumb = change[8:]
    out[f"{side}_thumb1"] = thumb[:3] * [1.0, s, s]
    return out | {f"{side}_thumb2": axis * thumb[3], f"{side}_thumb3": axis * thumb[4]}


def _applied(posed: Posed, side: str, changes: np.ndarray) -> tuple[Posed, float]:
    """The hand's changes (T, 19) on the human, and by how much the wrist missed its place at worst, metres."""
    stage, data = posed.stage, mujoco.MjData(posed.stage.model)
    mobility = np.zeros(stage.model.nv)
    for part, value in _ARM.items():
        mobility[stage.dofs(f"{side}_{part}")] = value
    out, miss = np.array(posed.qpos), 0.0
    for t in np.flatnonzero(np.abs(changes).max(axis=1) > 1e-5):
        at(posed, int(t), data)
        wrist, thing = data.body(f"{side}_wrist"), posed.qpos[t][stage.object]
        turn = rot.quat_to_matrix(rot.quat_exp(rot.rotate(thing[3:], changes[t, 3:6])))
        place = Place(
            f"{side}_wrist",
            wrist.xpos + rot.rotate(thing[3:], changes[t, :3]),
            turn @ np.array(wrist.xmat).reshape(3, 3),
            np.zeros(3),
        )
        found = solve(stage, (place,), posed.qpos[t], mobility, iterations=30)
        out[t], miss = _fingers_turned(posed, side, found.qpos, changes[t, 6:]), max(miss, found.residual)
    return replace(posed, qpos=out), miss
