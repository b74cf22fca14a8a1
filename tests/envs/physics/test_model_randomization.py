"""Mass and friction of one environment's object: against a model compiled so, Newton's third law and Coulomb's."""

from dataclasses import replace
from functools import cache, partial
from importlib.util import find_spec

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest
from mujoco import batch

from devi_jax.core.scene import ObjectSpec, SceneSpec, Table
from envs.physics import SETTINGS, Control, EngineName, Physics, Pose, Scene, Variation, Velocity, make_physics
from envs.physics.model_randomization import varied_fields
from envs.physics.scene_model import build_spec
from tests.simulated import within

G, SECONDS = 9.81, 0.1
T_POSE = jnp.tile(jnp.array([1.0, 0, 0, 0]), (52, 1))
SLAB = ObjectSpec("box", (0.2, 0.2, 0.04), mass_kg=0.5, friction=1.0)
FACTORS = ((1.0, 1.0), (2.0, 0.7), (0.5, 1.3))
ENGINES = ["c", *(pytest.param(name, marks=pytest.mark.slow) for name in ("mjx", "warp"))]


def scene(thing: ObjectSpec = SLAB) -> Scene:
    return Scene(SceneSpec(Table(), thing))


@cache
def physics(engine: EngineName) -> Physics:
    if engine == "warp" and find_spec("warp") is None:
        pytest.skip("warp-lang is not installed: pip install 'devi-jax[warp]'")
    return make_physics(scene(), engine)


@partial(jax.jit, static_argnums=0)
def roll(physics: Physics, height, thing, velocity, variation: Variation):
    """Start and end of a tenth of a second: humans in the T-pose at a height, objects somewhere with a velocity."""

    def one(height, thing, velocity, variation):
        root = jnp.array([0.0, 0.0, physics.scene.embodiment.body.pelvis_m]) + height * jnp.array([0.0, 0, 1])
        pose = Pose(T_POSE, root, jnp.concatenate([thing, jnp.array([1.0, 0, 0, 0])]))
        still = Velocity(jnp.zeros((52, 3)), jnp.zeros(3), jnp.concatenate([velocity, jnp.zeros(3)]))
        return physics.init(pose, still, variation), Control(T_POSE, root)

    start, control = jax.vmap(one)(height, thing, velocity, variation)
    return start, jax.lax.fori_loop(0, 3, lambda _, s: jax.vmap(physics.step)(s, control), start)


@cache
def slide_and_strike(engine: EngineName):
    """Three slabs slide over the table; three strike a forearm of a human in free fall, and a seventh misses it."""
    world = physics(engine)
    mass, friction = (jnp.asarray(x) for x in zip(*FACTORS, *FACTORS, (1.0, 1.0), strict=True))
    data = mujoco.MjData(world.model)
    mujoco.mj_kinematics(world.model, data)
    arm = data.body("right_elbow").xpos + [-0.1, 0.0, world.scene.embodiment.body.pelvis_m + 3.07]
    thing = jnp.asarray([[-0.2, 0.4, 0.82]] * 3 + [arm] * 3 + [[3.0, 3.0, 3.0]], jnp.float32)
    velocity = jnp.asarray([[2.0, 0, 0]] * 3 + [[0.0, 0, -2.0]] * 3 + [[0.0, 0, 0]])
    height = jnp.asarray([0.0] * 3 + [3.0] * 4)
    return roll(world, height, thing, velocity, Variation(mass, friction))


@pytest.mark.simulated
@pytest.mark.parametrize("engine", ENGINES)
def test_a_varied_object_slides_as_coulomb_says(engine):
    """Friction takes mu times the impulse that bears the slab: with its own mu, times the factor.

    So also below the table's friction of 0.8. (A fast slab hops a little, so the impulse is not just m g t.)
    """
    start, end = slide_and_strike(engine)
    gained = np.asarray(end.qvel - start.qvel, float)[:3, -6:-3]
    bearing = gained[:, 2] + G * SECONDS
    assert (bearing > 0.5).all() and (np.asarray(end.qvel)[:3, -6] > 0.3).all()
    within("friction, of its own", -gained[:, 0] / bearing / [f for _, f in FACTORS], low=0.99, high=1.01)


@pytest.mark.simulated
@pytest.mark.parametrize("engine", ENGINES)
def test_a_varied_object_strikes_with_its_own_mass_and_falls_as_any_other(engine):
    """The impulse that slows the object is what the human gets, beyond what gravity alone does to it."""
    world, (start, end) = physics(engine), slide_and_strike(engine)
    undisturbed = momentum(world, end, 6)
    got = np.array([undisturbed - momentum(world, end, i) for i in (3, 4, 5)])
    slowed = np.asarray(end.qvel - start.qvel, float)[3:6, -4] + G * SECONDS
    gave = np.array([m for m, _ in FACTORS]) * SLAB.mass_kg * slowed
    assert (slowed > 0.5).all()
    within("momentum got, of that given", got / gave, low=0.98, high=1.02)
    assert float(end.qvel[6, -4]) == pytest.approx(-G * SECONDS, rel=1e-4)


def momentum(physics: Physics, state, i: int) -> float:
    """Vertical, of the i-th human."""
    data = mujoco.MjData(physics.model)
    data.qpos[:], data.qvel[:] = state.qpos[i], state.qvel[i]
    mujoco.mj_forward(physics.model, data)
    mujoco.mj_subtreeVel(physics.model, data)
    pelvis = physics.model.body("pelvis").id
    return physics.model.body_subtreemass[pelvis] * data.subtree_linvel[pelvis, 2]


@pytest.mark.parametrize(("mass", "friction"), FACTORS)
@pytest.mark.parametrize("shape", ["box", "sphere", "can"])
def test_a_varied_model_is_the_model_compiled_so(shape, mass, friction):
    """Every number of it; but for the world's total mass and where a light would follow it, which nothing reads."""
    size = {"box": (0.2, 0.1, 0.04), "sphere": (0.05,), "can": (0.03, 0.1)}[shape]
    thing = ObjectSpec(shape, size, mass_kg=0.4, friction=0.9)
    ours, wanted = (
        build_spec(scene(t), SETTINGS["c"]).compile()
        for t in (thing, replace(thing, mass_kg=0.4 * mass, friction=0.9 * friction))
    )
    sims = batch.Batch(ours, 1, 1)
    for varied in varied_fields([ours]):
        values = varied.values(np.array([mass]), np.array([friction]))
        sims.expand(varied.field)[(slice(None), *varied.index)] = values
    got = sims.get_model(0)
    got.body_subtreemass[0] = wanted.body_subtreemass[0]
    compared = 0
    for name in dir(wanted):
        value = getattr(wanted, name)
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and name != "light_poscom0":
            np.testing.assert_allclose(getattr(got, name), value, rtol=1e-9, atol=1e-12, err_msg=name)
            compared += 1
    assert compared > 100


def test_a_call_leaves_nothing_of_its_objects_to_the_next():
    """Nominal, varied, nominal: the third is the first, bit for bit, and the second is not."""
    world = physics("c")
    args = (jnp.zeros(1), jnp.array([[-0.2, 0.4, 0.82]]), jnp.array([[2.0, 0, 0]]))
    one, varied = (Variation(jnp.array([m]), jnp.array([f])) for m, f in FACTORS[:2])
    first, between, third = (roll(world, *args, v)[1] for v in (one, varied, one))
    assert (first.qvel == third.qvel).all() and not (first.qvel == between.qvel).all()


def test_by_default_the_object_is_the_scenes_own():
    world = physics("c")
    still = Velocity(jnp.zeros((52, 3)), jnp.zeros(3), jnp.zeros(6))
    state = world.init(Pose(T_POSE, jnp.zeros(3), jnp.array([0.0, 0, 1, 1, 0, 0, 0])), still)
    assert float(state.variation.mass) == float(state.variation.friction) == 1.0


def test_a_scene_without_object_has_nothing_to_vary():
    assert varied_fields([build_spec(Scene(SceneSpec(Table(), None)), SETTINGS["c"]).compile()]) == ()
