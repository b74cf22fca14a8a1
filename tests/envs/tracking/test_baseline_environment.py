"""What the baselines' terms, goal and termination ask of the environment: the object's rates, distances, a counter."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from devi_jax.systems import assemble, make_system
from envs.tracking.config import ObjectPoints


@pytest.fixture(scope="module")
def environment(lift_can):
    system = make_system("intermimic_reward", "cpu", "paper")
    system = replace(system, object_points=ObjectPoints(32))
    return assemble(system, lift_can, "c", "pinned").environment


@pytest.fixture(scope="module")
def step(environment):
    return jax.jit(environment.step)


@pytest.fixture(scope="module")
def steps(environment, step):
    """States and transitions of three steps from a frame in which the hand should hold the can, and does not."""
    state = jax.jit(environment.start)(jnp.asarray(int(environment.library.onset[0]) + 2))
    out = [(state, None)]
    for i in range(3):
        out.append(step(out[-1][0], jnp.full(environment.action_size, 0.2 * i)))
    return out


def test_the_reference_knows_the_objects_speed_and_the_joints_distances(environment, lift_can):
    reference, poses = environment.reference, lift_can.object_poses
    t = int(environment.library.onset[0]) + 20
    speed = (poses.positions[t + 1] - poses.positions[t - 1]) * lift_can.fps / 2
    np.testing.assert_allclose(reference.object_linear_velocity[t], speed, atol=1e-5)
    turned = Rotation.from_quat(poses.rotations[t], scalar_first=True)
    points = turned.apply(np.asarray(reference.points_object, float)) + poses.positions[t]
    wanted = cdist(np.asarray(reference.position[t], float), points).min(axis=1)
    np.testing.assert_allclose(reference.object_distance[t], wanted, atol=1e-5)
    clip = jnp.zeros((), jnp.int32)
    last, beyond = (environment.library.at(clip, jnp.asarray(reference.frames - 1 + k)) for k in (0, 1))
    assert np.any(last.object_linear_velocity != 0) or np.all(beyond.object_linear_velocity == 0)
    assert not np.any(beyond.object_linear_velocity)


def test_accelerations_are_changes_of_rates_over_a_control_step(environment, steps):
    before, (after, transition) = steps[2][0], steps[3]
    rates = [np.asarray(environment.physics.joint_angular(s.physics), float)[1:] for s in (before, after)]
    length = np.sqrt(np.mean(np.sum((30 * (rates[1] - rates[0])) ** 2, axis=-1)))
    np.testing.assert_allclose(transition.metrics["joint_acceleration"], length, rtol=1e-4)
    frames = [environment.frame(s) for s in (before, after)]
    for name, rate in (("object_acceleration", "object_linear_velocity"), ("object_spin", "object_angular_velocity")):
        change = 30 * (np.asarray(getattr(frames[1], rate), float) - np.asarray(getattr(frames[0], rate), float))
        np.testing.assert_allclose(transition.metrics[name], np.linalg.norm(change), rtol=1e-3, atol=1e-3)


def test_the_goal_has_nine_numbers_more_a_frame(environment, steps):
    tokens = steps[1][1].observation
    assert environment.observation_sizes["goal"] == 2 * 477 == len(tokens["goal"])
    assert environment.observations.goal_frames == (1, 16)
    frame, reference = environment.frame(steps[1][0]), environment.reference
    for k, block in zip((1, 16), np.asarray(tokens["goal"])[2 * 468 :].reshape(2, 9), strict=True):
        way = np.asarray(reference.object_position[int(steps[1][0].t) + k] - frame.object_position, float)
        np.testing.assert_allclose(np.linalg.norm(block[:3]), np.linalg.norm(way), atol=1e-5)


def test_hands_that_feel_nothing_are_counted_and_end_the_episode(environment, step, steps):
    reference, counts = environment.reference, np.zeros(2, int)
    for state, _ in steps[1:]:
        touches = (np.asarray(state.physics.contact_n) > 0.1).any(axis=1)
        wanted = np.asarray(reference.contact[int(state.t)]) > 0.5
        counts = np.where(wanted & ~touches, counts + 1, 0)
        assert state.untouched.tolist() == counts.tolist()
    state, hand = steps[1][0], int(np.argmax(np.asarray(reference.contact[int(environment.library.onset[0])])))
    away = state.physics.qpos.at[-7:-4].add(jnp.array([0.0, 0.3, 0.0]))
    lost = replace(state, physics=replace(state.physics, qpos=away))
    for count, ends in ((9, False), (10, True)):
        before = replace(lost, untouched=jnp.zeros(2, jnp.int32).at[hand].set(count))
        assert bool(step(before, jnp.zeros(environment.action_size))[1].terminated) is ends


def test_devi_counts_nothing_so_that_its_states_are_as_they_were(pinned):
    state = pinned.environment.start(jnp.asarray(0))
    assert state.untouched is None
