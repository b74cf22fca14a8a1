"""Feet out of the floor, by inverse kinematics of the legs.

A recording's sole is not the simulated one: heels and toes that go below the floor, and swinging feet that graze it,
hold a walking leg back.
"""

from dataclasses import replace

import mujoco
import numpy as np
from scipy.ndimage import gaussian_filter1d

from devi_jax.core import rotations as rot
from devi_jax.core.clip import Clip
from devi_jax.core.skeleton import SIDES
from envs.animation.kinematics.ik import FrameTask, solve
from envs.animation.repair.posed_clip import PosedClip, pose_clip, pose_frame, sole_heights, with_postures
from envs.physics.scene_model import Scene

SWING_CLEARANCE_M, SWING_M_S = 0.025, 1.0
"""How high a foot of this speed is above the floor; a slower one proportionally less."""
STANCE_M, STANCE_M_S = 0.025, 0.25
"""A foot this near to the floor, and slower, stands."""
_CLEAR_M = 0.001
_MOST_RAD = 0.9  # of toes and heels
_SIGMA = 1.5  # frames
_LEGS = ("hip", "knee", "ankle")


def lift_feet(clip: Clip, scene: Scene, lock: bool = False) -> Clip:
    """The clip with no heel, ball or toe below the floor, and with swinging feet clear of it.

    `lock`: keep each standing foot where it stands, too.
    """
    posed = pose_clip(scene, clip)
    turns = np.array([_pitch(posed, side) for side in SIDES])
    posed = _feet_moved(posed, np.zeros((posed.frames, 2, 3)), turns)
    moves = np.zeros((posed.frames, 2, 3))
    ankles, heights = _feet(posed)
    speed = np.linalg.norm(np.gradient(ankles[..., :2], axis=0), axis=-1) * clip.fps
    wanted = _CLEAR_M + SWING_CLEARANCE_M * np.clip(speed / SWING_M_S, 0.0, 1.0)
    moves[..., 2] = _spread(np.maximum(0.0, wanted - heights.min(axis=2)))
    note = f"feet: turned by up to {np.degrees(turns.max()):.0f} degrees, raised by up to {moves.max() * 1e3:.0f} mm"
    if lock:
        moves[..., :2] = _locks(ankles[..., :2], heights.min(axis=2), speed)
        note += f", held while standing, by up to {np.linalg.norm(moves[..., :2], axis=-1).max() * 1e3:.0f} mm"
    return with_postures(_feet_moved(posed, moves, np.zeros_like(turns)), clip, note)


def _feet(posed: PosedClip) -> tuple[np.ndarray, np.ndarray]:
    """Ankle positions (T, 2, 3), and heights (T, 2, 3) of heels, balls and toes above the floor, metres."""
    data = mujoco.MjData(posed.stage.model)
    bodies = [posed.stage.model.body(f"{side}_ankle").id for side in SIDES]
    ankles, heights = [], []
    for t in range(posed.frames):
        pose_frame(posed, t, data)
        ankles.append(np.array(data.xpos[bodies]))
        heights.append(sole_heights(posed, data))
    return np.array(ankles), np.array(heights)


def _pitch(posed: PosedClip, side: str) -> np.ndarray:
    """Angles (T, 2) in radians by which heel and toes have to turn up about the ball of the foot to leave the floor."""
    _, heights = _feet(posed)
    model = posed.stage.model
    heel, toes = model.geom(f"{side}_ankle"), model.geom(f"{side}_foot")
    ball = model.body(f"{side}_foot").pos[1]
    lengths = np.array([ball - heel.pos[1] + heel.size[1], toes.pos[1] + toes.size[1]])
    depth = np.maximum(0.0, _CLEAR_M - heights[:, SIDES.index(side), ::2])
    return _spread(np.clip(depth / lengths, 0.0, _MOST_RAD))


def _spread(x: np.ndarray) -> np.ndarray:
    """Values (T, ...) blurred over time, nowhere less than they were."""
    return np.maximum(x, gaussian_filter1d(x, _SIGMA, axis=0, mode="nearest"))


def _locks(ankles: np.ndarray, heights: np.ndarray, speed: np.ndarray) -> np.ndarray:
    """Horizontal moves (T, 2, 2) that keep each foot where its stance puts it, blended over the swings between."""
    frames = len(ankles)
    out = np.zeros_like(ankles)
    for s in range(2):
        stands = (heights[:, s] < STANCE_M) & (speed[:, s] < STANCE_M_S)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], stands.astype(int), [0]]))).reshape(-1, 2)
        moves = np.zeros((frames, 2))
        for start, stop in edges:
            moves[start:stop] = np.median(ankles[start:stop, s], axis=0) - ankles[start:stop, s]
        if stands.any():
            known = np.flatnonzero(stands)
            out[:, s] = np.stack([np.interp(np.arange(frames), known, moves[known, k]) for k in range(2)], axis=1)
    return out


def _feet_moved(posed: PosedClip, moves: np.ndarray, turns: np.ndarray) -> PosedClip:
    """Ankles moved by `moves` (T, 2, 3), heels and toes turned up by `turns` (2, T, 2) about the balls of the feet."""
    stage, data = posed.stage, mujoco.MjData(posed.stage.model)
    mobility = np.zeros(stage.model.nv)
    for side in SIDES:
        for part in _LEGS:
            mobility[stage.dofs(f"{side}_{part}")] = 1.0
    out = np.array(posed.qpos)
    busy = (np.abs(moves).max(axis=(1, 2)) > 1e-4) | (turns.max(axis=(0, 2)) > 1e-3)
    for t in np.flatnonzero(busy):
        pose_frame(posed, int(t), data)
        tasks, toes = [], {}
        for s, side in enumerate(SIDES):
            heel_up, toes_up = turns[s, t]
            foot = np.array(data.body(f"{side}_ankle").xmat).reshape(3, 3)
            turned = foot @ rot.quat_to_matrix(rot.quat_exp(np.array([-heel_up, 0.0, 0.0])))
            ball = stage.model.body(f"{side}_foot").pos
            place = data.body(f"{side}_foot").xpos - turned @ ball + moves[t, s]
            tasks.append(FrameTask(f"{side}_ankle", place, turned, np.zeros(3)))
            toes[side] = rot.quat_exp(np.array([heel_up + toes_up, 0.0, 0.0]))
        out[t] = solve(stage, tasks, posed.qpos[t], mobility, iterations=20).qpos
        for side, up in toes.items():
            joint = stage.quat(f"{side}_foot")
            out[t, joint] = rot.quat_mul(up, out[t, joint])
    return replace(posed, qpos=out)
