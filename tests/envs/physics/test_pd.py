"""PD control: the torque limit, MuJoCo's spring at the same targets, and power, by their formulas."""

import jax.numpy as jnp
import mujoco
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from devi_jax.core.skeleton import JOINTS
from envs.embodiments import Joint, joint_table
from envs.embodiments.human import Gains, Human, per_joint
from envs.physics import Scene, make_physics
from envs.physics.pd import joint_power, limit_effort, limit_torque

N = 51
GAINS = per_joint(Gains())


def turn(q) -> Rotation:
    return Rotation.from_quat(np.asarray(q, float), scalar_first=True)


def f32(x):
    return jnp.asarray(x, jnp.float32)


@pytest.fixture
def joints(rng):
    """Rotations, targets a random turn of 0 to 2.5 rad away, and that turn in the joints' frames."""
    rotation = Rotation.random(N, rng=rng)
    error = rng.normal(size=(N, 3))
    error *= rng.uniform(0, 2.5, size=(N, 1)) / np.linalg.norm(error, axis=1, keepdims=True)
    target = rotation * Rotation.from_rotvec(error)
    return f32(rotation.as_quat(scalar_first=True)), f32(target.as_quat(scalar_first=True)), error


def test_torque_is_stiffness_times_the_turn_below_the_limit(joints):
    rotation, target, error = joints
    limited, torque = limit_torque(rotation, target, f32(GAINS.stiffness), jnp.full(N, 1e6))
    np.testing.assert_allclose(torque, GAINS.stiffness[:, None] * error, rtol=1e-4, atol=1e-3)
    assert (turn(limited).inv() * turn(target)).magnitude().max() < 1e-5


def test_torque_ends_exactly_at_the_limit_and_keeps_its_direction(joints):
    rotation, target, error = joints
    limited, torque = limit_torque(rotation, target, f32(GAINS.stiffness), f32(GAINS.torque_limit))
    wanted = GAINS.stiffness * np.linalg.norm(error, axis=1)
    size = np.linalg.norm(torque, axis=1)
    np.testing.assert_allclose(size, np.minimum(wanted, GAINS.torque_limit), rtol=1e-4)
    active = wanted > GAINS.torque_limit
    assert active.sum() > 5 and (~active).sum() > 5
    direction = error / np.linalg.norm(error, axis=1, keepdims=True)
    np.testing.assert_allclose(torque, size[:, None] * direction, rtol=1e-3, atol=2e-2)
    # the shortened target pulls with that very torque
    pull = (turn(rotation).inv() * turn(limited)).as_rotvec() * GAINS.stiffness[:, None]
    np.testing.assert_allclose(pull, torque, rtol=1e-3, atol=2e-2)


def test_at_the_target_there_is_no_torque(joints):
    rotation, _, _ = joints
    limited, torque = limit_torque(rotation, rotation, f32(GAINS.stiffness), f32(GAINS.torque_limit))
    assert np.abs(np.asarray(torque)).max() < 1e-3
    assert (turn(limited).inv() * turn(rotation)).magnitude().max() < 1e-5


def test_the_shorter_way_round_is_taken():
    """Both signs of a quaternion are one rotation."""
    q = jnp.tile(jnp.array([[1.0, 0, 0, 0]]), (N, 1))
    target = f32(Rotation.from_rotvec([[0, 0, 0.5]] * N).as_quat(scalar_first=True))
    for sign in (1.0, -1.0):
        _, torque = limit_torque(q, sign * target, jnp.full(N, 10.0), jnp.full(N, 100.0))
        np.testing.assert_allclose(torque, [[0, 0, 5.0]] * N, atol=1e-4)


@pytest.mark.parametrize("root", ["free", "pinned"])
def test_mujocos_spring_is_this_torque(root, joints):
    """Sign and size: `qfrc_spring` of a ball joint at random rotations and targets."""
    rotation, target, error = joints
    model = make_physics(Scene(embodiment=Human(root=root)), "c").model
    data = mujoco.MjData(model)
    for i, name in enumerate(JOINTS[1:]):
        adr = model.joint(name).qposadr[0]
        data.qpos[adr : adr + 4] = rotation[i]
        model.qpos_spring[adr : adr + 4] = target[i]
    mujoco.mj_forward(model, data)
    _, torque = limit_torque(rotation, target, f32(GAINS.stiffness), jnp.full(N, 1e9))
    for i, name in enumerate(JOINTS[1:]):
        adr = model.joint(name).dofadr[0]
        spring = data.qfrc_spring[adr : adr + 3]
        np.testing.assert_allclose(spring, GAINS.stiffness[i] * error[i], rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(spring, torque[i], rtol=1e-3, atol=1e-2)


def test_power_is_torque_times_speed_joint_by_joint(rng):
    torque, speed = rng.normal(size=(N, 3)), rng.normal(size=(N, 3))
    wanted = sum(
        abs(np.dot(torque[i] - GAINS.damping[i] * speed[i], speed[i])) for i in range(N)
    )  # watts, braking counts as much as driving
    np.testing.assert_allclose(joint_power(f32(torque), f32(GAINS.damping), f32(speed)), wanted, rtol=1e-5)


def test_power_of_one_joint_by_hand():
    speed = jnp.zeros((N, 3)).at[4].set(jnp.array([0.0, 2.0, 0.0]))
    torque = jnp.zeros((N, 3)).at[4].set(jnp.array([7.0, 5.0, 0.0]))
    # (5 - 0.5 * 2) * 2
    assert float(joint_power(torque, jnp.full(N, 0.5), speed)) == pytest.approx(8.0)


def scalar_joint(**changes):
    given = dict(stiffness=100.0, damping=10.0, effort=20.0, speed=1.5, range=(-1.0, 1.0)) | changes
    joints = (Joint("base", -1, "root", "arm", (0, 0, 0)), Joint("hinge", 0, "hinge", "arm", (0, 0, 0), **given))
    return joint_table(joints)


@pytest.mark.parametrize(
    ("position", "rate", "target", "wanted", "force"),
    [
        (0.0, 0.0, 0.05, 0.05, 5.0),  # within every limit
        (0.0, 0.0, 0.9, 0.15, 15.0),  # no longer a spring than damping balances at top speed
        (0.0, -1.0, 0.9, 0.1, 20.0),  # spring and damper together no more than the effort
        (0.95, 0.0, 2.0, 1.0, 5.0),  # within the range
    ],
)
def test_scalar_targets_respect_range_speed_and_effort(position, rate, target, wanted, force):
    given = (jnp.array([x], jnp.float32) for x in (position, rate, target))
    limited, pulled = limit_effort(*given, scalar_joint())
    assert float(limited[0]) == pytest.approx(wanted, abs=1e-6) and float(pulled[0]) == pytest.approx(force, abs=1e-4)


def test_a_joint_that_nothing_drives_is_left_alone():
    passive = scalar_joint(stiffness=0.0, damping=2.0, speed=np.inf)
    limited, pulled = limit_effort(jnp.full(1, 0.3), jnp.full(1, 1.5), jnp.zeros(1), passive)
    assert float(limited[0]) == pytest.approx(0.3) and float(pulled[0]) == pytest.approx(-3.0)


def test_a_joint_without_limits_keeps_its_target():
    limited, _ = limit_effort(
        jnp.zeros(1), jnp.ones(1), jnp.full(1, 7.0), scalar_joint(effort=np.inf, speed=np.inf, range=(-np.inf, np.inf))
    )
    assert float(limited[0]) == pytest.approx(7.0)
