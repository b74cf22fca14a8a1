"""The environment's contract: time, tokens, rewards from errors, failing and ending told apart, purity under vmap."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from devi_jax.datasets.load import resolve
from devi_jax.systems import assemble
from envs.physics import Timing
from envs.tracking.actions import make_action
from envs.tracking.config import STILL, ActionConfig, ResetConfig
from envs.tracking.randomization import Randomization
from envs.tracking.state import TrackingState
from tests.envs.replay import recipe
from tests.simulated import within

ZERO = jnp.zeros(153)


@pytest.fixture(scope="module")
def environment(standing):
    return standing.environment


@pytest.fixture(scope="module")
def step(environment):
    return jax.jit(environment.step)


@pytest.fixture(scope="module")
def start(environment):
    return jax.jit(environment.start)


def with_physics(state: TrackingState, **changes) -> TrackingState:
    return replace(state, physics=replace(state.physics, **changes))


def same_bits(a, b) -> bool:
    return all(np.array_equal(np.asarray(x), np.asarray(y)) for x, y in zip(*map(jax.tree.leaves, (a, b)), strict=True))


@pytest.mark.simulated
def test_a_step_is_one_frame_of_the_clip(environment, step, start):
    state = start(jnp.asarray(10))
    after, transition = step(state, ZERO)
    assert int(state.t) == 10 and int(after.t) == 11
    assert not transition.terminated and not transition.truncated
    moved = np.linalg.norm(np.asarray(environment.frame(after).position - environment.reference.position[11]), axis=1)
    # measured under 3 instruction sets, 9 starts in all: 1.1 mm
    within("joints, m", moved.max(), high=0.01)


def test_token_sizes_are_as_announced(environment, step, start):
    state = start(jnp.asarray(0))
    tokens = environment.observe(state)
    assert {name: len(x) for name, x in tokens.items()} == environment.observation_sizes
    assert environment.observation_sizes == {"human": 778, "goal": 2 * 468, "object": 15}
    assert environment.action_size == 153
    after, transition = step(state, ZERO)
    for name, token in environment.observe(after).items():
        np.testing.assert_allclose(transition.observation[name], token, atol=1e-5)


def test_goal_looks_at_the_configured_future_frames(environment, start):
    state = start(jnp.asarray(20))
    frame, reference = environment.frame(state), environment.reference
    goal = np.asarray(environment.observe(state)["goal"]).reshape(2, 468)
    for k, block in zip(environment.observations.goal_frames, goal, strict=True):
        # the way each joint has to go, as long in the heading frame as in the world, and as high
        way = np.asarray(reference.position[20 + k] - frame.position, float)
        seen = block[:156].reshape(52, 3)
        np.testing.assert_allclose(np.linalg.norm(seen, axis=1), np.linalg.norm(way, axis=1), atol=1e-5)
        np.testing.assert_allclose(seen[:, 2], way[:, 2], atol=1e-5)
    assert environment.observations.goal_frames == (1, 4)


@pytest.mark.parametrize("t", [5, 40, 70])
def test_reward_is_the_product_of_the_errors_it_reports(t, environment, step, start, rng):
    """Equation 15, from the metrics that are logged: one definition of every number."""
    state = start(jnp.asarray(t))
    for _ in range(3):
        state, transition = step(state, jnp.asarray(rng.normal(scale=0.3, size=153), jnp.float32))
    error = {name: float(x) for name, x in transition.metrics.items()}
    assert set(error) == set(environment.rewards.rows)
    on = bool((environment.reference.contact[t + 3] > 0.5).sum() == 1)
    factors = []
    for name, row in environment.rewards.rows.items():
        s, e = row.sharpness, error[name]
        if row.weight == 0:
            continue
        match row.shape:
            case "gaussian":
                factors.append(np.exp(-s * e**2))
            case "exponential":
                factors.append(np.exp(-s * e))
            case "linear":
                factors.append(1 - e if on else 1.0)
            case "sigmoid":
                factors.append(2 / (1 + np.exp(s * e**2)) if on else 1.0)
    np.testing.assert_allclose(transition.reward, np.prod(np.maximum(factors, 1e-20)), rtol=1e-4, atol=1e-9)


def test_the_end_of_the_clip_truncates_and_does_not_terminate(environment, step, start):
    """From a state on the reference, the step to the last frame ends the episode without failure."""
    last = environment.reference.frames - 1
    library = environment.library
    blind = replace(library, reference=replace(library.reference, points_px=None, visible=None))
    free = replace(environment, library=blind)
    state = start(jnp.asarray(last - 2))
    run = jax.jit(free.step)  # without tracks: the object is still on the table here
    state, transition = run(state, ZERO)
    assert int(state.t) == last - 1 and not transition.truncated
    state, transition = run(state, ZERO)
    assert int(state.t) == last and transition.truncated and not transition.terminated


def test_a_failure_at_the_end_is_no_truncation(environment, step, start):
    last = environment.reference.frames - 1
    state = start(jnp.asarray(last - 1))
    lost = with_physics(state, qpos=state.physics.qpos.at[0].add(1.0))
    _, transition = step(lost, ZERO)
    assert transition.terminated and not transition.truncated


def test_a_lost_object_terminates(environment, step, start):
    state = start(jnp.asarray(30))
    dropped = with_physics(state, qpos=state.physics.qpos.at[-7:-4].set(jnp.array([0.3, 0.8, 0.06])))
    assert not step(state, ZERO)[1].terminated
    assert step(dropped, ZERO)[1].terminated


def test_a_diverged_simulation_terminates(environment, step, start):
    state = start(jnp.asarray(30))
    _, transition = step(with_physics(state, qvel=state.physics.qvel.at[5].set(jnp.nan)), ZERO)
    assert transition.terminated and not transition.truncated


def test_zero_residual_aims_at_the_reference_targets(environment, start):
    for t in (0, 57, environment.reference.frames - 1):
        control = environment.control(start(jnp.asarray(t)), ZERO)
        assert (control.rotation == environment.reference.target[t]).all()
        assert (control.root_position == environment.reference.target_root[t]).all()


def test_absolute_actions_ignore_the_reference(environment, start):
    embodiment = environment.physics.scene.embodiment
    absolute = replace(environment, action=make_action(ActionConfig(mode="absolute"), embodiment, np.zeros((1, 2))))
    action = jnp.linspace(-0.5, 0.5, 153)
    controls = [absolute.control(start(jnp.asarray(t)), action).rotation[1:] for t in (0, 60)]
    assert (controls[0] == controls[1]).all()
    wanted = Rotation.from_rotvec(np.pi * np.asarray(action, float).reshape(51, 3))
    gap = Rotation.from_quat(np.asarray(controls[0], float), scalar_first=True).inv() * wanted
    assert gap.magnitude().max() < 1e-5


def reset_many(environment, keys):
    return jax.jit(jax.vmap(environment.reset, in_axes=(0, None)))(keys, environment.first_curriculum())


def test_episodes_start_at_the_first_or_the_pre_contact_frame(environment, lift_can):
    states = reset_many(environment, jax.random.split(jax.random.key(1), 400))
    frames, counts = np.unique(states.t, return_counts=True)
    assert frames.tolist() == [0, lift_can.onset - 1]
    assert abs(counts[0] / 400 - 0.5) < 4 * np.sqrt(0.25 / 400)
    # in the reference's pose and motion, with the object where the scene has it
    reference = environment.reference
    pick = {t: int(np.flatnonzero(states.t == t)[0]) for t in frames}
    for t, i in pick.items():
        frame = environment.frame(jax.tree.map(lambda x, i=i: x[i], states))
        np.testing.assert_allclose(frame.position, reference.position[t], atol=1e-5)
        np.testing.assert_allclose(frame.linear_velocity[0], reference.linear_velocity[t, 0], atol=1e-5)
        np.testing.assert_allclose(frame.object_position, lift_can.object_start[:3], atol=1e-6)
        assert not frame.object_linear_velocity.any()


def test_joint_noise_has_the_asked_size_and_spares_the_root(environment):
    config = replace(environment.config, resets=ResetConfig(pre_contact=0.0, joint_noise_rad=0.05))
    noisy = replace(environment, config=config)
    states = reset_many(noisy, jax.random.split(jax.random.key(2), 50))
    local = jax.vmap(environment.physics.joint_rotation)(states.physics)
    clean = Rotation.from_quat(np.asarray(environment.reference.local[0], float), scalar_first=True)
    for joint in (0, 5, 30):
        turns = (
            clean[joint].inv() * Rotation.from_quat(np.asarray(local[:, joint], float), scalar_first=True)
        ).as_rotvec()
        if joint == 0:
            assert np.abs(turns).max() < 1e-5
        else:
            # 150 normal numbers: the standard deviation is known to 6 percent
            assert np.std(turns) == pytest.approx(0.05, rel=0.25)


@pytest.mark.simulated
def test_a_batch_is_its_environments(environment, step, start):
    frames = jnp.array([0, 30, 60])
    states = jax.vmap(environment.start)(frames)
    actions = 0.2 * jax.random.normal(jax.random.key(3), (3, 153))
    together, transitions = jax.jit(jax.vmap(environment.step))(states, actions)
    for i, t in enumerate(frames):
        after, transition = step(start(t), actions[i])
        within("together and alone", np.abs(together.physics.qpos[i] - after.physics.qpos).max(), high=1e-6)
        within("reward, of that alone", transitions.reward[i] / transition.reward, low=0.999, high=1.001)


def test_a_step_is_a_function_of_its_arguments(environment, step, start):
    state, action = start(jnp.asarray(50)), 0.1 * jnp.ones(153)
    first = step(state, action)
    step(start(jnp.asarray(3)), -action)
    assert same_bits(step(state, action), first)
    assert environment.physics.settings.timestep_s * environment.physics.substeps == pytest.approx(
        1 / Timing().control_hz
    )


def _object_shift(environment, states):
    at = environment.physics.layout.object().qpos
    return np.asarray(states.physics.qpos[:, at][:, :2]) - np.asarray(environment.reference.object_start)[None, :2]


@pytest.mark.parametrize(("displace", "moved"), [("all", True), ("first", False)])
def test_the_object_is_put_elsewhere_where_no_hand_is(environment, key, displace, moved):
    resets = ResetConfig(pre_contact=0.5, displace=displace)
    world = replace(environment, config=replace(environment.config, resets=resets, randomization=Randomization()))
    curriculum = world.first_curriculum()
    states = jax.vmap(world.reset, in_axes=(0, None))(jax.random.split(key, 64), curriculum)
    first, shift = np.asarray(states.t) == 0, np.abs(_object_shift(world, states)).max(axis=1)
    assert 0 < first.sum() < 64 and (shift[first] > 0).all() and shift.max() <= Randomization().object_m + 1e-6
    assert (shift[~first] > 0).all() == moved and (shift[~first] > 0).any() == moved
    assert np.unique(states.physics.variation.mass).size == 64


def test_episodes_are_pushed_about_once_in_the_time_of_the_clip(environment, key):
    free = assemble(recipe(), resolve("lift_can"), "c", "free").environment
    world = free.shaken(replace(STILL, push_m_s=0.4))
    state = world.start(jnp.zeros((), jnp.int32))

    def push(key, t):
        return world._disturb(replace(state, noise=key, t=t))[0].physics.qvel - state.physics.qvel

    keys, frames = jax.random.split(key, 40), jnp.arange(world.frames)
    change = np.asarray(jax.jit(jax.vmap(jax.vmap(push, (None, 0)), (0, None)))(keys, frames))
    size = np.linalg.norm(change[..., :2], axis=-1)
    assert not change[..., 2:].any() and np.allclose(size[size > 0], 0.4, rtol=1e-4)
    # Poisson with a mean of one in each of 40 episodes: 40 +- 4 sqrt(40)
    assert abs((size > 0).sum() - 40) < 26
    assert world.calm._disturb(state)[0] is state


@pytest.mark.parametrize("mode", ["residual", "hand_task_space"])
def test_targets_are_shaken_by_as_much_as_asked_whatever_an_action_means(mode, lift_can, key):
    system = replace(recipe(), action=ActionConfig(mode=mode))
    world = assemble(system, lift_can, "c", "pinned").environment.shaken(replace(STILL, joint_rad=0.05))
    state, still = world.start(jnp.zeros((), jnp.int32)), jnp.zeros(world.action_size)

    def targets(key):
        return world.control(state, still, world._disturb(replace(state, noise=key))[1])

    shaken, exact = jax.vmap(targets)(jax.random.split(key, 200)), world.control(state, still)
    there = Rotation.from_quat(np.asarray(exact.rotation[1:]), scalar_first=True)
    turns = np.stack(
        [(there.inv() * Rotation.from_quat(x[1:], scalar_first=True)).as_rotvec() for x in np.asarray(shaken.rotation)]
    )
    assert turns.shape == (200, 51, 3) and (np.asarray(shaken.rotation)[:, 0] == np.asarray(exact.rotation)[0]).all()
    np.testing.assert_allclose(turns.std(axis=(0, 2)), 0.05, rtol=0.15)
    np.testing.assert_allclose(turns.std(), 0.05, rtol=0.02)
