"""Footing: forces at the soles are SciPy's, load joints as MuJoCo's Jacobians say, and carry a body through a step."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import pytest
from scipy.optimize import nnls

from devi_jax.core import rotations as rot
from devi_jax.core.clip import Clip
from devi_jax.core.scene import SceneSpec
from devi_jax.core.skeleton import INDEX, JOINTS
from devi_jax.systems import assemble
from devi_jax.systems.build import make_scene
from envs.animation.kinematics.ik import CenterOfMassTask, solve
from envs.animation.kinematics.posture import keep_body, mobility
from envs.animation.repair import pose_clip
from envs.animation.repair.posed_clip import pose_frame, with_postures
from envs.control import AnkleBalance, GroundReaction
from envs.control.ground_reaction import FRICTION, LEGS, corners, loads, share, soles
from tests.envs.replay import recipe, replay, with_controllers
from tests.simulated import within

WEIGHT, FRAMES = 700.0, 105
shared = jax.jit(share)


def two_soles(right_up: float = 0.0) -> np.ndarray:
    """Corners (16, 3) of two flat soles 0.2 m apart."""
    sole = np.array([[x, y, 0.0] for y in (-0.1, 0.07, 0.07, 0.14) for x in (-0.05, 0.05)])
    return np.concatenate([sole - [0.1, 0, 0], sole + [0.1, 0, right_up]]).astype(np.float32)


def test_forces_are_those_of_non_negative_least_squares(rng):
    """Against SciPy's active-set solver on the same problem, for wrenches that soles can give and that they cannot."""
    centre = np.array([0.0, 0.02, 0.9])
    rays = np.array([[FRICTION, 0, 1], [-FRICTION, 0, 1], [0, FRICTION, 1], [0, -FRICTION, 1]])
    for scale in (0.0, 20.0, 60.0):
        wrench = np.array([0, 0, WEIGHT, 0, 0, 0]) + scale * rng.normal(size=6) * [1, 1, 1, 0.3, 0.3, 0.3]
        points = two_soles() + rng.uniform(0, 0.01, size=(16, 1)) * [0, 0, 1]
        size = np.linalg.norm(wrench[:3])
        moments = 3 * np.cross((points * [1, 1, 0] - centre)[:, None], rays)
        columns = np.concatenate([np.broadcast_to(rays, (16, 4, 3)), moments], axis=-1).reshape(-1, 6)
        cost = np.repeat(1e-2 * np.exp((points[:, 2] / 0.015) ** 2 / 2), 4)
        wanted = np.concatenate([wrench[:3], 3 * wrench[3:]]) / size
        found, _ = nnls(np.vstack([columns.T, np.diag(cost)]), np.concatenate([wanted, np.zeros(64)]))
        forces = size * np.einsum("cr,rk->ck", found.reshape(16, 4), rays)
        ours = shared(jnp.asarray(points, jnp.float32), jnp.asarray(wrench, jnp.float32), jnp.asarray(centre))
        np.testing.assert_allclose(ours, forces, atol=2.0)


@pytest.mark.parametrize("right_up", [0.0, 0.1])
def test_a_standing_bodys_forces_carry_it_and_a_raised_foot_bears_nothing(right_up):
    """Weight and a push, about a centre of mass over the left foot: within a newton, inside the friction pyramids."""
    wrench, centre = jnp.array([0.0, -30.0, WEIGHT, 0, 0, 0]), jnp.array([-0.08, 0.02, 0.9])
    points = two_soles(right_up)
    forces = np.asarray(shared(jnp.asarray(points), wrench, centre), float)
    np.testing.assert_allclose(forces.sum(axis=0), wrench[:3], atol=1.0)
    moment = np.cross(points * [1, 1, 0] - np.asarray(centre), forces).sum(axis=0)
    np.testing.assert_allclose(moment, 0, atol=2.0)
    assert forces[:, 2].min() >= 0
    assert (np.abs(forces[:, :2]) <= FRICTION * forces[:, 2:] + 1e-3).all()
    assert (forces[8:, 2].sum() < 1e-3) if right_up else (forces[8:, 2].sum() > 5)


def test_loads_are_mujocos_transposed_jacobians(standing, rng):
    """Torques of hips, knees, ankles and toes for random forces at all corners of a bent body."""
    environment = standing.environment
    model, state = environment.physics.model, environment.start(jnp.asarray(60))
    frame, data = environment.frame(state), mujoco.MjData(model)
    data.qpos[:] = np.asarray(state.physics.qpos)
    mujoco.mj_forward(model, data)
    of, forces = soles(model), rng.normal(size=(16, 3))
    points = corners(of, frame.position, frame.rotation)
    ours = np.asarray(loads(of, points, jnp.asarray(forces, jnp.float32), frame.position[LEGS]))
    total = np.zeros(model.nv)
    for point, body, force in zip(np.asarray(points, float), of.body, forces, strict=True):
        jacobian = np.zeros((3, model.nv))
        mujoco.mj_jac(model, data, jacobian, None, point, model.body(JOINTS[body]).id)
        total -= jacobian.T @ force
    for k, joint in enumerate(LEGS):
        name = JOINTS[joint]
        dof = int(model.joint(name).dofadr[0])
        in_world = data.body(name).xmat.reshape(3, 3) @ total[dof : dof + 3]
        np.testing.assert_allclose(ours[k], in_world, atol=1e-4)


def stepping(clip: Clip, lift_m: float) -> Clip:
    """A body that brings its weight over its left foot, raises the right one where it is, puts it down, comes back."""
    alone = replace(
        clip,
        scene=SceneSpec(),
        contact=np.zeros_like(clip.contact),
        object_start=None,
        object_poses=None,
        object_tracks=None,
        camera=None,
    )
    posed = pose_clip(make_scene(alone, "free"), alone)
    stage, data = posed.stage, pose_frame(posed, 0)
    mujoco.mj_comPos(stage.model, data)
    start = data.subtree_com[stage.model.body("pelvis").id, :2].copy()
    aside = data.body("left_ankle").xpos[:2] + [0.02, 0.04] - start
    times, out = np.arange(FRAMES) / 30 - 0.2, []
    over = smooth(times / 1.2) * (1 - smooth((times - 2.1) / 1.2))
    up = smooth((times - 1.2) / 0.4) * (1 - smooth((times - 1.6) / 0.4))
    feet = [keep_body(stage, posed.qpos[0], f"{side}_ankle") for side in ("left", "right")]
    qpos = posed.qpos[0]
    for t in range(len(times)):
        raised = replace(feet[1], position=feet[1].position + [0, 0, lift_m * up[t]])
        tasks = (feet[0], raised, CenterOfMassTask(start + over[t] * aside))
        qpos = solve(stage, tasks, posed.qpos[0], mobility(stage, ()), start=qpos, iterations=20).qpos
        out.append(qpos)
    still = replace(alone, **{k: getattr(alone, k)[:FRAMES] for k in ("joint_rotations", "joint_positions", "contact")})
    return with_postures(replace(posed, qpos=np.array(out)), still, "a step in place")


def smooth(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0.0, 1.0)
    return x**3 * (10 + x * (6 * x - 15))


@pytest.fixture(scope="module")
def step(lift_can):
    return stepping(lift_can, 0.06)


def stepper(clip: Clip, footing: float):
    balance = AnkleBalance(gain=0.0 if footing else 1.0)
    system = with_controllers(recipe(), ground_reaction=GroundReaction(rate=footing), ankle_balance=balance)
    return assemble(system, clip, "c", "free").environment


@pytest.mark.simulated
def test_a_step_in_place_is_made_on_ones_own_feet(step):
    """Open loop otherwise: the right foot rises and comes down, the body within nine centimetres, then within four.

    Where the foot lands differs: over 3 instruction sets with 24 jittered starts each the largest error is 32 to 61 mm,
    that at the end 15 to 26 mm, the rise 44 to 48 mm and what is left of it 0 to 3 mm. A body that falls misses by 0.2
    to 1 m.
    """
    environment = stepper(step, 4.0)
    reference = np.asarray(environment.reference.position[1:])
    frames, _ = replay(environment, jnp.asarray(0), len(reference))
    error = np.linalg.norm(np.asarray(frames.position)[:, :22] - reference[:, :22], axis=-1).mean(axis=1)
    within("largest error, mm", 1e3 * error.max(), high=90)
    within("error at the end, mm", 1e3 * error[-1], high=40)
    height = np.asarray(frames.position)[:, INDEX["right_ankle"], 2]
    within("rise of the foot, mm", 1e3 * (height.max() - height[0]), low=40)
    within("height of the foot at the end, mm", 1e3 * abs(height[-1] - height[0]), high=10)


@pytest.mark.simulated
def test_a_pushed_body_that_shifts_its_weight_comes_back(step):
    """0.25 m/s forward on all of it while both feet stand: it strays, and is back before the foot rises."""
    environment = stepper(step, 4.0)
    state = environment.start(jnp.asarray(0))
    pushed = replace(state.physics, qvel=state.physics.qvel.at[1].add(0.25))

    @jax.jit
    def strays(physics):
        def advance(state, _):
            state, frame = environment.advance(state, jnp.zeros(environment.action_size))
            return state, jnp.abs(frame.position - environment.reference.position[state.t])[0, 1]

        return jax.lax.scan(advance, replace(state, physics=physics), None, length=36)[1]

    stray = np.asarray(strays(pushed))
    # measured under 3 instruction sets, 9 starts in all: 16.6, and 0.177 to 0.181 of it
    within("largest stray, mm", 1e3 * stray.max(), low=10)
    within("share of it at the end", stray[-1] / stray.max(), high=0.4)


def test_a_plans_turns_and_the_grounds_are_one_after_the_other(step, key):
    """Turned by an action, or by targets that the same action was folded into: the same control, to rounding."""
    environment = stepper(step, 4.0)
    state, action = environment.start(jnp.asarray(50)), jax.random.normal(key, (environment.action_size,))
    target = environment.reference.target.at[50, 1:].set(
        rot.quat_mul(environment.reference.target[50, 1:], rot.quat_exp(environment.action.turns(action, {})))
    )
    folded = environment.with_targets(target)
    turned = environment.control(state, action).rotation
    np.testing.assert_allclose(folded.control(state, 0 * action).rotation, turned, atol=1e-6)
    assert np.abs(state.commands["ground_reaction"]).max() > 0.02


def test_only_a_clip_that_steps_has_its_ground_forces_shared_anew(step, standing):
    """A body on two feet keeps its ankles' balance, which costs less; without the option so does one that steps."""
    assert stepper(step, 4.0).reference.noted["ground_reaction"]["wrench"].shape == (FRAMES, 6)
    assert "ground_reaction" not in stepper(step, 0.0).reference.noted
    system = with_controllers(recipe(), ground_reaction=GroundReaction(rate=4.0))
    two_feet = assemble(system, standing.clip, "c", "free")
    assert "ground_reaction" not in two_feet.environment.reference.noted
    np.testing.assert_array_equal(two_feet.environment.reference.target, standing.environment.reference.target)


def test_the_wrench_of_a_reference_is_the_weight_while_it_stands_still(step):
    """In the first frames: m g up, no moment, half of it on each foot."""
    environment = stepper(step, 4.0)
    noted, weight = environment.reference.noted, 9.81 * environment.physics.model.body("pelvis").subtreemass[0]
    wrench, share = noted["ground_reaction"]["wrench"], noted["ground_reaction"]["share"]
    np.testing.assert_allclose(wrench[0], [0, 0, weight, 0, 0, 0], atol=0.03 * weight)
    assert 0.4 < float(share[0, 0]) < 0.6
    assert float(share[54, 0]) > 0.9
