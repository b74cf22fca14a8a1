"""A clip made ready for imitation: world kinematics, start states and PD targets of one embodiment, on the device."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float
from scipy.spatial import KDTree

from devi_jax.core import rotations as rot
from devi_jax.core.camera import Camera
from devi_jax.core.clip import Clip, ObjectPoses, ObjectTracks, forward_kinematics, global_rotations, resample
from devi_jax.core.sim_state import CameraParams
from devi_jax.core.skeleton import TIPS
from envs.control import Controller, ReferenceMotion
from envs.physics import Physics
from envs.scenes.objects import sample_surface
from envs.scenes.objects.roundness import is_round
from envs.tracking.actions import Action
from envs.tracking.clip_camera import choose_camera, look_across, project_object
from envs.tracking.config import ObjectPoints


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Reference:
    """T frames at the policy's rate. World axes unless said otherwise; absent modalities are `None`.

    `local`: rotations of root (world) and ball joints, relative to the parents; `angular`: their rates in the bodies'
    own frames; `scalars`, `scalar_rates`: of hinges and slides, rad or m. `target`, `target_root`, `target_scalars`: PD
    targets of the step from a frame to the next, around which residual actions turn. `object_round`:
    whether a turn of the object about the vertical changes nothing of it. `noted`: what each controller reads of the
    reference in its steps, and `action` what the action reads, arrays (T, ...).
    """

    local: Float[Array, "T R 4"]
    angular: Float[Array, "T R 3"]
    position: Float[Array, "T B 3"]
    rotation: Float[Array, "T B 4"]
    linear_velocity: Float[Array, "T B 3"]
    angular_velocity: Float[Array, "T B 3"]
    tips: Float[Array, "T E 3"]
    contact: Float[Array, "T H"]
    target: Float[Array, "T R 4"]
    target_root: Float[Array, "T 3"]
    object_start: Float[Array, "7"] | None
    points_px: Float[Array, "T M 2"] | None
    visible: Bool[Array, "T M"] | None
    points_object: Float[Array, "M 3"] | None
    view: CameraParams | None
    object_position: Float[Array, "T 3"] | None
    object_rotation: Float[Array, "T 4"] | None
    object_linear_velocity: Float[Array, "T 3"] | None = None
    object_distance: Float[Array, "T B"] | None = None
    object_round: Bool[Array, ""] | None = None
    noted: dict[str, dict[str, Array]] = field(default_factory=dict)
    scalars: Float[Array, "T n"] | None = None
    scalar_rates: Float[Array, "T n"] | None = None
    target_scalars: Float[Array, "T n"] | None = None
    action: dict[str, Array] = field(default_factory=dict)
    second_view: CameraParams | None = None

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return self.local.shape[0]


def make_reference(
    clip: Clip,
    physics: Physics,
    controllers: Mapping[str, Controller],
    points: ObjectPoints,
    action: Action | None = None,
) -> tuple[Reference, Camera]:
    """Make a clip ready for a physics: resample to the policy's rate, choose a camera, project object points.

    `action`: what actions mean, where they read anything of the reference. Raises `CameraError` if the clip's camera
    does not see the object.
    """
    clip = resample(clip, physics.timing.policy_hz)
    camera, clip = _with_tracks(clip, points)
    motion = _kinematics(clip, physics.joints.offsets, np.array([place for _, place in physics.scene.embodiment.tips]))
    tracks, poses = clip.object_tracks, clip.object_poses
    start = None if clip.scene.object is None else clip.object_start
    whole = _whole_motion(physics, motion, clip)
    target, target_root, noted = _targets(physics, motion, whole, controllers)
    return Reference(
        **{k: _f32(v) for k, v in motion.items()},
        contact=_f32(clip.contact),
        target=_f32(target),
        target_root=_f32(target_root),
        object_start=None if start is None else _f32(start),
        points_px=None if tracks is None else _f32(tracks.points_px),
        visible=None if tracks is None else jnp.asarray(tracks.visible, bool),
        points_object=None if tracks is None else _f32(tracks.points_object),
        view=_params(camera),
        second_view=None if poses is None or start is None else _params(look_across(camera, np.asarray(start)[:3])),
        object_position=None if poses is None else _f32(poses.positions),
        object_rotation=None if poses is None else _f32(poses.rotations),
        object_linear_velocity=None if poses is None else _f32(np.gradient(poses.positions, 1 / clip.fps, axis=0)),
        object_distance=None if poses is None or tracks is None else _f32(_distances(motion, poses, tracks)),
        object_round=None if start is None else jnp.asarray(whole.object_round),
        noted=jax.tree.map(_f32, noted),
        action={} if action is None else jax.tree.map(_f32, action.prepare(whole)),
    ), camera


def _distances(motion: dict[str, np.ndarray], poses: ObjectPoses, tracks: ObjectTracks) -> np.ndarray:
    """Distance of each joint (T, 52) from the nearest of the object's points, metres."""
    about = motion["position"] - poses.positions[:, None]
    seen = rot.rotate_inverse(np.asarray(poses.rotations, float)[:, None], about)
    return KDTree(tracks.points_object).query(seen)[0]


def _params(camera: Camera) -> CameraParams:
    return CameraParams(_f32(camera.K), _f32(camera.T_camera_world), _f32(camera.diagonal_px))


def _f32(x: np.ndarray | float) -> Array:
    return jnp.asarray(x, jnp.float32)


def _with_tracks(clip: Clip, config: ObjectPoints) -> tuple[Camera, Clip]:
    """Camera and 2D tracks: the clip's own, or projected from its poses (DeVI 5.1)."""
    if clip.scene.object is None:
        return clip.camera or choose_camera(clip, None), replace(clip, object_tracks=None, object_poses=None)
    points = sample_surface(clip.scene.object, config.count, config.seed)
    camera = clip.camera or choose_camera(clip, points)
    if clip.object_tracks is not None or clip.object_poses is None:
        return camera, clip
    pixels = project_object(clip, camera, points)
    tracks = ObjectTracks(pixels, np.ones(pixels.shape[:2], bool), points, np.full(len(points), -1, np.int32))
    return camera, replace(clip, object_tracks=tracks)


def _kinematics(clip: Clip, offsets: np.ndarray, tips: np.ndarray) -> dict[str, np.ndarray]:
    """Positions, rotations and rates of a clip by forward kinematics and central differences, on a human with bone
    offsets (52, 3) and fingertips (10, 3) in their phalanges' frames."""
    # files hold rotations to a few digits; physics normalises them, and the reference must be what physics shows
    local, root = rot.quat_normalise(np.asarray(clip.joint_rotations, float)), clip.joint_positions[:, 0]
    rotation = global_rotations(local)
    position = forward_kinematics(local, root, offsets)
    index = np.array(TIPS)
    arms = np.broadcast_to(tips, (clip.frames, len(TIPS), 3))
    return dict(
        local=local,
        # a rate relative to the parent, seen from the joint itself: the world-side rate of q turned back by q
        angular=rot.rotate_inverse(local, rot.angular_velocity(local, clip.fps)),
        position=position,
        rotation=rotation,
        linear_velocity=np.gradient(position, 1 / clip.fps, axis=0),
        angular_velocity=rot.angular_velocity(rotation, clip.fps),
        tips=position[:, index] + rot.rotate(rotation[:, index], arms),
    )


def _whole_motion(physics: Physics, motion: dict[str, np.ndarray], clip: Clip) -> ReferenceMotion:
    qpos, qvel = _coordinates(physics, motion, clip)
    seen = motion["position"], motion["rotation"], motion["tips"]
    return ReferenceMotion(*seen, clip.contact, qpos, qvel, float(clip.fps), **_whole_object(clip))


def _whole_object(clip: Clip) -> dict[str, Any]:
    """What a controller may know of the clip's object."""
    thing, start, poses = clip.scene.object, clip.object_start, clip.object_poses
    if thing is None or start is None:
        return {}
    pose = np.broadcast_to(start, (clip.frames, 7))
    if poses is not None:
        pose = np.concatenate([poses.positions, rot.quat_normalise(np.asarray(poses.rotations, float))], axis=1)
    return {"object_pose": pose, "object_posed": poses is not None, "object_round": is_round(thing, start[3:])}


def _targets(
    physics: Physics, motion: dict[str, np.ndarray], whole: ReferenceMotion, controllers: Mapping[str, Controller]
) -> tuple[np.ndarray, np.ndarray, dict[str, dict[str, np.ndarray]]]:
    """PD targets (T, 52, 4) and (T, 3): the reference half a step ahead, with what the controllers add beforehand; and
    what they note for their steps.

    A target is held for a whole step, so the motion it stands for is the one in the step's middle; aiming at the step's
    end would lead by half a step.
    """
    noted: dict[str, dict[str, np.ndarray]] = {}
    for name, controller in controllers.items():
        if (own := controller.prepare(physics, whole, noted)) is not None:
            noted[name] = own
    turns, root = np.zeros_like(motion["angular"]), motion["position"][:, 0].copy()
    for controller in controllers.values():
        more = controller.offsets(physics, whole, noted)
        turns, root = turns + more.turns, root + more.shifts
    frames = len(motion["local"])
    after = np.minimum(np.arange(frames) + 1, frames - 1)
    half = np.full(motion["local"].shape[:2], 0.5)
    middle = rot.slerp(motion["local"], motion["local"][after], half)
    return rot.quat_mul(middle, rot.quat_exp((turns + turns[after]) / 2)), (root + root[after]) / 2, noted


def _coordinates(physics: Physics, motion: dict[str, np.ndarray], clip: Clip) -> tuple[np.ndarray, np.ndarray]:
    """The reference in MuJoCo's coordinates, (T, nq) and (T, nv), object and props at rest."""
    objects = physics.scene.spec.prop_poses.reshape(-1, 7)
    if clip.object_start is not None and physics.has_object:
        objects = np.concatenate([np.reshape(clip.object_start, (1, 7)), objects])
    qpos = physics.layout.pack_qpos(motion["position"][:, 0], motion["local"], objects)
    still = np.zeros((len(objects), 6))
    return qpos, physics.layout.pack_qvel(motion["linear_velocity"][:, 0], motion["angular"], still)
