"""A clip made ready for imitation on one body: world kinematics, start states and PD targets, as device arrays."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import KDTree

from devi_jax.core import rotations as rot
from devi_jax.core.camera import Camera
from devi_jax.core.clip import Clip, ObjectPoses, ObjectTracks, forward_kinematics, global_rotations, resample
from devi_jax.core.sim_state import CameraParams, ReferenceState
from devi_jax.core.skeleton import TIPS
from envs.control.ankle_balance import centre_of_mass, segments
from envs.control.feedforward import feedforward_offsets
from envs.control.grasp_closure import squeeze_offsets
from envs.control.palm_force import press_offsets
from envs.embodiments.human import Body
from envs.physics import CONTROL_HZ, Physics, Pose, Velocity
from envs.scenes.objects import sample_surface
from envs.tracking.clip_camera import choose_camera, project_object
from envs.tracking.config import EnvironmentConfig

ONE_FOOT = 0.9
"""A foot that carries more than this share of the weight stands alone: the body steps."""
_SHARE_FRAMES = 2.0  # over which weight goes from one foot to the other


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Reference:
    """T frames at the control rate. World axes unless said otherwise; absent modalities are `None`.

    `local`: joint rotations relative to the parents; `angular`: their rates in the joints' own frames.
    `centre`: centre of mass. `target`, `target_root`: PD targets of the step from a frame to the next, around which
    residual actions turn. `wrench`: what the ground does in that step, force and moment about the centre of mass;
    `share`: of the weight on each foot.
    """

    local: Float[Array, "T 52 4"]
    angular: Float[Array, "T 52 3"]
    position: Float[Array, "T 52 3"]
    rotation: Float[Array, "T 52 4"]
    linear_velocity: Float[Array, "T 52 3"]
    angular_velocity: Float[Array, "T 52 3"]
    tips: Float[Array, "T 10 3"]
    contact: Float[Array, "T 2"]
    target: Float[Array, "T 52 4"]
    target_root: Float[Array, "T 3"]
    centre: Float[Array, "T 3"]
    centre_velocity: Float[Array, "T 3"]
    object_start: Float[Array, "7"] | None
    points_px: Float[Array, "T M 2"] | None
    visible: Bool[Array, "T M"] | None
    points_object: Float[Array, "M 3"] | None
    view: CameraParams | None
    object_position: Float[Array, "T 3"] | None
    object_rotation: Float[Array, "T 4"] | None
    object_linear_velocity: Float[Array, "T 3"] | None = None
    object_distance: Float[Array, "T 52"] | None = None
    wrench: Float[Array, "T 6"] | None = None
    share: Float[Array, "T 2"] | None = None

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return self.local.shape[0]

    def at(self, t: Int[Array, ""]) -> ReferenceState:
        """The target at frame t; beyond the end the last frame holds, standing still."""
        last = self.frames - 1
        i = jnp.clip(t, 0, last)
        moving = jnp.asarray(t <= last, jnp.float32)
        seen = (self.points_px, self.visible, self.object_position, self.object_rotation, self.object_distance)
        points_px, visible, object_position, object_rotation, distance = (x if x is None else x[i] for x in seen)
        speed = self.object_linear_velocity
        return ReferenceState(
            position=self.position[i],
            rotation=self.rotation[i],
            linear_velocity=self.linear_velocity[i] * moving,
            angular_velocity=self.angular_velocity[i] * moving,
            tips=self.tips[i],
            contact=self.contact[i],
            points_px=points_px,
            visible=visible,
            points_object=self.points_object,
            view=self.view,
            object_position=object_position,
            object_rotation=object_rotation,
            object_linear_velocity=None if speed is None else speed[i] * moving,
            object_distance=distance,
        )

    def pose(self, t: Int[Array, ""]) -> Pose:
        """Reference configuration at frame t, with the object at its start: its later poses are not assumed known."""
        return Pose(self.local[t], self.position[t, 0], self.object_start)

    def velocity(self, t: Int[Array, ""]) -> Velocity:
        """Reference rates at frame t, with the object at rest."""
        still = None if self.object_start is None else jnp.zeros(6)
        return Velocity(self.angular[t], self.linear_velocity[t, 0], still)


def prepare(clip: Clip, physics: Physics, config: EnvironmentConfig) -> tuple[Reference, Camera]:
    """Make a clip ready for a physics: resample to the control rate, choose a camera, project object points.

    Raises `CameraError` if the clip's camera does not see the object.
    """
    clip = resample(clip, CONTROL_HZ)
    camera, clip = _with_tracks(clip, config)
    motion = _kinematics(clip, physics.scene.body)
    tracks, poses = clip.object_tracks, clip.object_poses
    start = None if clip.scene.object is None else clip.object_start
    target, target_root, ground = _targets(physics, motion, clip, config)
    centre = np.asarray(centre_of_mass(segments(physics.model), motion["position"], motion["rotation"]))
    return Reference(
        **{k: _f32(v) for k, v in motion.items()},
        contact=_f32(clip.contact),
        target=_f32(target),
        target_root=_f32(target_root),
        centre=_f32(centre),
        centre_velocity=_f32(np.gradient(centre, 1 / clip.fps, axis=0)),
        object_start=None if start is None else _f32(start),
        points_px=None if tracks is None else _f32(tracks.points_px),
        visible=None if tracks is None else jnp.asarray(tracks.visible, bool),
        points_object=None if tracks is None else _f32(tracks.points_object),
        view=CameraParams(_f32(camera.K), _f32(camera.T_camera_world), _f32(camera.diagonal_px)),
        object_position=None if poses is None else _f32(poses.positions),
        object_rotation=None if poses is None else _f32(poses.rotations),
        object_linear_velocity=None if poses is None else _f32(np.gradient(poses.positions, 1 / clip.fps, axis=0)),
        object_distance=None if poses is None or tracks is None else _f32(_distances(motion, poses, tracks)),
        **ground,
    ), camera


def _distances(motion: dict[str, np.ndarray], poses: ObjectPoses, tracks: ObjectTracks) -> np.ndarray:
    """Distance of each joint (T, 52) from the nearest of the object's points, metres."""
    about = motion["position"] - poses.positions[:, None]
    seen = rot.rotate_inverse(np.asarray(poses.rotations, float)[:, None], about)
    return KDTree(tracks.points_object).query(seen)[0]


def _f32(x: np.ndarray | float) -> Array:
    return jnp.asarray(x, jnp.float32)


def _with_tracks(clip: Clip, config: EnvironmentConfig) -> tuple[Camera, Clip]:
    """Camera and 2D tracks: the clip's own, or projected from its poses (DeVI 5.1)."""
    if clip.scene.object is None:
        return clip.camera or choose_camera(clip, None), replace(clip, object_tracks=None, object_poses=None)
    points = sample_surface(clip.scene.object, config.object_points, config.seed)
    camera = clip.camera or choose_camera(clip, points)
    if clip.object_tracks is not None or clip.object_poses is None:
        return camera, clip
    pixels = project_object(clip, camera, points)
    tracks = ObjectTracks(pixels, np.ones(pixels.shape[:2], bool), points, np.full(len(points), -1, np.int32))
    return camera, replace(clip, object_tracks=tracks)


def _kinematics(clip: Clip, body: Body) -> dict[str, np.ndarray]:
    """Positions, rotations and rates of a clip on a body, by forward kinematics and central differences."""
    # files hold rotations to a few digits; physics normalises them, and the reference must be what physics shows
    local, root = rot.quat_normalise(np.asarray(clip.joint_rotations, float)), clip.joint_positions[:, 0]
    rotation = global_rotations(local)
    position = forward_kinematics(local, root, body.offsets)
    index = np.array(TIPS)
    arms = np.broadcast_to(body.tips, (clip.frames, len(TIPS), 3))
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


def _targets(
    physics: Physics, motion: dict[str, np.ndarray], clip: Clip, config: EnvironmentConfig
) -> tuple[np.ndarray, np.ndarray, dict[str, Array]]:
    """PD targets (T, 52, 4) and (T, 3): the reference half a step ahead, with feed-forward, press and squeeze; and what
    the ground does, where forces are shared among the feet anew in every step.

    A target is held for a whole step, so the motion it stands for is the one in the step's middle; aiming at the step's
    end would lead by half a step.
    """
    turns, root = np.zeros_like(motion["angular"]), motion["position"][:, 0].copy()
    qpos, qvel = _coordinates(physics, motion, clip)
    after = np.minimum(np.arange(clip.frames) + 1, clip.frames - 1)
    ground = {}
    if config.action.feedforward:
        more = feedforward_offsets(physics, qpos, qvel, clip.fps)
        share = gaussian_filter1d(more.share, _SHARE_FRAMES, axis=0, mode="nearest")
        if config.action.footing > 0 and share.max() > ONE_FOOT:
            more = replace(more, turns=more.groundless)
            ground = {"wrench": _f32((more.wrench + more.wrench[after]) / 2), "share": _f32(share)}
        turns, root = turns + more.turns, root + more.shifts
    if config.action.press_n and physics.has_object:
        turns += press_offsets(physics, qpos, clip.contact, config.action.press_n)
    if config.action.squeeze_rad and physics.has_object:
        turns += squeeze_offsets(
            motion["position"], motion["rotation"], motion["tips"], clip.contact, config.action.squeeze_rad
        )
    half = np.full(motion["local"].shape[:2], 0.5)
    middle = rot.slerp(motion["local"], motion["local"][after], half)
    return rot.quat_mul(middle, rot.quat_exp((turns + turns[after]) / 2)), (root + root[after]) / 2, ground


def _coordinates(physics: Physics, motion: dict[str, np.ndarray], clip: Clip) -> tuple[np.ndarray, np.ndarray]:
    """The reference in MuJoCo's coordinates, (T, nq) and (T, nv), object and props at rest."""
    objects = physics.scene.spec.prop_poses.reshape(-1, 7)
    if clip.object_start is not None and physics.has_object:
        objects = np.concatenate([np.reshape(clip.object_start, (1, 7)), objects])
    qpos = physics.layout.pack_qpos(motion["position"][:, 0], motion["local"], objects)
    still = np.zeros((len(objects), 6))
    return qpos, physics.layout.pack_qvel(motion["linear_velocity"][:, 0], motion["angular"], still)
