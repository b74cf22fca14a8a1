"""Whole rewards of the baselines against their codes, written again in float64 NumPy with the codes' own weights."""

from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from devi_jax.systems import make_system
from envs import rewards as errors
from envs.rewards import Rewards
from tests.envs.rewards import baseline_formulas as numpy_terms
from tests.envs.rewards.baseline_formulas import BODY, FULL, KEYS18, f64, heading, local_vectors, posed, turn

BASELINES = ("physhoi", "skillmimic", "intermimic_reward")


@cache
def rewards(name: str):
    """The system's reward, compiled once."""
    system = make_system(name)
    return jax.jit(Rewards(system.rewards, system.combine).__call__)


def physhoi_like(frame, target, p, rotation_error, r):
    """Body, object, interaction graph and the object's contact node, as PhysHOI's code multiplies them."""
    keys, aims = f64(frame.position)[KEYS18], f64(target.position)[KEYS18]
    thing, aim = f64(frame.object_position), f64(target.object_position)
    rp = np.exp(-p * np.mean((aims - keys) ** 2))
    rr = np.exp(-r * rotation_error)
    rop = np.exp(-1 * np.mean((aim - thing) ** 2))
    rig = np.exp(-20 * np.mean(((aims - aim) - (keys - thing)) ** 2))
    touches = float((f64(frame.contact_n) > 0.1).any())
    rcg = np.exp(-5 * abs(touches - float(f64(target.contact).max() > 0.5)))
    return rp * rr * rop * rig * rcg


def physhoi(frame, target):
    pose = [
        np.concatenate([f64(x.rotation[0]), local_vectors(x.rotation).ravel()])
        for x in (replace(frame, rotation=same_sign(frame.rotation, target.rotation)), target)
    ]
    return physhoi_like(frame, target, 50, np.mean((pose[0] - pose[1]) ** 2), 50)


def same_sign(a, b):
    return a * np.where((f64(a) * f64(b)).sum(axis=-1, keepdims=True) < 0, -1, 1).astype(np.float32)


def skillmimic(frame, target):
    pose = [np.vstack([turn(x.rotation[0]).as_rotvec(), local_vectors(x.rotation)]) for x in (frame, target)]
    smooth = np.exp(-0.1 * numpy_terms.still_jitter(frame, target) ** 2)
    return smooth * physhoi_like(frame, target, 20, np.mean((pose[0] - pose[1]) ** 2), 20)


def intermimic(frame, target):
    closest = cdist(f64(target.position), posed(target, target.points_object)).min(axis=1)
    weight_r = 1 - np.exp(-5 * closest)
    weight_p = np.exp(-5 * closest)
    weight_p[FULL] = 1
    ep = np.mean((((f64(target.position) - f64(frame.position)) ** 2).sum(axis=-1) * weight_p)[BODY])
    er = np.mean((turn(target.rotation).inv() * turn(frame.rotation)).magnitude() * weight_r)
    energy = np.exp(-2e-5 * np.mean(f64(frame.joint_acceleration)[1:] ** 2))
    rb = np.exp(-30 * ep) * np.exp(-2.5 * er) * energy
    places = []
    for x in (frame, target):
        place = f64(x.object_position) - f64(x.position[0])
        place[2] = f64(x.object_position)[2]
        back = heading(x.rotation).inv()
        places.append((back.apply(place), back * turn(x.object_rotation)))
    eop = np.mean((places[0][0] - places[1][0]) ** 2)
    eor = (places[1][1].inv() * places[0][1]).magnitude()
    eopv = np.mean((f64(target.object_linear_velocity) - f64(frame.object_linear_velocity)) ** 2)
    jerk = np.exp(-2e-5 * np.mean(f64(frame.object_acceleration) ** 2, axis=-1)).prod()
    ro = np.exp(-5 * eop) * np.exp(-0.1 * eor) * np.exp(-0.1 * eopv) * jerk
    rig = np.exp(-5 * numpy_terms.interaction_vectors(frame, target) ** 2)
    rcg = np.exp(-1e-9 * f64(frame.contact_n).sum() ** 2) * np.exp(-3 * stray(frame, closest))
    for hand in range(2):
        missing = np.mean(f64(frame.contact_n)[hand] <= 0.1)
        rcg *= 0.5 * (1 + np.exp(-5 * missing)) if f64(target.contact)[hand] > 0.5 else 1.0
    return rb * ro * rig * rcg


def stray(frame, closest) -> float:
    touching = np.zeros(52)
    touching[[20, *range(22, 37)]], touching[[21, *range(37, 52)]] = f64(frame.contact_n) > 0.1
    return float(np.mean(touching * (closest > 0.1)))


CODES = {"physhoi": physhoi, "skillmimic": skillmimic, "intermimic_reward": intermimic}


@pytest.fixture
def near(make_frame, make_target):
    """By seed: a random target with its own joint distances, and a frame that misses it by centimetres and degrees."""

    def make(seed: int):
        rng = np.random.default_rng([seed, 2])

        def miss(x, size):
            return jnp.asarray(f64(x) + rng.normal(scale=size, size=np.shape(x)), jnp.float32)

        def twist(q, size):
            turned = turn(q) * Rotation.from_rotvec(rng.normal(scale=size, size=(*np.shape(q)[:-1], 3)))
            return jnp.asarray(turned.as_quat(scalar_first=True), jnp.float32)

        frame, target = make_frame(seed), make_target(seed)
        distance = cdist(f64(target.position), posed(target, target.points_object)).min(axis=1)
        target = replace(target, object_distance=jnp.asarray(distance, jnp.float32))
        # joints whose turn is near pi have a rotation vector of either sign
        calm = turn(target.rotation[:1]) * Rotation.from_rotvec(rng.normal(scale=0.5, size=(52, 3)))
        target = replace(target, rotation=jnp.asarray(calm.as_quat(scalar_first=True), jnp.float32))
        frame = replace(
            frame,
            position=miss(target.position, 0.03),
            rotation=twist(target.rotation, 0.1),
            object_position=miss(target.object_position, 0.03),
            object_rotation=twist(target.object_rotation, 0.2),
            object_linear_velocity=miss(target.object_linear_velocity, 0.3),
        )
        return frame, target

    return make


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", BASELINES)
def test_the_reward_is_what_the_code_computes(name, seed, near):
    frame, target = near(seed)
    reward, errors = rewards(name)(frame, target)
    wanted = CODES[name](frame, target)
    assert wanted > 1e-5 and set(errors) == set(make_system(name).rewards)
    np.testing.assert_allclose(reward, wanted, rtol=2e-4)


@pytest.mark.parametrize("name", BASELINES)
def test_a_target_reached_without_effort_is_worth_one(name, near):
    frame, target = near(0)
    reached = replace(
        frame,
        **{n: getattr(target, n) for n in ("position", "rotation")},
        **{f"object_{n}": getattr(target, f"object_{n}") for n in ("position", "rotation", "linear_velocity")},
        contact_n=jnp.zeros((2, 16)),
        joint_acceleration=jnp.zeros((52, 3)),
        step_hz=jnp.float32(30.0),
        object_acceleration=jnp.zeros((2, 3)),
    )
    reward, _ = rewards(name)(reached, replace(target, contact=jnp.zeros(2)))
    np.testing.assert_allclose(reward, 1.0, atol=1e-5)


def shifted(thing, by, turned: Rotation | None = None):
    """A frame or a target elsewhere in the world, and turned about the vertical."""
    turned = turned or Rotation.identity()
    places = {n: turned.apply(f64(getattr(thing, n))) + by for n in ("position", "object_position")}
    ways = ("rotation", "object_rotation")
    spun = {n: (turned * turn(getattr(thing, n))).as_quat(scalar_first=True) for n in ways}
    rates = {n: turned.apply(f64(getattr(thing, n))) for n in ("object_linear_velocity", "angular_velocity")}
    return replace(thing, **{n: jnp.asarray(x, jnp.float32) for n, x in {**places, **spun, **rates}.items()})


@pytest.mark.parametrize("name", BASELINES)
def test_a_reward_does_not_depend_on_where_the_world_is(name, near):
    frame, target = near(1)
    reward = rewards(name)
    here, there = reward(frame, target)[0], reward(*(shifted(x, [2.0, -1.0, 0.5]) for x in (frame, target)))[0]
    np.testing.assert_allclose(here, there, rtol=1e-3)


@pytest.mark.parametrize("name", ["physhoi", "intermimic_reward"])
def test_nor_on_its_heading_but_for_rotation_vectors_of_the_root(name, near):
    frame, target = near(2)
    reward, about = rewards(name), Rotation.from_euler("z", 1.1)
    here, there = reward(frame, target)[0], reward(*(shifted(x, [0, 0, 0], about) for x in (frame, target)))[0]
    np.testing.assert_allclose(here, there, rtol=1e-3)


def test_the_object_is_judged_from_its_human_by_intermimic_and_in_the_world_by_the_others(near):
    """A human that carries the object elsewhere keeps these two errors; one that lifts both does not."""
    frame, target = near(3)
    away = shifted(frame, [0.7, -0.4, 0.0], Rotation.from_euler("z", 0.9))
    lifted = shifted(frame, [0, 0, 0.2])
    for name in ("seen_position", "seen_rotation"):
        fn = getattr(errors, name)
        np.testing.assert_allclose(fn(away, target), fn(frame, target), atol=1e-5)
    place = errors.seen_position
    np.testing.assert_allclose(place(lifted, reached_by(frame, target)), 0.2, rtol=1e-4)
    assert abs(float(errors.object_position(away, target)) - float(errors.object_position(frame, target))) > 0.1


def reached_by(frame, target):
    """The target that a frame reaches in place and turn."""
    names = ("position", "rotation", "object_position", "object_rotation")
    return replace(target, **{n: getattr(frame, n) for n in names})


@pytest.mark.parametrize(
    ("force_n", "labels", "wrong"),
    [
        (0.0, [0, 0], 0.0),
        (0.2, [0, 0], 1.0),
        (0.0, [0, 1], 1.0),
        (0.2, [1, 0], 0.0),
        (0.09, [0, 0], 0.0),
    ],
)
def test_the_contact_graph_has_one_node_for_the_object(force_n, labels, wrong, near):
    """Which hand it is does not matter there, and a touch that should not be costs as much as one that is missing."""
    frame, target = near(4)
    frame = replace(frame, contact_n=jnp.zeros((2, 16)).at[1, 5].set(force_n))
    target = replace(target, contact=jnp.asarray(labels, jnp.float32))
    assert float(errors.object_contact(frame, target)) == wrong
    reward, _ = rewards("physhoi")(frame, target)
    better, _ = rewards("physhoi")(frame, replace(target, contact=jnp.asarray([force_n > 0.1, 0], jnp.float32)))
    np.testing.assert_allclose(reward / better, np.exp(-5 * wrong), rtol=1e-4)


def test_near_the_object_positions_count_and_far_from_it_rotations(near):
    frame, target = near(0)
    wrist, head = 20, 15
    distance = jnp.ones(52).at[wrist].set(0.0)
    target = replace(target, object_distance=distance)
    still = replace(frame, position=target.position, rotation=target.rotation)
    for joint, weight in ((wrist, 1.0), (head, np.exp(-5.0))):
        moved = replace(still, position=still.position.at[joint, 0].add(0.1))
        np.testing.assert_allclose(errors.near_position(moved, target), 0.1 * np.sqrt(weight / 21), rtol=1e-3)
        spun = (turn(still.rotation[joint]) * Rotation.from_rotvec([0.4, 0, 0])).as_quat(scalar_first=True)
        turned = replace(still, rotation=still.rotation.at[joint].set(jnp.asarray(spun, jnp.float32)))
        np.testing.assert_allclose(errors.far_rotation(turned, target), 0.4 * (1 - weight) / 52, rtol=1e-3, atol=2e-5)


def test_devi_without_its_2d_reward_is_devi_times_nothing(near):
    frame, target = near(1)
    target = replace(target, points_px=target.points_px + 3.0)
    full, errors = rewards("devi")(frame, target)
    without, same = rewards("devi_no_object")(frame, target)
    assert set(errors) == set(same)
    sharpness = make_system("devi").rewards["object_2d"].sharpness
    factor = np.exp(-sharpness * f64(errors["object_2d"]) ** 2)
    assert factor < 0.99
    np.testing.assert_allclose(full, without * factor, rtol=1e-4, atol=1e-12)
    with_pose, pose = rewards("devi_6d")(frame, target)
    place, way = f64(pose["object_position"]), f64(pose["object_rotation"])
    np.testing.assert_allclose(with_pose, without * np.exp(-25 * place**2 - 0.1 * way**2), rtol=1e-4, atol=1e-12)


def test_interaction_vectors_differ_as_much_from_either_side(near):
    """Their weights are of both, half and half: whoever is the reference, the error is the same."""
    frame, target = near(2)
    names = ("position", "object_position", "object_rotation")
    swapped = [replace(a, **{n: getattr(b, n) for n in names}) for a, b in ((frame, target), (target, frame))]
    fn = jax.jit(errors.interaction_vectors)
    assert float(fn(frame, target)) > 0.01
    np.testing.assert_allclose(fn(frame, target), fn(*swapped), rtol=1e-4)
