"""A reference for an arm that should do to an object what a clip's human did: over it, down, grip, along, let go, up.

Of the clip only the object's poses, and when it is touched, are used; the arm's own motion follows in closed form. It
may know how to `follow` the object's path, or only how to `grip` the object where it stands, and leave the rest to
learning.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.ndimage import gaussian_filter1d

from devi_jax.core import rotations as rot
from devi_jax.core.camera import Camera
from devi_jax.core.clip import Clip, resample
from devi_jax.core.errors import ClipError
from devi_jax.core.sim_state import CameraParams
from envs.embodiments import JointTable
from envs.embodiments.capsule_arm import OPEN_M, CapsuleArm, reach
from envs.physics import Physics, Pose, Velocity
from envs.scenes.objects import sample_surface
from envs.tracking.clip_camera import choose_camera
from envs.tracking.config import ArmReference, ObjectPoints
from envs.tracking.reference import Reference

ABOVE_M = 0.12
"""How far over the grip the gripper waits, and ends."""
INTO_M = 0.03
"""How far under the object's top the middle of the fingers grips, but not under the object's origin."""
_DESCEND_S, _CLOSE_S = 0.7, 0.45
MISSED_M = 3e-3
"""How far the grasp centre may be from where it should be."""
_SMOOTH_S = 0.07  # of the gripper's path, so that no joint has to jump


@dataclass(frozen=True)
class GripPath:
    """Of the grasp centre over T frames: `place` (T, 3) metres, `yaw` (T,) of the axis along which fingers open,
    `opening` (T,) of each finger, metres; `contact` (T,): whether the gripper holds."""

    place: np.ndarray
    yaw: np.ndarray
    opening: np.ndarray
    contact: np.ndarray


def grip_path(clip: Clip, points: np.ndarray, knows: ArmReference = "follow") -> GripPath:
    """Where a gripper that points down should be. `points` (M, 3): of the object's surface, in its frame.

    The fingers close across the object's narrower horizontal side. Raises `ClipError` for a clip without object poses
    or contact, and for an object that the open gripper cannot span.
    """
    poses = clip.object_poses
    if poses is None or clip.onset == clip.frames:
        lacks = "object poses" if poses is None else "contact"
        raise ClipError(
            f"{clip.name} has no {lacks}",
            where=clip.name,
            valid="a clip in which a hand moves an object",
            fix="python -m devi_jax.clips show CLIP says what a clip holds",
        )
    touched = np.flatnonzero(clip.contact.max(axis=1) > 0.5)
    begin, end = int(touched[0]), int(touched[-1])
    # what the hand holds turns with the object about the vertical; its tilt is left to the object
    heading = rot.heading(np.asarray(poses.rotations, float))
    first = rot.rotate_inverse(heading[begin], rot.rotate(poses.rotations[begin], points))
    sides = np.ptp(first[:, :2], axis=0)
    across = int(np.argmin(sides))
    if sides[across] > 2 * OPEN_M - 0.01:
        raise ClipError(
            f"the object is {1e3 * sides[across]:.0f} mm wide, the gripper opens to {2e3 * OPEN_M:.0f} mm",
            where=clip.name,
            valid=f"an object of at most {2e3 * OPEN_M - 10:.0f} mm across",
            fix="another clip; python -m devi_jax.clips list says what each one moves",
        )
    yaw = (0.0 if across == 0 else np.pi / 2) + np.unwrap(2 * np.arctan2(heading[:, 3], heading[:, 0]))
    height = max(first[:, 2].max() - INTO_M, 0.0)
    grip = poses.positions + [0.0, 0.0, height]
    frames, t = np.arange(clip.frames), clip.fps
    descend, close = max(1, round(_DESCEND_S * t)), max(1, round(_CLOSE_S * t))
    before = np.clip((begin - close - frames) / descend, 0, 1)
    after = np.clip((frames - end - close) / descend, 0, 1)
    held = np.clip(frames, begin, end if knows == "follow" else begin)
    up = ABOVE_M * _ease(np.maximum(before, after))
    place = grip[held] + up[:, None] * [0.0, 0.0, 1.0]
    shut = np.clip(np.minimum((frames - begin + close) / close, (end + close - frames) / close), 0, 1)
    sigma = _SMOOTH_S * t
    return GripPath(
        gaussian_filter1d(place, sigma, axis=0, mode="nearest"),
        gaussian_filter1d(yaw[held], sigma, mode="nearest"),
        OPEN_M * (1 - _ease(shut)),
        clip.contact.max(axis=1),
    )


def _ease(x: np.ndarray) -> np.ndarray:
    """Minimum jerk from 0 to 1."""
    return x**3 * (10 - 15 * x + 6 * x**2)


def make_arm_reference(
    clip: Clip, physics: Physics, of_object: ObjectPoints, knows: ArmReference
) -> tuple[Reference, Camera]:
    """The reference of an arm for a clip's object, and the camera of its films. Raises `ClipError`: see `grip_path`."""
    clip = resample(clip, physics.timing.policy_hz)
    arm, thing = physics.scene.embodiment, clip.scene.object
    if thing is None or not isinstance(arm, CapsuleArm):
        raise ClipError(
            f"{clip.name} has no object for an arm",
            where=clip.name,
            valid="a clip with an object",
            fix="python -m devi_jax.clips list says what each one moves",
        )
    points = sample_surface(thing, of_object.count, of_object.seed)
    path = grip_path(clip, points, knows)
    assert clip.object_poses is not None
    scalars = reach(arm, path.place, path.yaw, path.opening)
    rates = np.gradient(scalars, 1 / clip.fps, axis=0)
    after = np.minimum(np.arange(clip.frames) + 1, clip.frames - 1)
    seen = jax.jit(jax.vmap(_seen(physics)))(_f32(scalars), _f32(rates))
    missed = np.linalg.norm(np.asarray(seen.tips).mean(axis=1) - path.place, axis=-1)
    _check(clip, physics.joints, scalars, rates, missed)
    camera = clip.camera or choose_camera(clip, points)
    still = jnp.zeros((clip.frames, 1, 3))
    upright = jnp.broadcast_to(jnp.array([1.0, 0, 0, 0]), (clip.frames, 1, 4))
    base = jnp.broadcast_to(_f32(np.array(arm.base)), (clip.frames, 3))
    return Reference(
        local=upright,
        angular=still,
        position=seen.position,
        rotation=seen.rotation,
        linear_velocity=seen.linear_velocity,
        angular_velocity=seen.angular_velocity,
        tips=seen.tips,
        contact=_f32(path.contact[:, None]),
        target=upright,
        target_root=base,
        object_start=_f32(clip.object_start),
        points_px=None,
        visible=None,
        points_object=_f32(points),
        view=CameraParams(_f32(camera.K), _f32(camera.T_camera_world), _f32(camera.diagonal_px)),
        object_position=_f32(clip.object_poses.positions),
        object_rotation=_f32(clip.object_poses.rotations),
        object_linear_velocity=_f32(np.gradient(clip.object_poses.positions, 1 / clip.fps, axis=0)),
        scalars=_f32(scalars),
        scalar_rates=_f32(rates),
        target_scalars=_f32((scalars + scalars[after]) / 2),
    ), camera


def _check(clip: Clip, joints: JointTable, scalars: np.ndarray, rates: np.ndarray, missed: np.ndarray) -> None:
    """Raise `ClipError` for what the arm cannot do: a place out of reach, a joint past its range or its speed."""
    names = [joints.names[i] for i in joints.scalars]
    beyond = np.maximum(joints.low - scalars, scalars - joints.high).max(axis=0)
    faster = np.abs(rates).max(axis=0) / joints.speed
    what = None
    if missed.max() > MISSED_M:
        what = f"the gripper misses the object's path by {1e3 * missed.max():.0f} mm at frame {missed.argmax()}"
    elif beyond.max() > 1e-3:
        what = f"{names[beyond.argmax()]} would go {beyond.max():.2f} rad (or m) past its range"
    elif faster.max() > 1:
        what = f"{names[faster.argmax()]} would go {faster.max():.1f} times as fast as it can"
    if what:
        raise ClipError(
            f"an arm cannot follow {clip.name}: {what}",
            where=clip.name,
            valid="a path within about 0.6 m of where the human stood, at table height, as slow as an arm",
            fix="another clip; python -m devi_jax.clips list says what each one moves",
        )


def _seen(physics: Physics):
    """What the arm shows at joint positions and rates, wherever the object is."""

    def read(scalars: Float[Array, " n"], rates: Float[Array, " n"]):
        thing, still = jnp.array([0.0, 0, 0, 1, 0, 0, 0]), jnp.zeros(3)
        pose = Pose(jnp.array([[1.0, 0, 0, 0]]), still, thing, scalars)
        return physics.read(physics.init(pose, Velocity(still[None], still, jnp.zeros(6), rates)))

    return read


def _f32(x) -> Array:
    return jnp.asarray(x, jnp.float32)
