"""A system as data: what a run folder keeps is what was run, and what does not fit is named."""

import json
import math
from dataclasses import replace

import pytest

from agents import Ppo
from devi_jax.core.errors import ConfigError, RunError
from devi_jax.runs.json_io import jsonable
from devi_jax.systems import NAMES, TERMS, System, choose_preset, devi, make_system
from devi_jax.systems.system import ADDED, RENAMED, from_json, to_json
from envs.rewards import Weighting
from envs.tracking.config import ActionConfig, EnvironmentConfig, Reach, ResetConfig, TerminationConfig


def through_a_file(system: System):
    """As a run folder writes and reads it."""
    return json.loads(json.dumps(jsonable(to_json(system)), allow_nan=False))


@pytest.fixture
def system() -> System:
    """Values unlike every default, infinities and optional fields among them."""
    base = devi("cpu")
    return replace(
        base,
        environment=EnvironmentConfig(
            action=ActionConfig(mode="absolute", reach=Reach(finger=0.123), feedforward=False, squeeze_rad=0.0),
            reset=ResetConfig(pre_contact=0.25, lead=3, joint_noise_rad=0.01),
            termination=TerminationConfig(math.inf, 0.7, math.inf, 0.05),
            goal_offsets=(1, 2, 3),
            object_points=99,
            seed=5,
        ),
        rewards={**base.rewards, "power": Weighting(0.0, 0.5)},
        combine="sum",
        ppo=Ppo(environments=64, minibatch=512, value_clip=None, gamma=0.9),
        network=replace(base.network, actor_widths=(3, 4, 5, 6), log_std=-1.25),
    )


@pytest.mark.parametrize("recipe", ["fast", "paper"])
@pytest.mark.parametrize("preset", ["paper", "cpu"])
@pytest.mark.parametrize("name", NAMES)
def test_presets_survive_a_file(name, preset, recipe):
    given = make_system(name, preset, recipe)
    assert given.name == name
    assert from_json(through_a_file(given), "config.json") == given


def test_every_value_survives_a_file(system):
    assert from_json(through_a_file(system), "config.json") == system
    assert from_json(to_json(system), "config.json") == system


def test_optional_fields_survive_both_ways(system):
    for clip in (None, 0.2):
        given = replace(system, ppo=replace(system.ppo, value_clip=clip))
        assert from_json(through_a_file(given), "config.json").ppo.value_clip == clip
    for log_std in (-2.0, (-1.0, -2.0)):
        given = replace(system, network=replace(system.network, log_std=log_std))
        assert from_json(through_a_file(given), "config.json").network.log_std == log_std


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("ppo.gamma", "high"),
        ("ppo.epochs", 2.5),
        ("environment.action.mode", "relative"),
        ("environment.goal_offsets", ["soon"]),
        ("rewards.power.sharpness", None),
        ("combine", "maximum"),
        ("environment.termination.tips_mm", 40),
    ],
)
def test_a_field_that_does_not_fit_is_named(path, value, system):
    data = through_a_file(system)
    *way, last = path.split(".")
    part = data
    for key in way:
        part = part[key]
    part[last] = value
    with pytest.raises(RunError) as caught:
        from_json(data, "run/config.json")
    assert caught.value.where.startswith(f"run/config.json: system.{path}")
    assert caught.value.valid and caught.value.fix


@pytest.mark.parametrize("path", ["name", "ppo.gamma", "environment.reset", "environment.action.squeeze_rad"])
def test_a_missing_field_is_no_default(path, system):
    data = through_a_file(system)
    *way, last = path.split(".")
    part = data
    for key in way:
        part = part[key]
    del part[last]
    with pytest.raises(RunError) as caught:
        from_json(data, "run/config.json")
    assert caught.value.where == f"run/config.json: system.{path}"


@pytest.mark.parametrize("weighting", [Weighting(-0.1, 1.0), Weighting(1.0, -1.0), Weighting(math.nan, 1.0)])
def test_a_weight_without_meaning_names_its_flag(weighting, system):
    system.validate()
    wrong = replace(system, rewards={**system.rewards, "object_2d": weighting})
    with pytest.raises(ConfigError) as caught:
        wrong.validate()
    assert caught.value.where == "--rewards.object-2d"


def test_every_reward_of_every_system_is_a_term_and_every_term_is_of_some_system():
    used = [set(make_system(name).rewards) for name in NAMES]
    assert set.union(*used) == set(TERMS)
    assert len(make_system("devi").rewards) == 9


def test_the_paper_preset_is_as_printed():
    """A.10, Eq. 22 and the batch it states."""
    paper = devi("paper", "paper")
    assert paper.combine == "product" and paper.environment.action.mode == "absolute"
    assert paper.environment.termination == TerminationConfig(0.2, 0.4, 0.04, 0.08)
    assert paper.environment.reset.pre_contact == 0.5 and paper.environment.object_points == 1024
    assert (paper.ppo.environments, paper.ppo.horizon, paper.ppo.minibatch) == (4096, 32, 1024)
    assert (paper.ppo.actor_learning_rate, paper.ppo.critic_learning_rate) == (2e-5, 1e-4)
    assert paper.network.actor_widths == (1024,) * 3 and paper.network.critic_widths == (1024,) * 4


@pytest.mark.parametrize(("platform", "preset"), [("cpu", "cpu"), ("gpu", "paper"), ("tpu", "paper")])
def test_auto_preset(platform, preset):
    assert choose_preset(platform)[0] == preset


@pytest.mark.parametrize("path", ADDED)
def test_a_field_that_older_files_lack_means_what_they_did(path, system):
    data = through_a_file(system)
    *way, last = path.split(".")
    part = data
    for key in way:
        part = part[key]
    del part[last]
    read = from_json(data, "run/config.json")
    assert last not in part  # what was given stays as it is
    part[last] = ADDED[path]
    assert read == from_json(data, "run/config.json")


def test_a_term_that_does_not_exist_is_named_with_the_nearest(system):
    wrong = replace(system, rewards={**system.rewards, "object_3d": Weighting()})
    with pytest.raises(ConfigError) as caught:
        wrong.validate()
    assert caught.value.where == "--rewards.object-3d" and "object_2d" in caught.value.what


@pytest.mark.parametrize("name", NAMES)
def test_a_system_changes_what_is_rewarded_and_not_how_it_is_learned(name):
    for recipe in ("fast", "paper"):
        ours, base = make_system(name, "cpu", recipe), devi("cpu", recipe)
        assert (ours.ppo, ours.network, ours.planner, ours.combine) == (base.ppo, base.network, base.planner, "product")
        goal = {"goal_offsets": base.environment.goal_offsets, "goal_object": base.environment.goal_object}
        same = replace(ours.environment, termination=base.environment.termination, **goal)
        assert same == base.environment


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_a_field_that_was_renamed_is_read_by_its_old_name(old, new, system):
    data = through_a_file(system)
    part, before, after = data, old.split("."), new.split(".")
    for key in before[:-1]:
        part = part[key]
    assert before[:-1] == after[:-1] and before[-1] not in part
    part[before[-1]] = part.pop(after[-1])
    assert from_json(data, "config.json") == system
