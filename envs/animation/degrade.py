"""A clean clip made as wrong as video estimators make it: hands centimetres off, trembling joints, open fingers.

Tracks, contact labels and feet stay what they were, and the object does unless depth is misjudged.
"""

from dataclasses import asdict, dataclass, replace
from typing import Literal
from zlib import crc32

import numpy as np
from scipy.ndimage import gaussian_filter1d

from devi_jax.core import rotations as rot
from devi_jax.core.clip import Clip, bone_offsets, forward_kinematics
from devi_jax.core.errors import ClipError, ConfigError
from devi_jax.core.skeleton import FINGERS, INDEX, SIDES
from envs.animation.kinematics.ik import solve_or_raise
from envs.animation.kinematics.posed_scene import PosedScene, build_posed_scene, kinematics
from envs.animation.kinematics.posture import keep_body, mobility, stance_tasks
from envs.animation.kinematics.to_clip import compact, postures_of_clip

GradeName = Literal["mild", "rough"]


@dataclass(frozen=True)
class Imperfection:
    """How wrong a clip becomes; by default not at all.

    `wrist_m`, `wrist_rad`: length and angle of the constant error of each active wrist, in a random direction and about
    a random axis; `drift_m`: how much further it is off at the clip's end, in another direction; `jitter_rad`: standard
    deviation of each number of the rotation vectors that disturb trunk, arms and active fingers from frame to frame;
    `closure`: between these shares of its closing a hand ends up closed; `depth_scale`: active wrists and the object
    are so many times as far from the camera as they should be, on their rays, so that only their size looks wrong.
    """

    wrist_m: float = 0.0
    wrist_rad: float = 0.0
    jitter_rad: float = 0.0
    closure: tuple[float, float] = (1.0, 1.0)
    depth_scale: float = 1.0
    drift_m: float = 0.0

    def validate(self, where: str = "imperfection") -> None:
        """Raise `ConfigError` for numbers without meaning."""
        lengths = (self.wrist_m, self.wrist_rad, self.jitter_rad, self.drift_m)
        if min(lengths) < 0 or not 0 <= self.closure[0] <= self.closure[1] <= 1 or not 0.5 <= self.depth_scale <= 2:
            raise ConfigError(
                f"a human cannot be wrong by {self}",
                where=where,
                valid="lengths and angles from 0, closure from 0 to 1 in order, depth-scale from 0.5 to 2",
            )


MILD = Imperfection(wrist_m=0.01, wrist_rad=np.radians(5.0), jitter_rad=0.003, closure=(1.0, 1.0))
ROUGH = Imperfection(wrist_m=0.03, wrist_rad=np.radians(10.0), jitter_rad=0.005, closure=(0.3, 0.5))

JITTER_FRAMES = 1.5
"""Standard deviation of the smoothing of the jitter over time, frames."""

_BEFORE_CONTACT_S = 1.0  # in which a hand is at its widest
_SAME_BONES_M = 2e-3
_BITS = 9  # two milliradians of turn: less than the smaller jitter
_STEADY = ("pelvis", "hip", "knee", "ankle", "foot")


def degrade(clip: Clip, grade: GradeName | Imperfection, seed: int | None = None) -> Clip:
    """The clip as a video would give it, `CLIP-mild`, `CLIP-rough` or `CLIP-imperfect`; the same for the same seed.

    `seed`: by default that of the new name (CRC-32). Raises `ClipError` for a clip of another body than the bundled
    one, where a wrist cannot be moved, and for depth misjudged from no camera.
    """
    name = grade if isinstance(grade, str) else "imperfect"
    grade = {"mild": MILD, "rough": ROUGH}[grade] if isinstance(grade, str) else grade
    title = f"{clip.name}-{name}"
    seed = crc32(title.encode()) if seed is None else seed
    generator = np.random.default_rng(seed)
    stage = build_posed_scene(clip.scene)
    _require_own_body(stage, clip)
    qpos = _move_wrists(stage, clip, grade, generator)
    local = qpos[:, stage.layout.rotation_qpos]
    local = _leave_open(clip, local, grade, generator)
    local = rot.quat_mul(local, rot.quat_exp(_jitter(clip, grade, generator)))
    root = qpos[:, stage.root]
    how = {"grade": name, "seed": seed, **asdict(grade)}
    command = f"python -m devi_jax.choreograph degrade {clip.name} --grade={name}"
    poses = clip.object_poses
    if poses is not None and grade.depth_scale != 1.0:
        poses = replace(poses, positions=poses.positions + _deeper(clip, grade, poses.positions))
    degraded = replace(
        clip,
        object_poses=poses,
        name=title,
        joint_rotations=local,
        joint_positions=forward_kinematics(local, root, bone_offsets(clip)),
        provenance={"command": command, "degraded": how, "clean": clip.provenance},
    )
    return compact(degraded, _BITS)


def active_sides(clip: Clip) -> tuple[str, ...]:
    """The hands that ever touch the object."""
    return tuple(side for k, side in enumerate(SIDES) if (clip.contact[:, k] > 0.5).any())


def _require_own_body(stage: PosedScene, clip: Clip) -> None:
    posed = kinematics(stage, postures_of_clip(stage, clip)[0])
    positions = np.array([posed.body(joint).xpos for joint in INDEX])
    if np.abs(positions - clip.joint_positions[0]).max() > _SAME_BONES_M:
        raise ClipError(
            "the clip is of another body than the bundled one",
            where=clip.name,
            valid="clips made by python -m devi_jax.choreograph",
        )


def _move_wrists(stage: PosedScene, clip: Clip, grade: Imperfection, generator: np.random.Generator) -> np.ndarray:
    """Postures (T, nq) nearest to the clip's, with each active wrist off by as much as the grade says."""
    clean = postures_of_clip(stage, clip)
    active = active_sides(clip)
    shift = {side: grade.wrist_m * _direction(generator) for side in active}
    turn = {side: rot.quat_to_matrix(rot.quat_exp(grade.wrist_rad * _direction(generator))) for side in active}
    drift = {side: grade.drift_m * _direction(generator) if grade.drift_m else np.zeros(3) for side in active}
    still, free = stance_tasks(stage, clean[0]), mobility(stage, active)
    moved, previous = np.array(clean), clean[0]
    for t, posture in enumerate(clean):
        late = t / max(clip.frames - 1, 1)
        wrists = [keep_body(stage, posture, f"{side}_wrist") for side in SIDES]
        goals = [
            replace(
                w,
                position=w.position + shift[side] + late * drift[side] + _deeper(clip, grade, w.position),
                rotation=turn[side] @ w.rotation,
            )
            if side in active
            else w
            for side, w in zip(SIDES, wrists, strict=True)
        ]
        moved[t] = previous = solve_or_raise(
            stage, (*still, *goals), posture, free, f"{clip.name}, frame {t}", start=previous
        )
    return moved


def _deeper(clip: Clip, grade: Imperfection, positions: np.ndarray) -> np.ndarray:
    """By how much positions (..., 3) move on their rays from the camera when depth is misjudged."""
    if grade.depth_scale == 1.0:
        return np.zeros(3)
    if clip.camera is None:
        raise ClipError("depth cannot be misjudged without a camera", where=clip.name, valid="depth_scale 1.0")
    return (grade.depth_scale - 1.0) * (positions - clip.camera.position_world)


def _leave_open(clip: Clip, local: np.ndarray, grade: Imperfection, generator: np.random.Generator) -> np.ndarray:
    """Joint rotations (T, 52, 4) whose active fingers go only a share of the way from their widest to where they go."""
    out = np.array(local)
    for side in active_sides(clip):
        onset = int(np.argmax(clip.contact[:, SIDES.index(side)] > 0.5))
        before = slice(max(0, onset - round(_BEFORE_CONTACT_S * clip.fps)), onset + 1)
        widest = before.start + int(np.argmax(_opening(clip, side)[before]))
        joints = [INDEX[f"{side}_{finger}{k}"] for finger in FINGERS for k in (1, 2, 3)]
        later = local[widest:, joints]
        share = np.full(later.shape[:2], generator.uniform(*grade.closure))
        out[widest:, joints] = rot.slerp(np.broadcast_to(local[widest, joints], later.shape), later, share)
    return out


def _opening(clip: Clip, side: str) -> np.ndarray:
    """Mean distance (T,) of the thumb's last joint from those of the fingers, metres."""
    last = clip.joint_positions[:, [INDEX[f"{side}_{finger}3"] for finger in FINGERS]]
    thumb = FINGERS.index("thumb")
    return np.linalg.norm(np.delete(last, thumb, axis=1) - last[:, thumb, None], axis=-1).mean(axis=1)


def _jitter(clip: Clip, grade: Imperfection, generator: np.random.Generator) -> np.ndarray:
    """Rotation vectors (T, 52, 3) of smoothed noise; none in root and legs, for the feet to stay, nor in idle hands."""
    shape = (clip.frames, len(INDEX), 3)
    noise = gaussian_filter1d(generator.normal(size=shape), JITTER_FRAMES, axis=0, mode="nearest")
    noise *= grade.jitter_rad / np.sqrt(_smoothed_variance())
    idle = [f"{side}_{finger}" for side in SIDES if side not in active_sides(clip) for finger in FINGERS]
    noise[:, [i for joint, i in INDEX.items() if joint.endswith(_STEADY) or joint[:-1] in idle]] = 0.0
    return noise


def _smoothed_variance() -> float:
    """Variance that smoothing leaves of white noise of variance one."""
    impulse = np.zeros(33)
    impulse[16] = 1.0
    return float((gaussian_filter1d(impulse, JITTER_FRAMES) ** 2).sum())


def _direction(generator: np.random.Generator) -> np.ndarray:
    """A unit vector (3,), evenly distributed."""
    vector = generator.normal(size=3)
    return vector / np.linalg.norm(vector)
