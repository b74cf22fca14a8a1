"""From hands without a body to the 52 joints: wrists where the hands' points have them, arms that reach there.

Nothing is known of the rest: legs, trunk and head stay as the scene invents them.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.camera import Camera
from devi_jax.core.clip import forward_kinematics
from devi_jax.core.skeleton import FINGERS, INDEX, JOINTS, SIDES, TIPS
from perception.contracts.checks import EstimateError
from perception.contracts.hand import HAND21
from perception.human.evidence import FirstPose, Landmarks2D
from perception.human.interpolate import fill_rotations
from perception.human.motion import SkeletonMotion
from perception.human.skeleton_points import fingertips
from perception.landmarks.estimate import PersonLandmarks
from perception.landmarks.hand_depth import hand_in_camera, palm_at_rest
from perception.landmarks.lift import with_world_rotations
from perception.landmarks.network_palm import PALM_POINTS
from perception.landmarks.out_of_view import with_rests
from perception.landmarks.posture import Anchors, PostureConfig, base_pose, fit_posture
from perception.landmarks.turns import fit_rotation, rotation_between, smooth_over_gaps


@dataclass(frozen=True)
class HandsAloneLiftConfig:
    """How hands become arms."""

    smooth_s: float = 0.05
    """Standard deviation of the Gaussian over the landmarks."""
    smooth_depth_s: float = 0.15
    """The same over a hand's distance, which its size tells less surely than its place in the picture."""
    wrist_m: float = 0.008
    """Standard deviation of where wrists are in space."""
    posture: PostureConfig = PostureConfig()
    enter_s: float = 0.4
    """A hand comes from where it rests, and goes there, in so long (see `out_of_view`)."""


def lift_hands_alone(
    person: PersonLandmarks,
    camera: Camera,
    first: FirstPose,
    config: HandsAloneLiftConfig | None = None,
    ground: np.ndarray | None = None,
    held: np.ndarray | None = None,
) -> SkeletonMotion:
    """The motion (world): arms whose wrists are where the hands are seen, hands turned and bent as these are.

    A hand that does not fit what is seen is bridged; before it comes into view, and after, it rests out of the picture.

    Args:
        ground: a plane (4,) in the camera's frame that hands stay above, see `hand_in_camera`.
        held: frames (T, 2) bool in which the left and the right hand hold something.

    Raises:
        EstimateError: no hand has points in 3D that fit its pixels.
    """
    config = config or HandsAloneLiftConfig()
    fps, frames = person.body.fps, person.body.frames
    placed = {
        side: hand_in_camera(
            person.hands[side], camera.K, first.offsets, side, ground, None if held is None else held[:, k]
        )
        for k, side in enumerate(SIDES)
    }
    seen = {side: np.asarray(np.isfinite(placed[side]).all(axis=(1, 2))) for side in SIDES}
    if not any(shown.any() for shown in seen.values()):
        raise EstimateError(
            "no hand can be placed in space: none has points in 3D that fit its pixels",
            where="hands",
            valid="hands with 21 points in the picture and in 3D, in some frame",
            fix="--hands=auto, or a tool that writes 3D points",
        )
    points = {side: _smoothed(placed[side], seen[side], camera, fps, config) for side in SIDES}
    wrists = tuple(INDEX[f"{side}_wrist"] for side in SIDES)
    at = np.stack([points[side][:, 0] for side in SIDES], axis=1)
    known, rest = np.stack([seen[side] for side in SIDES], axis=1).astype(float), base_pose(first, 1)
    body = forward_kinematics(rest.rotations, rest.root, rest.offsets)[0]
    support = None if ground is None else -float(ground[:3] @ camera.T_camera_world[:3, 3] + ground[3])
    for k, side in enumerate(SIDES):
        if seen[side].any():
            shoulder = body[INDEX[f"{side}_shoulder"]]
            at[:, k], away = with_rests(at[:, k], seen[side], shoulder, camera, config.enter_s * fps, support)
            known[away, k] = 1.0
    anchors = Anchors(wrists, at, known * config.wrist_m**-2.0)
    # no pixels: near the camera they are far from linear, and the hands' points are laid over them already
    nothing = Landmarks2D(np.zeros((frames, 2, 2)), np.zeros((frames, 2)), wrists)
    arms = fit_posture(nothing, np.ones(2), camera, base_pose(first, frames), fps, config.posture, anchors)
    for side in SIDES:
        if seen[side].any():
            arms = _with_hand(arms, side, points[side], seen[side], first, config.enter_s * fps)
    note = {"lift_hands_alone": asdict(config), "landmarks": person.body.origin.provenance}
    root = np.tile(first.root, (frames, 1))
    return SkeletonMotion(fps, arms, root, first.offsets, provenance=note)


def _smoothed(at: np.ndarray, seen: np.ndarray, camera: Camera, fps: float, config: HandsAloneLiftConfig) -> np.ndarray:
    """Points (T, 21, 3) of the camera's frame in the world: bridged where they are not `seen` (T,), zero if never."""
    if not seen.any():
        return np.zeros(at.shape)
    at = np.where(seen[:, None, None], at, 0.0)
    depth = at[:, :1, 2:]
    ray = np.where(seen[:, None, None], at[:, :1] / np.where(depth > 0, depth, 1.0), 0.0)
    steady = smooth_over_gaps(depth, seen, config.smooth_depth_s * fps)
    wrist = steady * smooth_over_gaps(ray, seen, config.smooth_s * fps)
    shape = smooth_over_gaps(at - at[:, :1], seen, config.smooth_s * fps)
    turn = camera.T_camera_world[:3, :3]
    return (wrist + shape - camera.T_camera_world[:3, 3]) @ turn


def _with_hand(
    local: np.ndarray, side: str, points: np.ndarray, seen: np.ndarray, first: FirstPose, enter: float
) -> np.ndarray:
    """Rotations (T, 52, 4) with one hand turned and bent as its points (T, 21, 3) in the world are."""
    out = with_world_rotations(_hand_rotations(side, points, first.offsets), local)
    own = [i for i, name in enumerate(JOINTS) if name.startswith(side) and (name.endswith("wrist") or _finger(name))]
    known, come = seen.copy(), int(np.flatnonzero(seen)[0])
    resting = np.arange(len(seen)) < come - enter
    known |= resting
    turned = np.where(resting[:, None, None], first.rotations[own], out[:, own])
    out[:, own] = fill_rotations(turned, known)
    return out


def _finger(name: str) -> bool:
    return any(finger in name for finger in FINGERS)


def _hand_rotations(side: str, points: np.ndarray, offsets: np.ndarray) -> Mapping[str, np.ndarray]:
    """World rotations (T, 4) of wrist and phalanges, from how palm and phalanges lie in the T-pose."""
    turned = fit_rotation(palm_at_rest(offsets, side), points[:, PALM_POINTS])
    out = {f"{side}_wrist": turned}
    tips = dict(zip(TIPS, fingertips(offsets), strict=True))
    for finger in FINGERS:
        chain = [f"{finger}{k}" for k in (1, 2, 3, "_tip")]
        above = turned
        for near, far in zip(chain[:-1], chain[1:], strict=True):
            joint = INDEX[f"{side}_{near}"]
            bone = tips[joint] if far.endswith("_tip") else offsets[INDEX[f"{side}_{far}"]]
            way = rot.rotate_inverse(above, points[:, HAND21.index(far)] - points[:, HAND21.index(near)])
            above = rot.quat_mul(above, rotation_between(np.broadcast_to(bone, way.shape), way))
            out[f"{side}_{near}"] = above
    return out
