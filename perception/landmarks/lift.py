"""From landmarks to the 52 joints: trunk and arms by their pixels, hands by how they turned since the first frames.

A network's joints are not the skeleton's; but they move alike, and in the first frames the scene's human is known.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.camera import Camera, project
from devi_jax.core.clip import forward_kinematics, global_rotations
from devi_jax.core.skeleton import FINGERS, INDEX, JOINTS, PARENTS, SIDES
from perception.contracts.checks import EstimateError
from perception.contracts.keypoints import Keypoints
from perception.human.evidence import FirstPose, Landmarks2D
from perception.human.interpolate import fill_rotations
from perception.human.motion import SkeletonMotion
from perception.landmarks.estimate import PersonLandmarks
from perception.landmarks.posture import PostureConfig, base_pose, fit_posture
from perception.landmarks.turns import fit_rotation, rotation_between, smooth_over_gaps

PALM = ("wrist", "thumb1", "index1", "middle1", "ring1", "pinky1")

REFERENCE_DIAGONAL_PX = float(np.hypot(1024, 576))


@dataclass(frozen=True)
class LiftConfig:
    """How landmarks become rotations."""

    calibrate_frames: int = 8
    """In so many first frames the human stands as the scene has it."""
    smooth_s: float = 0.05
    """Standard deviation of the Gaussian over the landmarks."""
    posture: PostureConfig = PostureConfig()
    elbow_px: float = 8.0
    """Standard deviation of shoulders and elbows as the body's network sees them, in a picture of 1175 px diagonal."""
    wrist_px: float = 3.0
    """The same of wrists as the hand's network sees them."""


@dataclass(frozen=True)
class _Points:
    """Points by name, smoothed: `px` (T, 2) less their offset in the first frames, `xyz` (T, 3) in the world's axes."""

    px: Mapping[str, np.ndarray]
    xyz: Mapping[str, np.ndarray]
    seen: np.ndarray


def lift(person: PersonLandmarks, camera: Camera, first: FirstPose, config: LiftConfig | None = None) -> SkeletonMotion:
    """The motion (world) of the landmarks: arms, hands, and trunk; root, legs and head stay as in the first frame.

    A hand that was never seen stays as it was relative to its forearm; `provenance` says so.

    Raises:
        EstimateError: the body is not seen in the first frames, which everything is measured against.
    """
    config = config or LiftConfig()
    fps = person.body.fps
    body = _points(person.body, camera, first, config, config.smooth_s * fps)
    if not body.seen[: config.calibrate_frames].any():
        raise EstimateError(
            "the body is not seen in the first frames", where="landmarks", valid="a video that begins with the scene"
        )
    hands = {side: _points(person.hands[side], camera, first, config, config.smooth_s * fps) for side in SIDES}
    never = [side for side in SIDES if not hands[side].seen[: config.calibrate_frames].any()]
    scale = camera.diagonal_px / REFERENCE_DIAGONAL_PX
    seen, sigma = _arms(body, hands, never, config, scale)
    arms = fit_posture(seen, sigma, camera, base_pose(first, len(seen.px)), fps, config.posture)
    turns = _hands(hands, never, first, config)
    note = {"lift": asdict(config) | {"hands_not_lifted": never}, "landmarks": person.body.origin.provenance}
    root = _tiled(first.root, len(arms))
    return SkeletonMotion(fps, with_world_rotations(turns, arms), root, first.offsets, provenance=note)


def lift_hands(
    motion: SkeletonMotion,
    hands: Mapping[str, Keypoints],
    camera: Camera,
    first: FirstPose,
    config: LiftConfig | None = None,
) -> SkeletonMotion:
    """The motion (world) of another tool's body with the hands of these landmarks.

    A hand that was not seen in the first frames stays as the motion has it; `provenance` says so.
    """
    config = config or LiftConfig()
    points = {side: _points(hands[side], camera, first, config, config.smooth_s * motion.fps) for side in SIDES}
    never = [side for side in SIDES if not points[side].seen[: config.calibrate_frames].any()]
    rotations = with_world_rotations(_hands(points, never, first, config), motion.rotations)
    note = {"lift": asdict(config) | {"hands_not_lifted": never}}
    return replace(motion, rotations=rotations, provenance={**motion.provenance, **note})


def _hands(
    hands: Mapping[str, _Points], never: list[str], first: FirstPose, config: LiftConfig
) -> dict[str, np.ndarray]:
    """World rotations of both hands' joints, those of hands never seen left out."""
    start = global_rotations(first.rotations[None])[0]
    turns: dict[str, np.ndarray] = {}
    for side in SIDES:
        if side not in never:
            turns |= _hand(side, hands[side], start, config)
    return turns


def _arms(
    body: _Points, hands: Mapping[str, _Points], never: list[str], config: LiftConfig, scale: float
) -> tuple[Landmarks2D, np.ndarray]:
    """Shoulders, elbows and wrists, and their standard deviations; wrists are the hands' where these are seen."""
    px, sigma, points = [], [], []
    for side in SIDES:
        for name in ("shoulder", "elbow", "wrist"):
            own = name == "wrist" and side not in never
            px.append((hands[side] if own else body).px[f"{side}_{name}"])
            sigma.append((config.wrist_px if own else config.elbow_px) * scale)
            points.append(INDEX[f"{side}_{name}"])
    at = np.stack(px, axis=1)
    return Landmarks2D(at, np.ones(at.shape[:2]), tuple(points)), np.array(sigma)


def _tiled(value: np.ndarray, frames: int) -> np.ndarray:
    return np.tile(value, (frames, 1))


def _points(seen: Keypoints, camera: Camera, first: FirstPose, config: LiftConfig, sigma: float) -> _Points:
    """The points of a body or a hand, smoothed over `sigma` frames; unseen for the whole video they stay zero."""
    ok, n = seen.seen, config.calibrate_frames
    if seen.xyz is None or not ok.any():
        return _Points({}, {}, np.zeros(seen.frames, bool))
    xyz = smooth_over_gaps(seen.xyz, ok, sigma) @ camera.T_camera_world[:3, :3]
    xy = smooth_over_gaps(seen.xy, ok, sigma)
    at = forward_kinematics(first.rotations[None], first.root[None], first.offsets)[0]
    truth, _ = project(at, camera.K, camera.T_camera_world)
    px = {}
    for k, name in enumerate(seen.names):
        off = xy[:n, k][ok[:n]].mean(axis=0) - truth[INDEX[name]] if name in INDEX and ok[:n].any() else 0.0
        px[name] = xy[:, k] - off
    return _Points(px, {name: xyz[:, k] for k, name in enumerate(seen.names)}, ok)


def _before(values: np.ndarray, points: _Points, config: LiftConfig) -> np.ndarray:
    """The mean of (T, ...) over the first frames in which the points are seen."""
    n = config.calibrate_frames
    return values[:n][points.seen[:n]].mean(axis=0)


def _hand(side: str, hand: _Points, start: np.ndarray, config: LiftConfig) -> dict[str, np.ndarray]:
    """World rotations of wrist and fingers: how palm and phalanges turned, applied to the first frame's hand."""
    frames = len(hand.seen)
    palm = np.stack([hand.xyz[f"{side}_{name}"] for name in PALM], axis=1)
    turned = fit_rotation(_before(palm, hand, config), palm)
    out = {f"{side}_wrist": rot.quat_mul(turned, _tiled(start[INDEX[f"{side}_wrist"]], frames))}
    for finger in FINGERS:
        chain = [f"{side}_{finger}{k}" for k in (1, 2, 3, "_tip")]
        for near, far in zip(chain[:-1], chain[1:], strict=True):
            way = rot.rotate_inverse(turned, hand.xyz[far] - hand.xyz[near])
            bent = rotation_between(np.broadcast_to(_before(way, hand, config), way.shape), way)
            out[near] = rot.quat_mul(rot.quat_mul(turned, bent), _tiled(start[INDEX[near]], frames))
    return {name: fill_rotations(q, hand.seen) for name, q in out.items()}


def with_world_rotations(turns: Mapping[str, np.ndarray], local: np.ndarray) -> np.ndarray:
    """Parent-relative rotations (T, 52, 4) with the world rotations (T, 4) of named joints put in."""
    out = local.copy()
    world = local.copy()
    for i, (name, parent) in enumerate(zip(JOINTS, PARENTS, strict=True)):
        if name in turns:
            world[:, i] = turns[name]
            out[:, i] = rot.quat_mul(rot.quat_conj(world[:, parent]), world[:, i])
        elif parent >= 0:
            world[:, i] = rot.quat_mul(world[:, parent], out[:, i])
    return out
