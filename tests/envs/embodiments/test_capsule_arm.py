"""The arm: closed-form reach, kinematics as MuJoCo's, springs that hold, and limits that bind, in every engine."""

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest

from devi_jax.core.scene import ObjectSpec, SceneSpec, Table
from envs.embodiments import joint_table
from envs.embodiments.capsule_arm import OPEN_M, CapsuleArm, reach
from envs.physics import Control, Physics, Pose, Scene, Timing, Velocity, make_physics
from tests.simulated import within

ARM = CapsuleArm()
BOX = ObjectSpec("box", (0.05, 0.05, 0.1), 1.0)
UPRIGHT, NOWHERE = jnp.array([[1.0, 0, 0, 0]]), jnp.array([0.0, 0.8, 0.2, 1, 0, 0, 0])
RATES = Timing(physics_hz=120.0, control_hz=60.0, policy_hz=30.0)


@pytest.fixture(scope="module")
def physics() -> Physics:
    return make_physics(Scene(SceneSpec(Table(), BOX), ARM), "c", timing=RATES)


def at(physics: Physics, scalars, rates=None, thing=NOWHERE):
    rates = jnp.zeros(9) if rates is None else jnp.asarray(rates, jnp.float32)
    pose = Pose(UPRIGHT, jnp.zeros(3), thing, jnp.asarray(scalars, jnp.float32))
    return physics.init(pose, Velocity(jnp.zeros((1, 3)), jnp.zeros(3), jnp.zeros(6), rates))


def driven(physics: Physics, state, target, steps: int):
    """States after each of some control steps towards constant targets."""
    control = Control(UPRIGHT, jnp.zeros(3), jnp.asarray(target, jnp.float32))

    def step(state, _):
        after = physics.step(state, control)
        return after, after

    return jax.jit(lambda s: jax.lax.scan(step, s, None, length=steps))(state)[1]


def positions(physics: Physics, states) -> np.ndarray:
    return np.asarray(physics.layout.scalar_qpos(states.qpos), float)


def test_it_reaches_where_it_should_with_the_gripper_down_and_turned(physics, rng):
    """Places in front of it, within its reach, above and below the shoulder."""
    count = 40
    place = np.array([0.0, 0.0, 0.8]) + rng.uniform([-0.3, 0.2, 0.0], [0.3, 0.5, 0.2], (count, 3))
    yaw, opening = rng.uniform(-1.5, 1.5, count), rng.uniform(0, OPEN_M, count)
    one = [reach(ARM, place[i : i + 1], yaw[i : i + 1], opening[i : i + 1])[0] for i in range(count)]
    seen = jax.vmap(lambda q: physics.read(at(physics, q)))(jnp.asarray(np.stack(one), jnp.float32))
    tips = np.asarray(seen.tips, float)
    np.testing.assert_allclose(tips.mean(axis=1), place, atol=2e-6)
    across = tips[:, 0] - tips[:, 1]
    np.testing.assert_allclose(np.linalg.norm(across, axis=1), 2 * opening, atol=2e-6)
    # fingers open along an axis turned by yaw, either way round
    along = np.stack([np.cos(yaw), np.sin(yaw), 0 * yaw], axis=1)
    np.testing.assert_allclose(np.abs((across * along).sum(axis=1)), 2 * opening, atol=2e-6)


def test_a_path_is_reached_without_jumps():
    """A whole turn of the gripper, which comes back to the same grip twice on the way."""
    place, yaw = np.tile([[0.1, 0.35, 0.9]], (200, 1)), np.linspace(-2, 2, 200)
    joints = reach(ARM, place, yaw, np.zeros(200))
    assert np.abs(np.diff(joints, axis=0)).max() < 0.03


def test_kinematics_are_mujocos_and_velocities_their_rates(physics, rng):
    table, model = joint_table(ARM.joints), physics.model
    data, step = mujoco.MjData(model), 1e-3
    for _ in range(5):
        scalars, rates = rng.uniform(-1, 1, 9) * [1, 1, 1, 1, 1, 1, 1, 0.02, 0.02], rng.normal(size=9)
        shown = physics.read(at(physics, scalars, rates))
        state = at(physics, scalars, rates)
        data.qpos[:], data.qvel[:] = state.qpos, state.qvel
        mujoco.mj_forward(model, data)
        bodies = [model.body(name).id for name in table.names]
        np.testing.assert_allclose(shown.position, data.xpos[bodies], atol=2e-6)
        np.testing.assert_allclose(np.abs((data.xquat[bodies] * shown.rotation).sum(axis=1)), 1, atol=1e-6)
        before, after = (physics.read(at(physics, scalars + sign * step * rates)) for sign in (-0.5, 0.5))
        moved = (np.asarray(after.position) - np.asarray(before.position)) / step
        np.testing.assert_allclose(shown.linear_velocity, moved, atol=2e-3)


def test_its_coordinates_are_hinges_and_slides_and_the_object(physics, rng):
    layout = physics.layout
    assert (layout.nq, layout.nv) == (9 + 7, 9 + 6) and layout.objects == ("object",)
    assert layout.root.qpos == slice(0, 0) and layout.joint("elbow").qpos == slice(3, 4)
    qpos = rng.normal(size=(3, layout.nq))
    root, rotation, objects = layout.unpack_qpos(qpos)
    np.testing.assert_array_equal(root, np.tile([0, 0, 0.8], (3, 1)))
    np.testing.assert_array_equal(rotation, np.tile([[1.0, 0, 0, 0]], (3, 1, 1)))
    np.testing.assert_array_equal(layout.pack_qpos(root, rotation, objects, layout.scalar_qpos(qpos)), qpos)


GRIP = reach(ARM, np.array([[0.1, 0.35, 1.1]]), np.array([0.4]), np.array([OPEN_M]))[0]


@pytest.mark.simulated
@pytest.mark.parametrize(
    "engine", ["c", pytest.param("mjx", marks=pytest.mark.slow), pytest.param("warp", marks=pytest.mark.slow)]
)
def test_it_stands_still_against_gravity_and_comes_where_it_is_sent(engine):
    """Gravity is compensated, so springs have nothing to bear; a step of 0.3 rad is made within a second."""
    timing = RATES if engine != "mjx" else Timing(physics_hz=240.0, control_hz=60.0, policy_hz=30.0)
    physics = make_physics(Scene(SceneSpec(Table(), BOX), ARM), engine, timing=timing)
    start = at(physics, GRIP)
    target = GRIP + np.array([0.3, -0.2, 0.1, 0.2, 0.1, 0.2, 0.3, -0.02, -0.02])
    still = np.abs(positions(physics, driven(physics, start, GRIP, 30)) - GRIP).max()
    gone = positions(physics, driven(physics, start, target, 60))
    assert still < 1e-4
    within("joints from the target, rad", np.abs(gone[-1] - target)[:7].max(), high=1e-3)
    within("fingers from the target, m", np.abs(gone[-1] - target)[7:].max(), high=1e-4)
    within("overshoot, rad", ((gone - target) * np.sign(target - GRIP))[:, :7].max(), high=1e-3)


@pytest.mark.simulated
def test_it_holds_a_kilogram_between_its_fingers(physics):
    """Squeezed by springs; the arm sags by the weight over its stiffness, and the box hardly slips."""
    place = np.array([[0.1, 0.35, 1.1]])
    shut = reach(ARM, place, np.array([0.4]), np.array([0.024]))[0]
    turned = jnp.array([np.cos(0.2), 0, 0, np.sin(0.2)])
    start = at(physics, shut, thing=jnp.concatenate([jnp.asarray(place[0], jnp.float32), turned]))
    states = driven(physics, start, shut - np.array([0] * 7 + [0.024, 0.024]), 60)
    at_object = physics.layout.object().qpos
    height = np.asarray(states.qpos[:, at_object])[:, 2]
    within("joints' lag, rad", np.abs(positions(physics, states)[-1, :7] - shut[:7]).max(), high=2e-3)
    within("box sinks, m", height[0] - height[-1], low=-1e-3, high=1.5e-3)
    within("strongest contact of each finger, N", np.asarray(states.contact_n[-1]), low=5.0, high=15.0)


@pytest.mark.simulated
def test_no_joint_leaves_its_range_or_outruns_its_speed(physics):
    target = GRIP + np.array([9, -9, 9, 9, 9, 9, 9, 1, 1.0])
    states = driven(physics, at(physics, GRIP), target, 120)
    table = joint_table(ARM.joints)
    reached = positions(physics, states)
    assert (reached < table.high + 0.01).all() and (reached > table.low - 0.01).all()
    speed = np.abs(np.asarray(physics.layout.scalar_qvel(states.qvel)))
    assert (speed < table.speed * 1.1).all() and speed[:, 0].max() > 0.5
