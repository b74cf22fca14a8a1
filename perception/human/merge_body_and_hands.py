"""One motion of 52 joints from a body's and two hands' (DeVI A.5): the hand estimator's wrist replaces the body's.

Parameters are SMPL-X's (y up, facing +z at rest); the motion has the project's axes (z up, facing +y at rest).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from devi_jax.core import rotations as rot
from devi_jax.core.camera import Camera
from devi_jax.core.errors import ConfigError
from devi_jax.core.skeleton import HAND_BODIES, INDEX, JOINTS, PARENTS, SIDES
from perception.contracts import BodyMotion, EstimateError, HandMotion
from perception.human.forearm_twist import share_twist, swing_twist
from perception.human.interpolate import fill_positions, fill_rotations, longest_gap
from perception.human.motion import SkeletonMotion

REST_AXES = np.array([[-1.0, 0, 0], [0, 0, 1], [0, 1, 0]])
"""SMPL-X's rest axes in the project's: y up and z ahead become z up and y ahead."""

_BODY = len(JOINTS) - 30


@dataclass(frozen=True)
class UnifyConfig:
    """What A.5 leaves open."""

    ray: Literal["auto", "none", "rotate"] = "auto"
    """An estimator that sees a crop (HaMeR, WiLoR) takes the hand to be straight ahead: `rotate` turns its wrist as the
    ray through the hand is turned. `none`, as printed, is right for those that know the camera (SAM 3D Body, GEM-X).
    `auto` does what each hand's file says of itself."""
    twist_limit_deg: float = 45.0
    """Wrist's turn about the forearm beyond this is the forearm's own and goes to the elbow."""
    swing_limit_deg: float = 120.0
    """A wrist bent further is a misread hand: the frame counts as not seen."""

    def validate(self) -> None:
        """Raise `ConfigError` unless the limits are angles."""
        if not (0 <= self.twist_limit_deg <= 180 and 0 < self.swing_limit_deg <= 180):
            raise ConfigError("a limit of the wrist is no angle", where="UnifyConfig", valid="0 to 180 degrees")


def unify(
    body: BodyMotion,
    hands: Mapping[str, HandMotion],
    camera: Camera,
    offsets: np.ndarray,
    config: UnifyConfig | None = None,
) -> SkeletonMotion:
    """The whole human, in the frame of `body`.

    Args:
        body: of the video; where the person is not seen, bridged from the frames around.
        hands: by side, either may be missing: the body's wrist and straight fingers then stay.
        camera: the scene's.
        offsets: the scene's human's bones (52, 3), metres; the estimated shape is not used.
        config: what A.5 leaves open.

    Raises:
        EstimateError: lengths or rates differ, or nobody is seen in any frame.
        ConfigError: the configuration has no meaning.
    """
    config = config or UnifyConfig()
    config.validate()
    _check(body, hands)
    rotations = np.zeros((body.frames, len(JOINTS), 4))
    rotations[..., 0] = 1.0
    rotations[:, 0] = from_smplx_root(body.global_orient)
    rotations[:, 1:_BODY] = from_smplx_local(body.body_pose)
    rotations[:, :_BODY] = fill_rotations(rotations[:, :_BODY], body.valid)
    camera_to_body = np.eye(3) if body.frame == "camera" else camera.T_camera_world[:3, :3].T
    notes: dict[str, Any] = {"body": _seen(body.valid)}
    for k, side in enumerate(SIDES):
        if side in hands and hands[side].valid.any():
            notes[side] = _replace_wrist(rotations, hands[side], k, camera, camera_to_body, offsets, config)
        else:
            notes[side] = "not seen: the body's wrist, straight fingers"
    return SkeletonMotion(
        fps=body.fps,
        rotations=rotations,
        root=fill_positions(body.pelvis, body.valid),
        offsets=offsets,
        frame=body.frame,
        provenance={"unify": {**asdict(config), **notes}},
    )


def from_smplx_local(rotvec: np.ndarray) -> np.ndarray:
    """SMPL-X's parent-relative rotation vectors (..., 3) as quaternions (..., 4) between the project's rest axes."""
    return rot.quat_exp(rotvec @ REST_AXES.T)


def from_smplx_root(rotvec: np.ndarray) -> np.ndarray:
    """Rotation vectors (..., 3) of SMPL-X's rest axes into some frame, as quaternions (..., 4) of the project's."""
    axes = np.broadcast_to(rot.matrix_to_quat(REST_AXES.T), (*rotvec.shape[:-1], 4))
    return rot.quat_mul(rot.quat_exp(rotvec), axes)


def ray_rotation(px: np.ndarray, K: np.ndarray) -> np.ndarray:
    """The least turn that takes the optical axis to the rays through pixels (..., 2): quaternions (..., 4)."""
    ray = np.concatenate([px, np.ones((*px.shape[:-1], 1))], axis=-1) @ np.linalg.inv(K).T
    ray /= np.linalg.norm(ray, axis=-1, keepdims=True)
    half = np.stack([1 + ray[..., 2], -ray[..., 1], ray[..., 0], np.zeros_like(ray[..., 0])], axis=-1)
    return rot.quat_normalise(half)


def _check(body: BodyMotion, hands: Mapping[str, HandMotion]) -> None:
    """Raise `EstimateError` unless the hands are of the body's video and somebody is seen."""
    for side, hand in hands.items():
        if side != hand.side:
            raise EstimateError(f"the {side} hand says it is the {hand.side} one", where=f"{side} hand")
        if hand.frames != body.frames or abs(hand.fps - body.fps) > 1e-3:
            raise EstimateError(
                f"the body has {body.frames} frames at {body.fps:g} Hz, the {side} hand {hand.frames} at {hand.fps:g}",
                where=f"{side} hand",
                valid="estimates of the same video",
                fix="run both estimators on the same file",
            )
    if not body.valid.any():
        raise EstimateError("no frame shows a person", where="body", valid="a video of one person")


def _replace_wrist(
    rotations: np.ndarray,
    hand: HandMotion,
    side: int,
    camera: Camera,
    camera_to_body: np.ndarray,
    offsets: np.ndarray,
    config: UnifyConfig,
) -> dict[str, Any]:
    """A.5 for one hand, into `rotations` (T, 52, 4); returns what was done. `G_w = G_e R_w`, so `R_w = G_e^-1 G_w`."""
    wrist, elbow = INDEX[f"{SIDES[side]}_wrist"], INDEX[f"{SIDES[side]}_elbow"]
    fingers = list(HAND_BODIES[side][1:])
    above = _chain(rotations, elbow)
    turned = _orientation(hand, camera, camera_to_body, config)
    local = rot.quat_mul(rot.quat_conj(above), turned)
    axis = offsets[wrist] / np.linalg.norm(offsets[wrist])
    swing = swing_twist(local, axis)[1]
    valid = hand.valid & (np.degrees(swing) <= config.swing_limit_deg)
    note: dict[str, Any] = {**_seen(valid), "bent_too_far": int((hand.valid & ~valid).sum())}
    if not valid.any():
        return {**note, "kept": "the body's wrist, straight fingers"}
    limit = np.radians(config.twist_limit_deg)
    below, local, excess = share_twist(rotations[:, elbow], local, axis, limit)
    # the elbow of frames without a hand keeps the body's pose, with the twist its neighbours have
    twist = rot.quat_exp(fill_positions(excess, valid)[:, None] * axis)
    rotations[:, elbow] = np.where(valid[:, None], below, rot.quat_mul(rotations[:, elbow], twist))
    rotations[:, wrist] = fill_rotations(local, valid)
    rotations[:, fingers] = fill_rotations(from_smplx_local(hand.hand_pose), valid)
    return {**note, "twist_to_elbow_deg": float(np.degrees(np.abs(excess[valid]).max()))}


def _chain(rotations: np.ndarray, joint: int) -> np.ndarray:
    """Rotation of `joint` in the motion's frame (T, 4): the product from the pelvis down (G_e of A.5)."""
    out = rotations[:, joint]
    while (joint := PARENTS[joint]) >= 0:
        out = rot.quat_mul(rotations[:, joint], out)
    return out


def _orientation(hand: HandMotion, camera: Camera, camera_to_body: np.ndarray, config: UnifyConfig) -> np.ndarray:
    """The wrist in the body's frame (T, 4), of the project's rest axes."""
    seen = from_smplx_root(np.where(hand.valid[:, None], hand.global_orient, 0.0))
    if config.ray == "rotate" or (config.ray == "auto" and hand.crop):
        box = hand.joints2d[..., :2]
        centre = np.where(hand.valid[:, None], (box.min(axis=1) + box.max(axis=1)) / 2, camera.K[:2, 2])
        seen = rot.quat_mul(ray_rotation(centre, camera.K), seen)
    return rot.quat_mul(np.broadcast_to(rot.matrix_to_quat(camera_to_body), seen.shape), seen)


def _seen(valid: np.ndarray) -> dict[str, int]:
    return {"seen": int(valid.sum()), "bridged": int((~valid).sum()), "longest_gap": longest_gap(valid)}
