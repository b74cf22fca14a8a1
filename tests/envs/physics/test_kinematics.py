"""Forward kinematics in JAX against C MuJoCo's on random states, and fingertips against the body's data."""

import jax
import mujoco
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from devi_jax.core.skeleton import JOINTS, PARENTS, TIPS
from envs.embodiments.human import Human, human
from envs.physics import Physics, PhysicsState, Scene, Variation, make_physics
from envs.physics.kinematics import forward


@pytest.fixture(scope="module", params=["free", "pinned"])
def physics(request) -> Physics:
    return make_physics(Scene(embodiment=Human(root=request.param)), "c")


def random_data(model: mujoco.MjModel, seed: int) -> mujoco.MjData:
    rng = np.random.default_rng(seed)
    data = mujoco.MjData(model)
    # what a state holds is float32: both sides start from the same numbers
    data.qpos[:] = rng.normal(size=model.nq).astype(np.float32)
    data.qvel[:] = rng.normal(size=model.nv).astype(np.float32)
    mujoco.mj_normalizeQuat(model, data.qpos)
    mujoco.mj_forward(model, data)
    return data


def read(physics: Physics, data: mujoco.MjData):
    f32 = [np.asarray(x, np.float32) for x in (data.qpos, data.qvel, data.qacc_warmstart)]
    state = PhysicsState(*map(jax.numpy.asarray, f32), jax.numpy.zeros((2, 16)), jax.numpy.zeros(()), Variation())
    return physics.read(state)


@pytest.mark.parametrize("seed", range(3))
def test_poses_are_mujocos(physics, seed):
    data = random_data(physics.model, seed)
    frame = read(physics, data)
    np.testing.assert_allclose(frame.position, [data.body(name).xpos for name in JOINTS], atol=1e-5)
    wanted = np.array([data.body(name).xmat.reshape(3, 3) for name in JOINTS])
    turned = Rotation.from_quat(np.asarray(frame.rotation, float), scalar_first=True).as_matrix()
    np.testing.assert_allclose(turned, wanted, atol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_velocities_are_mujocos(physics, seed):
    data = random_data(physics.model, seed)
    frame = read(physics, data)
    velocity = np.zeros((52, 6))
    for i, name in enumerate(JOINTS):
        body = physics.model.body(name).id
        mujoco.mj_objectVelocity(physics.model, data, mujoco.mjtObj.mjOBJ_XBODY, body, velocity[i], 0)
    np.testing.assert_allclose(frame.angular_velocity, velocity[:, :3], atol=1e-5)
    np.testing.assert_allclose(frame.linear_velocity, velocity[:, 3:], atol=1e-5)


def test_velocities_are_the_rates_of_positions(physics):
    """Central differences along MuJoCo's own integration of the coordinates."""
    data, step = random_data(physics.model, 5), 1e-5
    frame = read(physics, data)
    positions, turns = [], []
    for sign in (-1, 1):
        moved = mujoco.MjData(physics.model)
        moved.qpos[:] = data.qpos
        mujoco.mj_integratePos(physics.model, moved.qpos, data.qvel, sign * step)
        mujoco.mj_kinematics(physics.model, moved)
        positions.append([moved.body(name).xpos.copy() for name in JOINTS])
        turns.append(Rotation.from_quat([moved.body(name).xquat.copy() for name in JOINTS], scalar_first=True))
    rate = (np.array(positions[1]) - np.array(positions[0])) / (2 * step)
    np.testing.assert_allclose(frame.linear_velocity, rate, atol=1e-4)
    spin = (turns[1] * turns[0].inv()).as_rotvec() / (2 * step)
    np.testing.assert_allclose(frame.angular_velocity, spin, atol=1e-4)


def test_fingertips_are_points_of_the_distal_phalanges(physics):
    data = random_data(physics.model, 2)
    body = human()
    wanted = []
    for joint, tip in zip(TIPS, body.tips, strict=True):
        placed = data.body(JOINTS[joint])
        wanted.append(placed.xpos + placed.xmat.reshape(3, 3) @ tip)
    np.testing.assert_allclose(read(physics, data).tips, wanted, atol=1e-5)


def test_t_pose_is_the_sum_of_offsets():
    body = human()
    still = np.zeros((52, 3), np.float32)
    identity = np.tile(np.array([1, 0, 0, 0], np.float32), (52, 1))
    root = np.array([0.1, -0.2, 0.9], np.float32)
    given = map(jax.numpy.asarray, (identity, root, still, still[0], np.asarray(body.offsets, np.float32)))
    position, rotation, linear, angular = forward(*given, PARENTS)
    for i, parent in enumerate(PARENTS):
        wanted = root if parent < 0 else np.asarray(position[parent]) + body.offsets[i]
        np.testing.assert_allclose(position[i], wanted, atol=1e-6)
    assert (rotation == identity).all() and not linear.any() and not angular.any()


def test_object_is_read_as_mujoco_has_it(standing):
    physics = standing.environment.physics
    data = random_data(physics.model, 4)
    frame = read(physics, data)
    thing = data.body("object")
    np.testing.assert_allclose(frame.object_position, thing.xpos, atol=1e-6)
    turned = Rotation.from_quat(np.asarray(frame.object_rotation, float), scalar_first=True).as_matrix()
    np.testing.assert_allclose(turned, thing.xmat.reshape(3, 3), atol=1e-6)
    velocity = np.zeros(6)
    body = physics.model.body("object").id
    mujoco.mj_objectVelocity(physics.model, data, mujoco.mjtObj.mjOBJ_XBODY, body, velocity, 0)
    np.testing.assert_allclose(frame.object_angular_velocity, velocity[:3], atol=1e-5)
    np.testing.assert_allclose(frame.object_linear_velocity, velocity[3:], atol=1e-5)
