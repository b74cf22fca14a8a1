"""Random but valid frames and targets, and the bundled clip on the C engine, assembled once a worker."""

from collections.abc import Callable
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from devi_jax.core.camera import Camera, frontal
from devi_jax.core.clip import Clip
from devi_jax.core.sim_state import CameraParams, ReferenceState, SimState
from devi_jax.datasets.load import resolve
from devi_jax.systems import Assembly, assemble
from envs.tracking.clip_camera import look_across
from tests.envs.replay import recipe

POINTS = 64

MakeFrame = Callable[[int], SimState]
MakeTarget = Callable[[int], ReferenceState]


def quaternions(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Random rotations (*shape, 4), wxyz."""
    return Rotation.random(int(np.prod(shape)), rng=rng).as_quat(scalar_first=True).reshape(*shape, 4)


def _f32(x):
    return jnp.asarray(x, jnp.float32)


def _params(camera: Camera) -> CameraParams:
    return CameraParams(_f32(camera.K), _f32(camera.T_camera_world), _f32(camera.diagonal_px))


@pytest.fixture
def make_frame() -> MakeFrame:
    """Random frames by seed: a cloud of joints with an object in front of the camera of `make_target`."""

    def make(seed: int) -> SimState:
        rng = np.random.default_rng([seed, 0])
        return SimState(
            position=_f32(rng.normal(scale=0.4, size=(52, 3)) + [0, 0, 1]),
            rotation=_f32(quaternions(rng, 52)),
            linear_velocity=_f32(rng.normal(size=(52, 3))),
            angular_velocity=_f32(rng.normal(size=(52, 3))),
            tips=_f32(rng.normal(scale=0.2, size=(10, 3)) + [0, 0.3, 1]),
            contact_n=_f32(rng.choice([0.0, 0.02, 0.08, 3.0], size=(2, 16))),
            power_w=_f32(rng.uniform(0, 500)),
            object_position=_f32(rng.normal(scale=0.1, size=3) + [0, 0.3, 1]),
            object_rotation=_f32(quaternions(rng, 1)[0]),
            object_linear_velocity=_f32(rng.normal(size=3)),
            object_angular_velocity=_f32(rng.normal(size=3)),
            joint_acceleration=_f32(rng.normal(scale=20.0, size=(52, 3))),
            step_hz=jnp.float32(30.0),
            object_acceleration=_f32(rng.normal(scale=5.0, size=(2, 3))),
        )

    return make


@pytest.fixture
def make_target() -> MakeTarget:
    """Random targets by seed, with object tracks in one of DeVI's frontal cameras and object poses."""

    def make(seed: int) -> ReferenceState:
        rng = np.random.default_rng([seed, 1])
        camera = frontal(azimuth_deg=rng.uniform(-60, 60))
        visible = rng.random(POINTS) < 0.7
        return ReferenceState(
            position=_f32(rng.normal(scale=0.4, size=(52, 3)) + [0, 0, 1]),
            rotation=_f32(quaternions(rng, 52)),
            linear_velocity=_f32(rng.normal(size=(52, 3))),
            angular_velocity=_f32(rng.normal(size=(52, 3))),
            tips=_f32(rng.normal(scale=0.2, size=(10, 3)) + [0, 0.3, 1]),
            contact=_f32(rng.integers(0, 2, size=2)),
            points_px=_f32(rng.uniform(0, 1, size=(POINTS, 2)) * [camera.width, camera.height]),
            visible=jnp.asarray(visible),
            points_object=_f32(rng.normal(scale=0.05, size=(POINTS, 3))),
            view=_params(camera),
            object_position=_f32(rng.normal(scale=0.1, size=3) + [0, 0.3, 1]),
            object_rotation=_f32(quaternions(rng, 1)[0]),
            object_linear_velocity=_f32(rng.normal(size=3)),
            object_distance=_f32(rng.uniform(0, 1, size=52)),
            second_view=_params(look_across(camera, np.array([0.0, 0.3, 1.0]))),
        )

    return make


@pytest.fixture
def matching(make_frame: MakeFrame, make_target: MakeTarget) -> tuple[SimState, ReferenceState]:
    """A frame and the target that it reaches exactly, in kinematics and in pixels; all points visible."""
    frame, target = make_frame(7), make_target(7)
    assert target.view is not None
    world = Rotation.from_quat(np.asarray(frame.object_rotation, float), scalar_first=True).apply(
        np.asarray(target.points_object, float)
    ) + np.asarray(frame.object_position, float)
    T, K = (np.asarray(x, float) for x in (target.view.T_camera_world, target.view.K))
    seen = (world @ T[:3, :3].T + T[:3, 3]) @ K.T
    target = replace(
        target,
        position=frame.position,
        rotation=frame.rotation,
        linear_velocity=frame.linear_velocity,
        angular_velocity=frame.angular_velocity,
        tips=frame.tips,
        points_px=_f32(seen[:, :2] / seen[:, 2:]),
        visible=jnp.ones(POINTS, bool),
        object_position=frame.object_position,
        object_rotation=frame.object_rotation,
        object_linear_velocity=frame.object_linear_velocity,
    )
    return frame, target


@pytest.fixture(scope="session")
def lift_can() -> Clip:
    """The bundled clip."""
    return resolve("lift_can")


@pytest.fixture(scope="session")
def standing(lift_can: Clip) -> Assembly:
    """The bundled clip on the C engine, on its own feet."""
    return assemble(recipe(), lift_can, "c", "free")


@pytest.fixture(scope="session")
def pinned(lift_can: Clip) -> Assembly:
    """The bundled clip on the C engine, with a pinned root."""
    return assemble(recipe(), lift_can, "c", "pinned")
