"""Declared contact pairs: feet on the floor bear the body, hands feel the thing; a table of them is all it takes."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from devi_jax.core.errors import ConfigError
from devi_jax.core.scene import ObjectSpec, SceneSpec, Table
from devi_jax.core.skeleton import HAND_BODIES, JOINTS
from envs.embodiments.human import Human
from envs.physics import (
    SETTINGS,
    ContactPair,
    Control,
    Pose,
    Scene,
    Velocity,
    build_spec,
    make_physics,
)
from envs.physics.contact_sensors import sensor_places

T_POSE = jnp.tile(jnp.array([1.0, 0, 0, 0]), (52, 1))
FEET = ContactPair("feet", ("left_ankle", "left_foot", "right_ankle", "right_foot"), "floor")
BODY = ContactPair("whole body", JOINTS, "object")
STANDING = Scene(SceneSpec(None, ObjectSpec("box", (0.3, 0.3, 0.3), 2.0)), Human(touch="all"), contacts=(FEET, BODY))


def stood(scene: Scene, steps: int, at: tuple[float, ...]):
    """What the human in the T-pose feels at its start and after some steps, its object at a place."""
    world = make_physics(scene, "c")
    root = jnp.array([0.0, 0.0, scene.embodiment.body.pelvis_m])
    pose = Pose(T_POSE, root, jnp.array([*at, 1.0, 0, 0, 0]))
    still = Velocity(jnp.zeros((52, 3)), jnp.zeros(3), jnp.zeros(6))
    start = world.init(pose, still)
    end = jax.jit(lambda s: jax.lax.fori_loop(0, steps, lambda _, x: world.step(x, Control(T_POSE, root)), s))(start)
    return world, start, end


@pytest.mark.simulated
def test_feet_feel_the_floor_and_the_trunk_the_thing_that_falls_on_it():
    world, start, end = stood(STANDING, 12, (0.0, 0.0, 1.95))
    feet, body = (np.asarray(world.read(end).contacts[name]) for name in ("feet", "whole body"))
    assert feet.shape == (4,) and (feet > 10).sum() >= 2
    touched = {JOINTS[i] for i in np.flatnonzero(body)}
    assert touched and touched <= {"head", "neck", "spine3", "left_shoulder", "right_shoulder"}
    assert jax.tree.structure(start) == jax.tree.structure(end)
    assert not np.asarray(start.contacts["feet"]).any() and not np.asarray(end.contact_n).any()


@pytest.mark.simulated
def test_hands_read_the_same_whatever_else_is_felt():
    body = Human().body
    hand = body.positions()[JOINTS.index("right_middle1")] + [0, 0, body.pelvis_m + 0.16]
    both = [stood(replace(STANDING, contacts=pairs), 4, tuple(hand)) for pairs in ((), (BODY, FEET))]
    (world, _, alone), (_, _, among) = both
    np.testing.assert_array_equal(alone.contact_n, among.contact_n)
    assert alone.contact_n.shape == (2, 16) and world.read(alone).contacts == {}
    felt = np.asarray(among.contacts["whole body"])
    np.testing.assert_array_equal(felt[[b for hand in HAND_BODIES for b in hand]].reshape(2, 16), among.contact_n)
    assert felt.any()


@pytest.mark.parametrize("engine", ["c", "mjx"])
def test_each_body_has_its_own_row_of_sensors(engine):
    """By body or by part of the thing; a body of two geoms has as many more, and one of fewer repeats its last."""
    scene = replace(STANDING, contacts=(BODY,))
    model = build_spec(scene, SETTINGS[engine]).compile()
    places = sensor_places(model, scene.contacts)["whole body"]
    assert places.shape == (52, 2, 3) and model.nsensordata == 3 * (32 + 52 + 1)
    spine, head = JOINTS.index("spine3"), JOINTS.index("head")
    assert places[spine, 0, 0] != places[spine, 1, 0] and (places[head, 0] == places[head, 1]).all()
    for row, name in zip(places, JOINTS, strict=True):
        for at in row[:, 0]:
            (sensor,) = [model.sensor(i) for i in range(model.nsensor) if model.sensor(i).adr[0] == at]
            assert model.geom(int(sensor.objid[0])).bodyid[0] == model.body(name).id


def test_where_there_is_nothing_to_feel_nothing_is_felt():
    scene = Scene(SceneSpec(Table()), contacts=(BODY,))
    places = sensor_places(build_spec(scene, SETTINGS["c"]).compile(), scene.pairs)
    assert places["hands"].shape == (32, 0, 3) and places["whole body"].shape == (52, 0, 3)


def test_a_pair_of_a_body_that_is_not_there_or_two_of_a_name_are_refused():
    with pytest.raises(ConfigError, match="names the body 'left_hoof'"):
        build_spec(replace(STANDING, contacts=(ContactPair("hooves", ("left_hoof",), "floor"),)), SETTINGS["c"])
    with pytest.raises(ConfigError, match="share a name"):
        build_spec(replace(STANDING, contacts=(FEET, FEET)), SETTINGS["c"])
