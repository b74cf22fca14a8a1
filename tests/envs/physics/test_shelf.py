"""A shelf of things in one model: each falls, slides and is felt as in a model of its own, and one batch mixes them."""

from dataclasses import replace
from functools import cache, partial
from importlib.util import find_spec

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest

from devi_jax.core.errors import ConfigError
from devi_jax.core.scene import Mesh, ObjectSpec, Prop, SceneSpec, Table
from envs.embodiments.capsule_arm import CapsuleArm
from envs.embodiments.human import Human
from envs.physics import (
    SETTINGS,
    Control,
    EngineName,
    Physics,
    PhysicsState,
    Pose,
    Scene,
    Variation,
    Velocity,
    build_spec,
    make_physics,
    make_shelf,
)
from tests.simulated import within

T_POSE = jnp.tile(jnp.array([1.0, 0, 0, 0]), (52, 1))
BOX = ObjectSpec("box", (0.1, 0.08, 0.06), 0.4, 0.9)
CAN = ObjectSpec("can", (0.04, 0.12), 0.3, 1.0)
BALL = ObjectSpec("sphere", (0.05,), 0.2, 0.7)
CUP = Prop("cup", CAN, (0.3, 0.5, 0.86, 1.0, 0.0, 0.0, 0.0))


def angle_iron() -> ObjectSpec:
    """Two bars of a mesh, with its centre of mass away from its origin, in two convex parts."""
    bars = (((0.1, 0.06, 0.05), (0.0, 0.0, 0.0)), ((0.03, 0.03, 0.2), (0.035, 0.0, 0.1)))
    corners = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))])
    vertices = np.concatenate([corners * size + place for size, place in bars])
    return ObjectSpec("mesh", (), 0.5, 0.8, Mesh(vertices, np.concatenate([faces, faces + len(corners)])))


def shelf_of(*things: ObjectSpec) -> Scene:
    return Scene(SceneSpec(Table(), things[0]), Human(root="pinned"), shelf=things[1:])


@cache
def physics(engine: EngineName, mixed: bool, only: int | None = None) -> Physics:
    """Of the three primitives, or of all four things; or of one of them alone."""
    scene = shelf_of(BOX, CAN, BALL, *([angle_iron()] if mixed else []))
    return make_physics(scene if only is None else scene.only(only), engine)


@partial(jax.jit, static_argnums=(0, 1))
def roll(world: Physics, steps: int, thing, velocity, variation: Variation) -> PhysicsState:
    """Every state of objects thrown from poses (N, 7) beside humans in the T-pose, or arms, (steps, N, ...)."""
    body = world.scene.embodiment
    if isinstance(body, Human):
        rotation, root, scalars = T_POSE, jnp.array([0.0, 0.0, body.body.pelvis_m]), None
    else:
        rotation, root, scalars = T_POSE[:0], jnp.zeros(3), jnp.zeros(len(body.joints) - 1)

    def one(thing, velocity, variation):
        still = Velocity(jnp.zeros((len(rotation), 3)), jnp.zeros(3), velocity, scalars)
        return world.init(Pose(rotation, root, thing, scalars), still, variation)

    def step(states, _):
        states = jax.vmap(world.step, (0, None))(states, Control(rotation, root, scalars))
        return states, states

    return jax.lax.scan(step, jax.vmap(one)(thing, velocity, variation), length=steps)[1]


def throws(things: int, copies: int = 4) -> tuple[np.ndarray, np.ndarray, Variation]:
    """Poses, velocities and variations of `copies` of each thing, the things in turn: over the table, turned anyhow."""
    rng = np.random.default_rng(3)
    turns = rng.normal(size=(copies, 4))
    start = np.array([0.0, 0.4, 1.0]) + rng.normal(scale=0.1, size=(copies, 3))
    pose = np.concatenate([start, turns / np.linalg.norm(turns, axis=1, keepdims=True)], axis=1)
    pose, velocity = (np.repeat(x, things, axis=0) for x in (pose, rng.normal(size=(copies, 6))))
    mass, friction = (np.repeat(x, things) for x in (np.linspace(0.5, 2, copies), np.linspace(1.3, 0.7, copies)))
    which = np.tile(np.arange(things), copies)
    return pose, velocity, Variation(*(jnp.asarray(x) for x in (mass, friction, which)))


def alone(engine: EngineName, mixed: bool, thing: int, steps: int, pose, velocity, variation) -> np.ndarray:
    """`qpos` of those environments of a shelf that have a thing, in the model of it alone."""
    mine = np.asarray(variation.thing) == thing
    own = replace(jax.tree.map(lambda x: x[mine], variation), thing=None)
    return np.asarray(roll(physics(engine, mixed, thing), steps, pose[mine], velocity[mine], own).qpos)


def test_each_of_a_shelf_of_primitives_moves_as_alone_bit_for_bit():
    thrown = throws(3)
    states = np.asarray(roll(physics("c", False), 40, *thrown).qpos)
    for k in range(3):
        np.testing.assert_array_equal(states[:, k::3], alone("c", False, k, 40, *thrown))
        assert np.abs(states[-1, k::3, -7:] - states[-1, (k + 1) % 3 :: 3, -7:]).max() > 0.01  # each in its own way


@pytest.mark.simulated
def test_beside_a_thing_with_another_centre_of_mass_others_move_as_alone_to_rounding():
    """Its mass matrix has entries that theirs do not: those are rounding errors instead of zeros, until contacts make
    more of them. (None is left where the state is rounded to float32.) The thing itself moves as alone bit for bit."""
    thrown = throws(4)
    states = np.asarray(roll(physics("c", True), 30, *thrown).qpos)
    np.testing.assert_array_equal(states[:, 3::4], alone("c", True, 3, 30, *thrown))
    for k in range(3):
        apart = np.abs(states[:, k::4] - alone("c", True, k, 30, *thrown)).max(axis=(1, 2))
        within(f"thing {k}, fall and first contacts", apart[:8].max(), high=1e-6)
        within(f"thing {k}, a second", apart.max(), high=1e-2)


@pytest.mark.simulated
@pytest.mark.slow
@pytest.mark.parametrize("engine", ["mjx", "warp"])
def test_in_the_other_engines_each_thing_moves_as_alone(engine):
    """A can of one convex part, the dearest that MJX compiles, and a ball, beside an arm, which is cheap.

    In MJX-JAX 1e-6 of noise on the start moves the can by up to 2.4 mm and the ball by 1e-6; between models there
    was nothing, or 1e-6 in a larger batch, and 2.1 mm on another processor. A box is left out: thrown, it lands on
    its corners, and such noise moves it by up to 38 mm in 0.4 s. Beside others its states, forces and mass matrix
    are the same bits as alone until it has touched the table for a physics step; the next rounds otherwise, by
    3e-7, which grew to as much as 20 mm.
    """
    if engine == "warp" and find_spec("warp") is None:
        pytest.skip("warp-lang is not installed: pip install 'devi-jax[warp]'")
    scene = Scene(SceneSpec(Table(), CAN), CapsuleArm(), shelf=(BALL,))
    pose, velocity, variation = throws(2, copies=2)
    states = np.asarray(roll(make_physics(scene, engine), 9, pose, velocity, variation).qpos)
    for k in range(2):
        own = jax.tree.map(lambda x, k=k: x[k::2], replace(variation, thing=None))
        alone = roll(make_physics(scene.only(k), engine), 9, pose[k::2], velocity[k::2], own)
        apart = np.abs(states[:, k::2] - np.asarray(alone.qpos)).max(axis=(1, 2))
        within(f"thing {k}, fall", apart[:5].max(), high=1e-6)
        within(f"thing {k}, first contacts", apart.max(), high=5e-3)
    assert np.abs(states[-1, ::2, -7:] - states[-1, 1::2, -7:]).max() > 0.01  # contact has parted them


@pytest.mark.simulated
def test_things_of_one_batch_rest_at_their_own_heights_and_are_as_heavy_as_they_are():
    world = physics("c", True)
    half = (BOX.size[2] / 2, CAN.size[1] / 2, BALL.size[0], 0.025)
    pose = np.array([[-0.1, 0.4, 0.8 + h, 1.0, 0, 0, 0] for h in half])
    variation = Variation(jnp.ones(4), jnp.ones(4), jnp.arange(4))
    end = np.asarray(roll(world, 20, pose, jnp.zeros((4, 6)), variation).qpos)[-1, :, -7:]
    np.testing.assert_allclose(end[:, 2] - 0.8, half, atol=2e-3)
    masses = [model.body("object").mass[0] for model in world.models]
    np.testing.assert_allclose(masses, [t.mass_kg for t in world.scene.things])


@pytest.mark.simulated
def test_a_hand_feels_every_thing_of_the_shelf():
    """Each is dropped on the right palm, which turns up: the readings are those of the thing's own model."""
    world = physics("c", True)
    data = mujoco.MjData(world.model)
    mujoco.mj_kinematics(world.model, data)
    palm = data.geom("right_wrist").xpos + [0, 0, world.scene.embodiment.body.pelvis_m + 0.09]
    pose = np.tile(np.r_[palm, 1.0, 0, 0, 0], (4, 1))
    variation = Variation(jnp.ones(4), jnp.ones(4), jnp.arange(4))
    thrown = pose, np.zeros((4, 6)), variation
    felt = np.asarray(roll(world, 10, *thrown).contact_n)
    assert (felt.max(axis=(0, 2, 3)) > 0).all()
    assert not felt[:, :, 0].any()
    for k in range(4):
        own = jax.tree.map(lambda x, k=k: x[k : k + 1], replace(variation, thing=None))
        expected = roll(physics("c", True, k), 10, pose[k : k + 1], np.zeros((1, 6)), own).contact_n
        within(f"thing {k}, N", np.abs(felt[:6, k] - np.asarray(expected)[:6, 0]).max(), high=1e-2)


@pytest.mark.simulated
@pytest.mark.parametrize(("mass", "friction"), [(1.0, 1.0), (2.0, 0.7)])
def test_a_varied_thing_slides_with_its_own_friction_and_mass(mass, friction):
    """Coulomb's law of a slab of each friction; a ball rolls."""
    slabs = [ObjectSpec("box", (0.2, 0.2, 0.04), m, f) for m, f in ((0.5, 1.0), (1.5, 0.6))]
    world = make_physics(shelf_of(*slabs), "c")
    pose = np.tile([-0.2, 0.4, 0.82, 1.0, 0, 0, 0], (2, 1))
    velocity = np.tile([2.0, 0, 0, 0, 0, 0], (2, 1))
    factors = jnp.full(2, mass), jnp.full(2, friction)
    end = np.asarray(roll(world, 3, pose, velocity, Variation(*factors, jnp.arange(2))).qvel)[-1, :, -6:-3]
    bearing = end[:, 2] + 9.81 * 0.1
    within("friction, of its own", (2.0 - end[:, 0]) / bearing / friction / [1.0, 0.6], low=0.99, high=1.01)


def test_a_picture_shows_the_thing_that_is_there():
    """By a model of it alone, in the coordinates of the shelf's."""
    world = physics("c", True)
    for k, parts in enumerate((1, 1, 1, 2)):
        model = world.model_of(k)
        assert model.nq == world.layout.nq and model.body("object").geomnum[0] == parts
        assert model.body("object").mass[0] == pytest.approx(world.scene.things[k].mass_kg)


def test_a_shelf_of_one_is_no_shelf():
    scene = shelf_of(BOX)
    world = make_physics(scene, "c")
    assert scene.only(0) == scene and len(world.models) == 1 and world.model_of(0) is world.model
    state = world.init(
        Pose(T_POSE, jnp.zeros(3), jnp.zeros(7)), Velocity(jnp.zeros((52, 3)), jnp.zeros(3), jnp.zeros(6)), Variation()
    )
    assert state.variation.thing is None


def test_clips_of_one_table_share_a_shelf():
    can, box = SceneSpec(Table(), CAN, (CUP,)), SceneSpec(Table(), BOX, (CUP,))
    iron = SceneSpec(Table(), angle_iron(), (CUP,))
    spec, shelf, thing = make_shelf([can, box, iron, can, replace(iron, object=angle_iron())], list("abcde"))
    assert spec == can and [t.shape for t in shelf] == ["box", "mesh"] and thing == (0, 1, 2, 0, 2)
    assert make_shelf([SceneSpec(Table())] * 2, ["a", "b"]) == (SceneSpec(Table()), (), (0, 0))


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (SceneSpec(None, BOX, (CUP,)), "table"),
        (SceneSpec(Table(), BOX), "props"),
        (SceneSpec(Table(), BOX, (replace(CUP, object=BOX),)), "props"),
        (SceneSpec(Table(), None, (CUP,)), "object"),
    ],
)
def test_clips_of_other_tables_or_props_do_not(other, what):
    with pytest.raises(ConfigError, match=f"'waved' and 'lifted' cannot share a scene: they differ in their {what}"):
        make_shelf([SceneSpec(Table(), CAN, (CUP,)), other], ["lifted", "waved"])


def test_a_shelf_needs_an_object_beside_it():
    with pytest.raises(ConfigError, match="without object"):
        Scene(SceneSpec(Table()), shelf=(BOX,))


def test_a_scene_of_one_thing_is_the_same_model_with_or_without_the_shelfs_words():
    """Names of geoms and meshes of the first thing stay what they are beside others."""
    one = build_spec(shelf_of(angle_iron()), SETTINGS["c"]).compile()
    many = build_spec(shelf_of(angle_iron(), CAN), SETTINGS["c"]).compile()
    named = [[m.geom(i).name for i in range(m.ngeom)] for m in (one, many)]
    assert named[1][: len(named[0])] == named[0] and named[1][-1] == "object/thing1"
