"""The centre of mass over the feet of a standing body, so that it could be held: capture and video lean as they like.

Where both feet stand for a while, inverse kinematics moves the body between feet and wrists that stay where they are:
a rigid turn about the ankles would take the hands off the object.
"""

from dataclasses import dataclass, replace

import mujoco
import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, minimum_filter1d
from scipy.spatial import ConvexHull

from devi_jax.core.clip import Clip
from devi_jax.core.skeleton import SIDES
from envs.animation.kinematics.ik import CenterOfMassTask, solve
from envs.animation.kinematics.posture import keep_body, mobility
from envs.animation.kinematics.support_polygon import sole_corners
from envs.animation.repair.foot_penetration import STANCE_M, STANCE_M_S
from envs.animation.repair.posed_clip import PosedClip, pose_clip, pose_frame, sole_heights, with_note, with_postures
from envs.physics.scene_model import Scene

MARGIN_M = 0.02
"""How far inside the edge of the soles the centre of mass of a standing body is."""
MOST_M = 0.15
"""The farthest the centre of mass is moved: about 0.15 rad about the ankles."""
FADE_S = 0.25
"""Over this time a shift comes and goes; nothing moves nearer to a step than this."""
MISS_M = 0.01
"""A clip whose feet or wrists would be missed by more is kept as it was: its arms do not reach."""
_LEAST_M, _STANDS = 1e-4, 1 - 1e-6


@dataclass(frozen=True, eq=False)
class Stance:
    """Over frames: how far the centre of mass is inside the support, and whether the body stands.

    `margin` (T,): metres, negative outside of the hull of both soles; `steady` (T,): 1 where both feet stand, 0 near
    a step; `middle` (T, 2): from the centre of mass to the middle of the support, metres; `share` (T,): least part of
    that way that leaves the wanted margin to a body that stands.
    """

    margin: np.ndarray
    steady: np.ndarray
    middle: np.ndarray
    share: np.ndarray

    @property
    def worst(self) -> float:
        """The least margin in metres of a body that stands, infinite if none does."""
        return float(np.min(self.margin, where=self.steady > _STANDS, initial=np.inf))


def balance_clip(clip: Clip, scene: Scene, margin_m: float = MARGIN_M) -> Clip:
    """The clip with the human's centre of mass `margin_m` inside its soles wherever both feet stand; else the same.

    Feet and wrists keep position and orientation, fingers their joints, the object its path; pelvis, trunk, head, knees
    and elbows move, without regard to a table. A carried object's mass does not count. Walking is left alone.
    """
    posed = pose_clip(scene, clip)
    before = stance(posed, clip.fps, margin_m)
    shifts = _shifts(before, _frames(clip.fps))
    lengths = np.linalg.norm(shifts, axis=1)
    if lengths.max() < _LEAST_M:
        return clip
    posed, miss = _shifted(posed, shifts)
    if miss > MISS_M:
        return with_note(clip, f"balance: kept as it was, feet and wrists would be missed by {miss * 1e3:.0f} mm")
    after = stance(posed, clip.fps)
    note = (
        f"balance: centre of mass moved by up to {lengths.max() * 1e3:.0f} mm, margin {before.worst * 1e3:.0f} to "
        f"{after.worst * 1e3:.0f} mm, feet and wrists missed by {miss * 1e3:.0f}"
    )
    return with_postures(posed, clip, note)


def stance(posed: PosedClip, fps: float, margin_m: float = MARGIN_M) -> Stance:
    """How the clip's body stands on the soles of both feet, frame by frame."""
    model, data = posed.stage.model, mujoco.MjData(posed.stage.model)
    pelvis, feet = model.body("pelvis").id, [model.body(f"{side}_ankle").id for side in SIDES]
    ankles, heights, rows = [], [], []
    for t in range(posed.frames):
        pose_frame(posed, t, data)
        mujoco.mj_comPos(model, data)
        ankles.append(np.array(data.xpos[feet, :2]))
        heights.append(sole_heights(posed, data).min(axis=1))
        rows.append(_margin(sole_corners(model, data, posed.feet), data.subtree_com[pelvis, :2], margin_m))
    margin, middle, share = (np.array(column) for column in zip(*rows, strict=True))
    speed = np.linalg.norm(np.gradient(np.array(ankles), axis=0), axis=-1) * fps
    stands = ((np.array(heights) < STANCE_M) & (speed < STANCE_M_S)).all(axis=1)
    reach = _frames(fps)
    steady = _blurred(minimum_filter1d(stands.astype(float), 2 * reach + 1), reach)
    return Stance(margin, steady, middle, np.where(steady > _STANDS, share, 0.0))


def _margin(soles: np.ndarray, com: np.ndarray, wanted: float) -> tuple[float, np.ndarray, float]:
    """Margin, way to the middle (2,) and share of it that is needed, for a centre of mass (2,) over points (N, 2)."""
    hull = ConvexHull(soles)
    middle = soles.mean(axis=0) - com
    outside = hull.equations[:, :2] @ com + hull.equations[:, 2]
    gained = -hull.equations[:, :2] @ middle  # along the whole way, from each edge
    needed = np.maximum(0.0, outside + wanted)
    share = np.divide(needed, gained, out=(needed > 0).astype(float), where=gained > needed)
    return -float(outside.max()), middle, float(share.max())


def _shifts(stands: Stance, reach: int) -> np.ndarray:
    """Shifts (T, 2) of the centre of mass in metres, smooth over time and enough wherever the body is steady."""
    share = _blurred(maximum_filter1d(stands.share, 2 * reach + 1), reach) * stands.steady
    shifts = share[:, None] * stands.middle
    lengths = np.linalg.norm(shifts, axis=1, keepdims=True)
    return shifts * np.minimum(1.0, MOST_M / np.maximum(lengths, _LEAST_M))


def _shifted(posed: PosedClip, shifts: np.ndarray) -> tuple[PosedClip, float]:
    """The postures with the centre of mass shifted (T, 2); and by how much a task was missed at worst, metres."""
    stage, pelvis = posed.stage, posed.stage.model.body("pelvis").id
    data, ready = mujoco.MjData(stage.model), mobility(stage, SIDES)
    out, miss = np.array(posed.qpos), 0.0
    for t in np.flatnonzero(np.linalg.norm(shifts, axis=1) >= _LEAST_M):
        pose_frame(posed, int(t), data)
        mujoco.mj_comPos(stage.model, data)
        ground = data.subtree_com[pelvis, :2] + shifts[t]
        held = [keep_body(stage, posed.qpos[t], f"{side}_{part}") for side in SIDES for part in ("ankle", "wrist")]
        found = solve(stage, (*held, CenterOfMassTask(ground)), posed.qpos[t], ready)
        out[t], miss = found.qpos, max(miss, found.residual)
    return replace(posed, qpos=out), miss


def _frames(fps: float) -> int:
    return max(1, round(FADE_S * fps))


def _blurred(x: np.ndarray, reach: int) -> np.ndarray:
    """Values (T,) under a Gaussian that ends `reach` frames away."""
    return gaussian_filter1d(x, reach / 4, mode="nearest", truncate=4)
