"""The recipe of the arm: short, another body by the same table; a reference that follows carries the box, alone."""

import json
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import devi_jax.systems.capsule_arm as recipe
from devi_jax import evaluate, train
from devi_jax.core.errors import ClipError, ConfigError
from devi_jax.datasets.load import resolve_all
from devi_jax.evaluation.metrics import score
from devi_jax.evaluation.rollouts import roll, zero_policy
from devi_jax.systems.build import assemble
from devi_jax.systems.registry import make_system
from envs.embodiments.capsule_arm import OPEN_M
from envs.tracking.config import ActionConfig
from tests.simulated import within

SYSTEM = make_system("capsule_arm")


@pytest.fixture(scope="module")
def carton():
    return resolve_all("carton_tray")[0]


@pytest.fixture(scope="module")
def environment(carton):
    return assemble(SYSTEM, carton, "c", "free").environment


def test_it_is_one_short_file():
    assert len(Path(recipe.__file__).read_text().splitlines()) < 150


def test_the_policy_sees_and_moves_the_arm(environment):
    """9 + 9 joint numbers, 2 x 3 to the object, 2 x 3 from the base; of three frames, 9 joints and the object's 9."""
    assert environment.observation_sizes == {"arm": 30, "object": 15, "goal": 3 * (9 + 9)}
    assert environment.action_size == 9 and environment.physics.timing.hold == 2


def test_an_action_shifts_the_targets_by_its_scale(environment):
    state = environment.start(jnp.asarray(3))
    still = environment.control(state, jnp.zeros(9)).scalars
    moved = environment.control(state, jnp.ones(9)).scalars
    np.testing.assert_allclose(moved - still, [0.8] * 7 + [0.02] * 2, atol=1e-6)
    np.testing.assert_allclose(still, environment.reference.target_scalars[3], atol=1e-7)


def test_the_reference_grips_the_object_where_it_stands(environment, carton):
    reference, onset = environment.reference, carton.onset
    tips, thing = np.asarray(reference.tips), np.asarray(reference.object_position)
    assert np.linalg.norm((tips[onset].mean(axis=0) - thing[onset])[:2]) < 3e-3
    opening = np.asarray(reference.scalars)[:, 7]
    assert opening[0] == pytest.approx(OPEN_M, abs=1e-4) and opening[onset] == pytest.approx(0, abs=1e-4)
    carried = np.asarray(reference.scalars)[onset : onset + 40, :7]
    assert np.abs(carried - carried[0]).max() < 0.05 and np.abs(thing[onset + 40] - thing[onset]).max() > 0.1


@pytest.mark.simulated
@pytest.mark.parametrize("knows", ["grip", "follow"])
def test_only_a_reference_that_follows_carries_the_box(carton, knows):
    environment = assemble(replace(SYSTEM, arm_reference=knows), carton, "c", "free").environment
    (scores,) = score(roll(environment, zero_policy(), jax.random.key(0)), environment.reference, 30.0)
    assert scores.success is (knows == "follow") and scores.lift_ratio is not None
    if knows == "follow":
        within("object from its path, mm", scores.t_obj_mm, high=40.0)
        within("lift", scores.lift_ratio, low=0.8, high=1.1)
    else:
        within("lift", scores.lift_ratio, low=-0.1, high=0.1)


def test_what_the_gripper_cannot_span_is_refused():
    with pytest.raises(ClipError, match="mm wide, the gripper opens to 90 mm"):
        assemble(SYSTEM, resolve_all("floor_place")[0], "c", "free")


@pytest.mark.parametrize("name", ["floor_bottle", "drink_mug"])
def test_what_the_arm_cannot_do_is_refused_with_its_number(name):
    """A bottle on the floor, out of reach; a mug brought to a mouth, faster than the elbow."""
    system = replace(SYSTEM, arm_reference="follow")
    with pytest.raises(ClipError, match="misses the object's path by|past its range|times as fast"):
        assemble(system, resolve_all(name)[0], "c", "free")


def test_the_reference_keeps_to_the_joints_limits(environment):
    """Ranges, and speeds of fingers that close and of joints that descend."""
    joints, reference = environment.physics.joints, environment.reference
    scalars, rates = np.asarray(reference.scalars), np.abs(np.asarray(reference.scalar_rates))
    assert (scalars >= joints.low - 1e-3).all() and (scalars <= joints.high + 1e-3).all()
    assert (rates <= joints.speed).all() and rates[:, 7].max() > 0.1


@pytest.mark.parametrize("mode", ["absolute", "hand_task_space"])
def test_a_humans_actions_are_refused(carton, mode):
    with pytest.raises(ConfigError, match=f"{mode} actions are of a human's joints"):
        assemble(replace(SYSTEM, action=ActionConfig(mode=mode)), carton, "c", "free")


@pytest.mark.slow
def test_the_real_command_trains_resumes_and_evaluates_it(tmp_path):
    """Everything but learning: a run of one iteration, another, and its judgement beside the reference's replay."""
    run, small = tmp_path / "run", ["--ppo.environments=8", "--ppo.horizon=4", "--ppo.minibatch=16"]
    began = ["--system=capsule_arm", "--clip=carton_tray", "--plan=none", "--no-film", f"--out={run}"]
    train.main([*began, "--iterations=1", *small])
    train.main([f"--resume={run}", "--iterations=2", "--no-film"])
    result = json.loads((run / "evaluation.json").read_text())
    assert result["root"] == "fixed" and result["reference"]["perturbed"]["success_rate"] == 0.0
    assert json.loads((run / "config.json").read_text())["config"]["system"]["embodiment"] == "capsule_arm"
    evaluate.main([str(run), "--rollouts=2"])
