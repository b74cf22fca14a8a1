"""A system survives the way through a run folder, and says which field does not fit."""

import json
from dataclasses import replace

import pytest

from devi_jax.core.errors import ConfigError, RunError
from devi_jax.systems import TERMS, devi
from devi_jax.systems.system import from_json, to_json
from envs.config import TerminationConfig
from envs.terms import Weighting


@pytest.mark.parametrize("preset", ["paper", "cpu"])
def test_round_trip_through_json(preset):
    system = devi(preset)
    bounds = TerminationConfig(tips_m=float("inf"))
    system = replace(system, environment=replace(system.environment, termination=bounds))
    assert from_json(json.loads(json.dumps(to_json(system))), "config.json") == system


def test_a_field_that_does_not_fit_is_named():
    data = to_json(devi("cpu"))
    data["ppo"]["horizon"] = "long"
    with pytest.raises(RunError) as error:
        from_json(data, "runs/x/config.json")
    assert "system.ppo.horizon" in error.value.where and "train again" in error.value.mend


def test_paper_preset_states_the_papers_numbers():
    ppo, environment = devi("paper").ppo, devi("paper").environment
    assert (ppo.environments, ppo.horizon, ppo.minibatch) == (4096, 32, 1024)
    assert (ppo.actor_rate, ppo.critic_rate) == (2e-5, 1e-4)
    bounds = environment.termination
    assert (bounds.mean_m, bounds.any_m, bounds.tips_m, bounds.pixels) == (0.2, 0.4, 0.04, 0.08)
    assert environment.reset.pre_contact == 0.5 and environment.action.mode == "absolute"


def test_every_term_has_a_weighting_and_every_weighting_a_term():
    assert set(devi("cpu").rewards) == set(TERMS)


@pytest.mark.parametrize(
    "weighting", [Weighting(weight=-1.0), Weighting(sharpness=-0.1), Weighting(weight=float("nan"))]
)
def test_weights_without_meaning_are_refused(weighting):
    system = replace(devi("cpu"), rewards={**devi("cpu").rewards, "object_2d": weighting})
    with pytest.raises(ConfigError) as error:
        system.validate()
    assert "--rewards.object-2d" in error.value.where
