"""Other models of the same world: each changes one thing, and a policy is judged in them from the same starts."""

import numpy as np
import pytest

from devi_jax.evaluation import evaluate as evaluation
from devi_jax.evaluation.evaluate import Judgement, in_other_models
from devi_jax.evaluation.models import ENGINES, MODELS
from devi_jax.evaluation.rollouts import zero_policy
from devi_jax.evaluation.table import table
from tests.stand_in import stand_in

OPTIONS = "timestep", "solver", "integrator", "impratio", "cone", "gravity"
DRIVES = "jnt_stiffness", "dof_damping"


@pytest.fixture(scope="module")
def physics(assembly):
    return assembly.environment.physics


@pytest.fixture(scope="module")
def changed(physics):
    return {name: change(physics) for name, change in {**MODELS, **ENGINES}.items()}


def options_changed(physics, other):
    old, new = physics.model.opt, other.model.opt
    return {name for name in OPTIONS if not np.array_equal(getattr(old, name), getattr(new, name))}


def test_each_changes_one_thing(physics, changed):
    assert options_changed(physics, changed["half the timestep"]) == {"timestep"}
    assert options_changed(physics, changed["another solver"]) == {"solver"}
    assert not options_changed(physics, changed["gains times 0.9"])
    assert [name for name, other in changed.items() if other.engine != physics.engine] == ["another engine"]
    finer = changed["half the timestep"]
    assert finer.model.opt.timestep == physics.model.opt.timestep / 2 and finer.substeps == 2 * physics.substeps
    for other in changed.values():
        assert other.timing.control_hz == physics.timing.control_hz
        np.testing.assert_allclose(other.model.body_mass, physics.model.body_mass, rtol=1e-6)


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_gains_are_those_of_driven_joints_alone(physics, changed, factor):
    model, other = physics.model, changed[f"gains times {factor}"].model
    driven = [model.joint(joint.name).id for joint in physics.scene.embodiment.joints[1:]]
    dofs = np.concatenate([model.joint(j).dofadr + np.arange(3) for j in driven])
    for name, of in zip(DRIVES, (driven, dofs), strict=True):
        old, new = getattr(model, name), getattr(other, name)
        wanted = old.copy()
        wanted[of] *= factor
        np.testing.assert_allclose(new, wanted, rtol=1e-6)
        assert (old[of] > 0).all()
    # what the torque limit reckons with is what the springs do
    before, after = physics.joints, changed[f"gains times {factor}"].joints
    np.testing.assert_allclose(after.ball_stiffness, factor * before.ball_stiffness, rtol=1e-6)
    np.testing.assert_array_equal(after.ball_effort, before.ball_effort)


def test_a_policy_is_judged_in_each_from_the_same_starts(assembly, changed, monkeypatch):
    calls = []

    def judged(environment, policy, seed, count, replay=False):
        calls.append((environment.physics, seed, count, replay))
        passed = np.arange(count) < (1 if replay else 2)
        return stand_in(Judgement, successes=passed)

    monkeypatch.setattr(evaluation, "judge", judged)
    models = {name: lambda _, name=name: changed[name] for name in changed}
    found = in_other_models(assembly, zero_policy(), seed=5, count=4, models=models)
    assert [call[0] for call in calls] == [physics for physics in changed.values() for _ in range(2)]
    assert [call[1:] for call in calls] == [(5, 4, False), (5, 4, True)] * len(changed)
    for told in found.values():
        assert told["success"] == {"policy": 0.5, "follow": 0.25} and told["starts"] == 4


def test_the_table_has_a_row_of_each():
    rate = {"starts": 64, "success": {"policy": 0.75, "plan": 0.5}, "interval": {"policy": [0.6, 0.8]}, "versus": {}}
    scores = {"success": True, "reward": 0.1, "success_rate": 0.7}
    result = {
        "clip": "c",
        "root": "free",
        "engine": "c",
        "exact": scores,
        "perturbed": scores,
        "reference": {"exact": scores},
        "grades": {"easy": rate, "hard": rate},
        "causes": {},
        "noisy": {},
        "models": {"another solver": rate},
    }
    (row,) = [line for line in table(result).splitlines() if "another solver" in line]
    assert row.split() == ["another", "solver,", "of", "64", "0.75", "-", "-", "-"]
