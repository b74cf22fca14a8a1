"""Every reward term against its formula, written again in float64 NumPy with SciPy's rotations."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation

from devi_jax.core.skeleton import JOINTS
from devi_jax.systems import NAMES, make_system
from envs import rewards
from envs.rewards.object import object_2d_mean, object_pixels
from tests.envs.rewards.baseline_formulas import BASELINES

SEEDS = (0, 1, 2)
HANDS = [[i for i, name in enumerate(JOINTS) if name.startswith(side) and i >= 22] for side in ("left", "right")]
WRISTS = [JOINTS.index("left_wrist"), JOINTS.index("right_wrist")]


def turn(q) -> Rotation:
    return Rotation.from_quat(np.asarray(q, float), scalar_first=True)


def rms(x) -> float:
    return float(np.sqrt(np.mean(np.sum(np.asarray(x, float) ** 2, axis=-1))))


def angles(a: Rotation, b: Rotation) -> np.ndarray:
    return np.asarray((a.inv() * b).magnitude())


def numpy_position(frame, target):
    return rms(np.asarray(frame.position, float) - np.asarray(target.position, float))


def numpy_velocity(frame, target):
    return rms(np.asarray(frame.linear_velocity, float) - np.asarray(target.linear_velocity, float))


def numpy_rotation(frame, target):
    return float(np.sqrt(np.mean(angles(turn(frame.rotation), turn(target.rotation)) ** 2)))


def in_wrist(thing) -> np.ndarray:
    out = []
    for wrist, fingers in zip(WRISTS, HANDS, strict=True):
        arms = np.asarray(thing.position, float)[fingers] - np.asarray(thing.position, float)[wrist]
        out.append(turn(thing.rotation[wrist]).inv().apply(arms))
    return np.concatenate(out)


def numpy_hand_position(frame, target):
    return rms(in_wrist(frame) - in_wrist(target))


def numpy_hand_rotation(frame, target):
    squares = []
    for wrist, fingers in zip(WRISTS, HANDS, strict=True):
        for i in fingers:
            local = [turn(x.rotation[wrist]).inv() * turn(x.rotation[i]) for x in (frame, target)]
            squares.append(angles(*local) ** 2)
    return float(np.sqrt(np.mean(squares)))


def numpy_pixels(frame, target) -> np.ndarray:
    world = turn(frame.object_rotation).apply(np.asarray(target.points_object, float))
    world = world + np.asarray(frame.object_position, float)
    T, K = np.asarray(target.view.T_camera_world, float), np.asarray(target.view.K, float)
    seen = (world @ T[:3, :3].T + T[:3, 3]) @ K.T
    return seen[:, :2] / seen[:, 2:]


def pixel_distance(frame, target) -> np.ndarray:
    gaps = np.linalg.norm(numpy_pixels(frame, target) - np.asarray(target.points_px, float), axis=-1)
    return gaps[np.asarray(target.visible)] / np.hypot(1024, 576)


def numpy_object_2d(frame, target):
    return float(np.sqrt(np.mean(pixel_distance(frame, target) ** 2)))


def numpy_object_2d_mean(frame, target):
    return float(np.mean(pixel_distance(frame, target)))


def numpy_object_position(frame, target):
    return float(np.linalg.norm(np.asarray(frame.object_position, float) - np.asarray(target.object_position, float)))


def numpy_object_rotation(frame, target):
    return float(angles(turn(frame.object_rotation), turn(target.object_rotation)))


def numpy_contact_force(frame, target):
    silent = [[1.0 for force in hand if not force > 0.05] for hand in np.asarray(frame.contact_n)]
    return np.array([len(hand) / 16 for hand in silent])


def numpy_spread(pixels, target) -> float:
    seen = np.asarray(pixels, float)[np.asarray(target.visible)]
    return float(np.sqrt(np.mean(np.sum((seen - seen.mean(axis=0)) ** 2, axis=-1))))


def numpy_object_size(frame, target):
    return abs(np.log(numpy_spread(numpy_pixels(frame, target), target) / numpy_spread(target.points_px, target)))


def numpy_second_view(frame, target):
    seen = replace(target, view=target.second_view)
    reference = replace(frame, object_position=target.object_position, object_rotation=target.object_rotation)
    gaps = (numpy_pixels(frame, seen) - numpy_pixels(reference, seen)) / float(target.second_view.diagonal_px)
    return float(np.sqrt(np.mean(np.sum(gaps[np.asarray(target.visible)] ** 2, axis=-1))))


def numpy_contact_distance(frame, target):
    points = turn(frame.object_rotation).apply(np.asarray(target.points_object, float))
    nearest = cdist(np.asarray(frame.tips, float), points + np.asarray(frame.object_position, float)).min(axis=1)
    return np.array([nearest[:5].mean(), nearest[5:].mean()])


def numpy_power(frame, target):
    return float(frame.power_w) / 1000


FORMULAS = {
    rewards.joint_position: numpy_position,
    rewards.joint_velocity: numpy_velocity,
    rewards.joint_rotation: numpy_rotation,
    rewards.hand_local_position: numpy_hand_position,
    rewards.hand_local_rotation: numpy_hand_rotation,
    rewards.joint_power: numpy_power,
    rewards.object_2d: numpy_object_2d,
    object_2d_mean: numpy_object_2d_mean,
    rewards.object_size: numpy_object_size,
    rewards.object_second_view: numpy_second_view,
    rewards.object_position: numpy_object_position,
    rewards.object_rotation: numpy_object_rotation,
    rewards.contact_force: numpy_contact_force,
    rewards.contact_distance: numpy_contact_distance,
    **BASELINES,
}


NEVER_ZERO = {
    *(rewards.joint_power, rewards.contact_force, rewards.hand_touch, rewards.object_contact, rewards.stray_touch),
    *(
        rewards.contact_load,
        rewards.joint_acceleration,
        rewards.object_acceleration,
        rewards.object_spin,
        rewards.still_jitter,
    ),
}
"""Errors of effort and touch, which a reached target does not tell."""


def test_every_term_has_a_formula_here():
    # what the package exports beside terms: the parts that make a reward of them, and the gate
    parts = {
        "Combine",
        "ErrorFunction",
        "Reward",
        "Rewards",
        "combine",
        "evaluate_rows",
        "half_at",
        "halved",
        "shape_factor",
    }
    parts |= {"hand_contact", "measure_info", "measured", "Shape"}
    exported = {getattr(rewards, name) for name in set(rewards.__all__) - parts}
    assert exported <= set(FORMULAS)
    used = {row.error for name in NAMES for row in make_system(name).rewards.values()}
    assert {error for error in used if error.__module__.startswith("envs.rewards")} <= set(FORMULAS)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("term", FORMULAS, ids=lambda fn: fn.__name__)
def test_term_is_its_formula(term, seed, make_frame, make_target):
    frame, target = make_frame(seed), make_target(seed)
    np.testing.assert_allclose(term(frame, target), FORMULAS[term](frame, target), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("term", [t for t in FORMULAS if t not in NEVER_ZERO])
def test_term_is_zero_where_the_target_is_reached(term, matching):
    frame, target = matching
    if term is rewards.contact_distance:  # reached: every fingertip on an object point
        world = turn(frame.object_rotation).apply(np.asarray(target.points_object[:10], float))
        frame = replace(frame, tips=jnp.asarray(world + np.asarray(frame.object_position), jnp.float32))
    # float32 pixels are good to 1e-4 of 1,175; distances by |a|^2 - 2ab + |b|^2 to the root of 1e-7 |a|^2
    bound = 1e-4 if term is rewards.contact_distance else 1e-6
    assert float(jnp.max(term(frame, target))) < bound


@pytest.mark.parametrize("seed", SEEDS)
def test_object_is_projected_to_pixels(seed, make_frame, make_target):
    frame, target = make_frame(seed), make_target(seed)
    np.testing.assert_allclose(object_pixels(frame, target), numpy_pixels(frame, target), rtol=1e-5, atol=2e-3)


def test_hidden_points_do_not_count(make_frame, make_target):
    frame, target = make_frame(0), make_target(0)
    hidden = ~np.asarray(target.visible)
    assert hidden.any()
    moved = replace(target, points_px=jnp.where(hidden[:, None], 1e4, target.points_px))
    assert float(rewards.object_2d(frame, moved)) == float(rewards.object_2d(frame, target))
    unseen = replace(target, visible=jnp.zeros_like(target.visible))
    assert float(rewards.object_2d(frame, unseen)) == 0.0
    assert float(object_2d_mean(frame, unseen)) == 0.0


def test_object_2d_of_a_shift_by_a_twentieth_of_the_diagonal(matching):
    frame, target = matching
    shift = jnp.array([0.05 * 1174.88, 0.0])
    moved = replace(target, points_px=target.points_px + shift[None])
    np.testing.assert_allclose(rewards.object_2d(frame, moved), 0.05, rtol=1e-4)
    np.testing.assert_allclose(object_2d_mean(frame, moved), 0.05, rtol=1e-4)


def test_hands_are_seen_from_their_wrists(matching):
    """Turning and shifting a whole hand with its wrist changes nothing; bending a finger changes its own part."""
    frame, target = matching
    about = turn([0.6, 0.0, 0.8, 0.0])
    hand = [WRISTS[0], *HANDS[0]]
    position, rotation = np.array(frame.position, float), np.array(frame.rotation, float)
    position[hand] = about.apply(position[hand]) + [0.3, -0.2, 0.1]
    rotation[hand] = (about * turn(rotation[hand])).as_quat(scalar_first=True)
    moved = replace(frame, position=jnp.asarray(position, jnp.float32), rotation=jnp.asarray(rotation, jnp.float32))
    assert float(rewards.hand_local_position(moved, target)) < 1e-6
    assert float(rewards.hand_local_rotation(moved, target)) < 1e-5
    tip = JOINTS.index("left_index3")
    rotation[tip] = (turn(rotation[tip]) * Rotation.from_rotvec([0.3, 0, 0])).as_quat(scalar_first=True)
    bent = replace(moved, rotation=jnp.asarray(rotation, jnp.float32))
    np.testing.assert_allclose(rewards.hand_local_rotation(bent, target), 0.3 / np.sqrt(30), rtol=1e-4)


def test_contact_labels_gate_each_hand_by_itself(make_target):
    target = make_target(0)
    for label in ([0.0, 1.0], [1.0, 0.0], [0.49, 0.51]):
        gate = rewards.hand_contact(replace(target, contact=jnp.asarray(label)))
        assert gate.tolist() == [label[0] > 0.5, label[1] > 0.5]


def test_contact_counts_bodies_above_the_threshold(make_frame, make_target):
    force = jnp.zeros((2, 16)).at[0, :4].set(0.0501).at[1, :].set(0.0499)
    error = rewards.contact_force(replace(make_frame(0), contact_n=force), make_target(0))
    np.testing.assert_allclose(error, [12 / 16, 1.0])
