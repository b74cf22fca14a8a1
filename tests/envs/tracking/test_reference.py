"""A clip made ready: rates of a motion known in closed form, PD targets, tracks, and what lies beyond the end."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from devi_jax.core.camera import Camera
from devi_jax.core.clip import Clip, ObjectTracks, forward_kinematics
from devi_jax.core.errors import CameraError
from devi_jax.core.scene import SceneSpec
from devi_jax.core.skeleton import INDEX, TIPS
from envs.control import PalmForce
from envs.embodiments.human import human
from envs.physics import Physics, Scene, Timing, make_physics
from envs.tracking.config import ObjectPoints
from envs.tracking.motion_library import make_library
from envs.tracking.reference import make_reference

PLAIN = {"palm_force": PalmForce()}, ObjectPoints(32)
FRAMES = 9
ONLY = jnp.zeros((), jnp.int32)
DRIFT = np.array([0.3, -0.2, 0.1])
YAW = 1.2
ELBOW, AXIS, BEND = INDEX["right_elbow"], np.array([0.6, 0.0, 0.8]), 0.9


def at_times(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Local rotations (T, 52, 4) and root (T, 3): the pelvis drifts and yaws, the right elbow bends, all steadily."""
    local = np.zeros((len(t), 52, 4))
    local[..., 0] = 1
    local[:, 0] = Rotation.from_rotvec(t[:, None] * [0, 0, YAW]).as_quat(scalar_first=True)
    local[:, ELBOW] = Rotation.from_rotvec(t[:, None] * BEND * AXIS).as_quat(scalar_first=True)
    return local, np.array([0, 0, 1.0]) + t[:, None] * DRIFT


def steady(fps: float = Timing().control_hz, frames: int = FRAMES) -> Clip:
    local, root = at_times(np.arange(frames) / fps)
    positions = forward_kinematics(local, root, human().offsets)
    return Clip("steady", fps, local, positions, np.zeros((frames, 2)))


@pytest.fixture(scope="module")
def physics() -> Physics:
    return make_physics(Scene(SceneSpec()), "c")


@pytest.fixture(scope="module")
def reference(physics):
    return make_reference(steady(), physics, *PLAIN)[0]


def turn(q) -> Rotation:
    return Rotation.from_quat(np.asarray(q, float), scalar_first=True)


INNER = slice(1, FRAMES - 1)


def test_steady_rates_are_exact_inside_and_at_the_ends(reference):
    """Central differences in SO(3) make no error on steady turns."""
    np.testing.assert_allclose(reference.angular[:, ELBOW], np.tile(BEND * AXIS, (FRAMES, 1)), atol=1e-5)
    np.testing.assert_allclose(reference.angular[:, 0], np.tile([0, 0, YAW], (FRAMES, 1)), atol=1e-5)
    still = np.delete(np.asarray(reference.angular), [0, ELBOW], axis=1)
    assert np.abs(still).max() < 1e-5
    np.testing.assert_allclose(reference.linear_velocity[:, 0], np.tile(DRIFT, (FRAMES, 1)), atol=1e-5)


def test_world_angular_velocity_adds_up_along_the_arm(reference):
    world = turn(reference.rotation[INNER, ELBOW])
    # the chord of two steady turns about different axes over two frames is short of the arc by (w h)^2 / 6
    np.testing.assert_allclose(
        reference.angular_velocity[INNER, ELBOW], np.array([0, 0, YAW]) + world.apply(BEND * AXIS), atol=2e-3
    )
    wrist = INDEX["right_wrist"]
    np.testing.assert_allclose(
        reference.angular_velocity[INNER, wrist], reference.angular_velocity[INNER, ELBOW], atol=1e-5
    )


def test_linear_velocity_is_the_central_difference_of_a_circle(reference):
    """v + w x arm, the turning part shortened by sin(w h) / (w h)."""
    hip = INDEX["left_hip"]
    arm = np.asarray(reference.position[INNER, hip] - reference.position[INNER, 0], float)
    angle = YAW / Timing().control_hz
    wanted = DRIFT + np.cross([0, 0, YAW], arm) * np.sin(angle) / angle
    np.testing.assert_allclose(reference.linear_velocity[INNER, hip], wanted, atol=2e-5)


def test_positions_and_tips_are_those_of_the_body(reference):
    clip, body = steady(), human()
    np.testing.assert_allclose(reference.position, clip.joint_positions, atol=1e-6)
    for k, joint in enumerate(TIPS):
        wanted = clip.joint_positions[:, joint] + turn(reference.rotation[:, joint]).apply(body.tips[k])
        np.testing.assert_allclose(reference.tips[:, k], wanted, atol=1e-5)


def test_targets_are_the_reference_half_a_step_ahead(reference):
    """A target is held for a step; on a steady motion it is the pose at the step's middle."""
    t = np.minimum(np.arange(FRAMES) + 0.5, FRAMES - 1) / Timing().control_hz
    local, root = at_times(t)
    gap = turn(reference.target.reshape(-1, 4)).inv() * turn(local.reshape(-1, 4))
    assert gap.magnitude().max() < 1e-5
    np.testing.assert_allclose(reference.target_root, root, atol=1e-6)


def test_beyond_the_end_the_last_frame_stands_still(reference):
    library = make_library([reference], [FRAMES], [0])
    last = library.at(ONLY, jnp.asarray(FRAMES - 1))
    for t in (FRAMES, FRAMES + 40):
        after = library.at(ONLY, jnp.asarray(t))
        assert (after.position == last.position).all() and (after.rotation == last.rotation).all()
        assert not after.linear_velocity.any() and not after.angular_velocity.any()
    assert last.linear_velocity.any()
    assert (library.at(ONLY, jnp.asarray(3)).position == reference.position[3]).all()


def test_start_state_is_the_frame_with_its_rates(reference):
    library = make_library([reference], [FRAMES], [0])
    pose, velocity = library.pose(ONLY, jnp.asarray(4)), library.velocity(ONLY, jnp.asarray(4))
    assert (pose.rotation == reference.local[4]).all() and (pose.root_position == reference.position[4, 0]).all()
    assert (velocity.angular == reference.angular[4]).all()
    assert (velocity.root_linear == reference.linear_velocity[4, 0]).all()
    assert pose.object is None and velocity.object is None


def test_a_clip_at_another_rate_becomes_the_same_motion(physics, reference):
    double, _ = make_reference(steady(fps=60.0, frames=2 * FRAMES - 1), physics, *PLAIN)
    assert double.frames == FRAMES
    np.testing.assert_allclose(double.position, reference.position, atol=1e-5)
    np.testing.assert_allclose(double.angular, reference.angular, atol=1e-4)


def test_without_object_there_is_nothing_to_track(reference):
    target = make_library([reference], [FRAMES], [0]).at(ONLY, jnp.asarray(0))
    assert target.points_px is None and target.points_object is None and target.object_position is None
    assert reference.object_start is None


@pytest.fixture(scope="module")
def with_object(standing, lift_can):
    """The bundled clip, plainly prepared, and its camera."""
    return make_reference(lift_can, standing.environment.physics, *PLAIN)


def numpy_pixels(clip: Clip, camera: Camera, points: np.ndarray, t: int) -> np.ndarray:
    assert clip.object_poses is not None
    world = turn(clip.object_poses.rotations[t]).apply(points) + clip.object_poses.positions[t]
    seen = (world @ camera.T_camera_world[:3, :3].T + camera.T_camera_world[:3, 3]) @ camera.K.T
    return seen[:, :2] / seen[:, 2:]


@pytest.mark.parametrize("t", [0, 60, 109])
def test_tracks_are_poses_through_the_camera(t, with_object, lift_can):
    reference, camera = with_object
    points = np.asarray(reference.points_object, float)
    assert points.shape == (32, 3) and reference.visible.all()
    wanted = numpy_pixels(lift_can, camera, points, t)
    np.testing.assert_allclose(reference.points_px[t], wanted, atol=1e-2)
    assert (wanted > 0).all() and (wanted < [camera.width, camera.height]).all()
    assert float(reference.view.diagonal_px) == pytest.approx(np.hypot(camera.width, camera.height))


def test_tracked_points_lie_on_the_can(with_object, lift_can):
    radius, height = lift_can.scene.object.size
    x, y, z = np.asarray(with_object[0].points_object, float).T
    side = np.abs(np.hypot(x, y) - radius) < 0.01 * radius
    assert (side | (np.abs(np.abs(z) - height / 2) < 1e-6)).all()


def test_own_tracks_are_kept_as_they_are(standing, lift_can, rng):
    """A clip from a video has tracks and no poses: nothing is projected, hidden points stay hidden."""
    frames = lift_can.frames
    tracks = ObjectTracks(
        rng.uniform(0, 500, (frames, 5, 2)), rng.random((frames, 5)) < 0.5, rng.normal(size=(5, 3)), np.arange(5)
    )
    clip = replace(lift_can, object_poses=None, object_tracks=tracks)
    reference, camera = make_reference(clip, standing.environment.physics, *PLAIN)
    np.testing.assert_allclose(reference.points_px, tracks.points_px, rtol=1e-6)
    assert (np.asarray(reference.visible) == tracks.visible).all()
    np.testing.assert_allclose(reference.points_object, tracks.points_object, rtol=1e-6)
    assert reference.object_position is None and reference.object_rotation is None
    assert camera is lift_can.camera


def test_object_starts_where_the_scene_has_it(with_object, lift_can):
    library = make_library([with_object[0]], [lift_can.onset], [0])
    pose = library.pose(ONLY, jnp.asarray(80))
    np.testing.assert_allclose(pose.object, lift_can.object_start, atol=1e-6)
    assert not library.velocity(ONLY, jnp.asarray(80)).object.any()


def test_a_camera_that_looks_away_is_refused(standing, lift_can):
    """As when camera-to-world was written where world-to-camera belongs."""
    about = np.diag([-1.0, 1.0, -1.0, 1.0])
    away = replace(lift_can.camera, T_camera_world=about @ lift_can.camera.T_camera_world)
    with pytest.raises(CameraError, match="behind the camera at frame 0") as caught:
        make_reference(replace(lift_can, camera=away), standing.environment.physics, *PLAIN)
    assert caught.value.where == "lift_can: camera_T_camera_world" and "invert" in caught.value.fix
