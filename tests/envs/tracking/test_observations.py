"""What the policy sees: sizes, invariance to where the world is turned and put, and each block in NumPy."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from devi_jax.core.environment import group
from envs.tracking import observations
from envs.tracking.observations import Goal, Observations, Observe

BLOCKS = np.cumsum([0, 1, 51 * 3, 52 * 6, 52 * 3, 52 * 3])


def turn(q) -> Rotation:
    return Rotation.from_quat(np.asarray(q, float), scalar_first=True)


def heading(q) -> Rotation:
    """The twist about z of a rotation."""
    w, _, _, z = np.asarray(q, float)
    return Rotation.from_rotvec([0, 0, 2 * np.arctan2(z, w)])


def sixd(rotation: Rotation) -> np.ndarray:
    matrices = np.atleast_3d(rotation.as_matrix()).reshape(-1, 3, 3)
    return np.concatenate([matrices[:, :, 0], matrices[:, :, 1]], axis=1)


def moved(thing, by: Rotation, shift):
    """A frame or a target in a world turned and shifted as a whole."""
    out = {}
    for name, value in vars(thing).items():
        if value is None or name in (
            "contact_n",
            "contact",
            "power_w",
            "step_hz",
            "points_px",
            "visible",
            "points_object",
            "view",
            "second_view",
            "joint_acceleration",
            "object_acceleration",
            "object_distance",
            "contacts",
        ):
            continue
        x = np.asarray(value, float)
        if name.endswith("rotation"):
            out[name] = (by * turn(x.reshape(-1, 4))).as_quat(scalar_first=True).reshape(x.shape)
        else:
            offset = np.zeros(3) if name.endswith("velocity") else np.asarray(shift)
            out[name] = by.apply(x.reshape(-1, 3)).reshape(x.shape) + offset
    return replace(thing, **{name: jnp.asarray(value, jnp.float32) for name, value in out.items()})


@pytest.fixture
def scene(make_frame, make_target):
    return make_frame(3), (make_target(3), make_target(4))


def tokens(frame, targets) -> dict[str, np.ndarray]:
    return {
        "human": np.asarray(observations.human_state(frame)),
        "object": np.asarray(observations.object_state(frame)),
        "goal": np.asarray(observations.joint_goal(frame, targets)),
    }


def test_sizes_are_those_of_the_paper(scene):
    seen = tokens(*scene)
    assert {name: len(x) for name, x in seen.items()} == {"human": 778, "object": 15, "goal": 2 * 468}
    assert (observations.HUMAN_SIZE, observations.OBJECT_SIZE, observations.GOAL_SIZE) == (778, 15, 468)


@pytest.mark.parametrize("angle", [0.4, -2.0, np.pi])
def test_turning_and_shifting_the_world_changes_nothing(angle, scene):
    frame, targets = scene
    by, shift = Rotation.from_rotvec([0, 0, angle]), [3.0, -2.0, 0.0]
    before = tokens(frame, targets)
    after = tokens(moved(frame, by, shift), tuple(moved(t, by, shift) for t in targets))
    for name in before:
        np.testing.assert_allclose(after[name], before[name], atol=5e-6)


def test_height_is_one_number(scene):
    frame, targets = scene
    up, still = [0.0, 0.0, 0.25], Rotation.identity()
    before = tokens(frame, targets)
    after = tokens(moved(frame, still, up), tuple(moved(t, still, up) for t in targets))
    np.testing.assert_allclose(after["human"][0] - before["human"][0], 0.25, atol=1e-6)
    np.testing.assert_allclose(after["human"][1:], before["human"][1:], atol=1e-6)
    np.testing.assert_allclose(after["object"], before["object"], atol=1e-6)
    np.testing.assert_allclose(after["goal"], before["goal"], atol=1e-6)


def test_tilting_the_world_is_seen(scene):
    """Up matters: only the heading is taken out."""
    frame, targets = scene
    tilt = Rotation.from_rotvec([0.3, 0, 0])
    difference = tokens(moved(frame, tilt, [0, 0, 0]), targets)["human"] - tokens(frame, targets)["human"]
    assert np.abs(difference[BLOCKS[1] :]).max() > 0.05


def test_human_blocks_in_numpy(scene):
    frame, _ = scene
    back = heading(frame.rotation[0]).inv()
    position = np.asarray(frame.position, float)
    wanted = [
        position[0, 2:],
        back.apply(position[1:] - position[0]),
        sixd(back * turn(frame.rotation)),
        back.apply(np.asarray(frame.linear_velocity, float)),
        back.apply(np.asarray(frame.angular_velocity, float)),
    ]
    seen = np.asarray(observations.human_state(frame))
    for block, start, stop in zip(wanted, BLOCKS[:-1], BLOCKS[1:], strict=True):
        np.testing.assert_allclose(seen[start:stop], block.ravel(), atol=3e-6)


def test_object_in_numpy(scene):
    frame, _ = scene
    back = heading(frame.rotation[0]).inv()
    wanted = [
        back.apply(np.asarray(frame.object_position, float) - np.asarray(frame.position[0], float)),
        sixd(back * turn(frame.object_rotation)),
        back.apply(np.asarray(frame.object_linear_velocity, float)),
        back.apply(np.asarray(frame.object_angular_velocity, float)),
    ]
    np.testing.assert_allclose(observations.object_state(frame), np.concatenate([x.ravel() for x in wanted]), atol=3e-6)


def test_goal_in_numpy(scene):
    frame, targets = scene
    back = heading(frame.rotation[0]).inv()
    seen = np.asarray(observations.joint_goal(frame, targets)).reshape(2, 468)
    for target, block in zip(targets, seen, strict=True):
        way = np.asarray(target.position, float) - np.asarray(frame.position, float)
        np.testing.assert_allclose(block[:156], back.apply(way).ravel(), atol=3e-6)
        np.testing.assert_allclose(block[156:], sixd(back * turn(target.rotation)).ravel(), atol=3e-6)


def test_goal_of_a_reached_target_is_no_way_to_go(matching):
    frame, target = matching
    goal = np.asarray(observations.joint_goal(frame, (target,)))
    assert np.abs(goal[:156]).max() == 0.0
    np.testing.assert_allclose(
        goal[156:], np.asarray(observations.human_state(frame))[BLOCKS[2] : BLOCKS[3]], atol=1e-6
    )


def test_goal_of_the_reference_in_numpy(scene):
    frame, targets = scene
    seen = np.asarray(observations.reference_goal(frame, targets)).reshape(2, 468)
    for target, block in zip(targets, seen, strict=True):
        back, position = heading(target.rotation[0]).inv(), np.asarray(target.position, float)
        np.testing.assert_allclose(block[:156], back.apply(position - position[0]).ravel(), atol=3e-6)
        np.testing.assert_allclose(block[156:], sixd(back * turn(target.rotation)).ravel(), atol=3e-6)


def test_goal_of_the_reference_knows_nothing_of_the_body(scene, make_frame):
    frame, targets = scene
    other = observations.reference_goal(make_frame(9), targets)
    np.testing.assert_array_equal(observations.reference_goal(frame, targets), other)
    by, shift = Rotation.from_rotvec([0, 0, 1.3]), [3.0, -2.0, 0.7]
    elsewhere = observations.reference_goal(frame, tuple(moved(t, by, shift) for t in targets))
    np.testing.assert_allclose(elsewhere, other, atol=5e-6)


@pytest.mark.parametrize("moving", [False, True])
def test_rows_are_there_for_the_clips_that_they_are_for(moving, scene):
    frame, targets = scene
    table = Observations(
        actor={
            "human": Observe(observations.human_state, noise=0.1, when="moving"),
            "object": Observe(observations.object_state, noise=0.1),
        },
        critic={},
        goal={
            "joints": Goal(observations.joint_goal, when="moving"),
            "reference": Goal(observations.reference_goal, when="standing"),
        },
        goal_frames=(1, 4),
    ).of(moving)
    seen = table((frame,), targets, jax.random.key(0))
    goal = observations.joint_goal if moving else observations.reference_goal
    np.testing.assert_array_equal(group(seen, "actor")["goal"], goal(frame, targets))
    if moving:
        assert set(seen) == {"human", "object", "goal"}
        return
    assert set(seen["actor"]) == {"object", "goal"} and set(seen["critic"]) == {"human", "object", "goal"}
    wanted = observations.object_state(frame)
    np.testing.assert_array_equal(seen["critic"]["object"], wanted)
    assert 0.05 < float(jnp.std(seen["actor"]["object"] - wanted)) < 0.2


def test_a_critic_with_a_table_of_its_own_keeps_it(scene):
    own = {"object": Observe(observations.object_state)}
    rows = {"human": Observe(observations.human_state, when="moving"), **own}
    assert Observations(rows, own, {}, ()).of(moving=False).critic == own


def test_goal_of_the_object_in_numpy(scene):
    frame, targets = scene
    back = heading(frame.rotation[0]).inv()
    seen = np.asarray(observations.object_goal(frame, targets)).reshape(2, observations.GOAL_OBJECT_SIZE)
    for target, block in zip(targets, seen, strict=True):
        way = np.asarray(target.object_position, float) - np.asarray(frame.object_position, float)
        np.testing.assert_allclose(block[:3], back.apply(way), atol=3e-6)
        np.testing.assert_allclose(block[3:], sixd(back * turn(target.object_rotation)).ravel(), atol=3e-6)


def test_goal_of_the_object_depends_on_neither_place_nor_heading(scene):
    frame, targets = scene
    by, shift = Rotation.from_euler("z", 0.7), [1.0, -2.0, 0.3]
    there = observations.object_goal(moved(frame, by, shift), tuple(moved(t, by, shift) for t in targets))
    np.testing.assert_allclose(observations.object_goal(frame, targets), there, atol=3e-6)
