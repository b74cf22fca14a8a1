"""A system as data: what a run folder keeps is what was run, and what does not fit is named."""

import json
import math
from dataclasses import replace

import jax.numpy as jnp
import pytest

from agents import Ppo
from devi_jax.core.errors import ConfigError, RunError
from devi_jax.runs.json_io import jsonable
from devi_jax.systems import NAMES, System, choose_preset, devi, make_system
from devi_jax.systems.registry import SYSTEMS
from devi_jax.systems.stored import ADDED, from_json, to_json
from envs.control import FeedForward, GraspClosure
from envs.rewards import shape_factor
from envs.tracking.config import ActionConfig, ActionScale, ObjectPoints, ResetConfig


def through_a_file(system: System):
    """As a run folder writes and reads it."""
    return json.loads(json.dumps(jsonable(to_json(system)), allow_nan=False))


@pytest.fixture
def system() -> System:
    """Values unlike every default, infinities and optional fields among them."""
    base = devi("cpu")
    return replace(
        base,
        action=ActionConfig(mode="absolute", scale=ActionScale(finger=0.123)),
        controllers={
            **base.controllers,
            "feedforward": FeedForward(on=False),
            "grasp_closure": GraspClosure(angle_rad=0.0),
        },
        resets=ResetConfig(pre_contact=0.25, lead=3, joint_noise_rad=0.01),
        terminations={n: replace(row, bound=math.inf) for n, row in base.terminations.items()},
        goal_frames=(1, 2, 3),
        object_points=ObjectPoints(99, seed=5),
        rewards={**base.rewards, "power": replace(base.rewards["power"], weight=0.0, sharpness=0.5)},
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
        ("action.mode", "relative"),
        ("goal_frames", ["soon"]),
        ("rewards.power.shape", "round"),
        ("rewards.power.sharpness", None),
        ("combine", "maximum"),
        ("terminations.tips_mm", 40),
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


@pytest.mark.parametrize("path", ["name", "ppo.gamma", "resets", "controllers.grasp_closure.angle_rad"])
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


@pytest.mark.parametrize("values", [{"weight": -0.1}, {"sharpness": -1.0}, {"weight": math.nan}])
def test_a_weight_without_meaning_names_its_flag(values, system):
    system.validate()
    wrong = replace(system, rewards={**system.rewards, "object_2d": replace(system.rewards["object_2d"], **values)})
    with pytest.raises(ConfigError) as caught:
        wrong.validate()
    assert caught.value.where == "--rewards.object-2d"


def test_the_paper_preset_is_as_printed():
    """A.10, Eq. 22 and the batch it states."""
    paper = devi("paper", "paper")
    assert paper.combine == "product" and paper.action.mode == "absolute"
    assert sum(row.weight > 0 for row in paper.rewards.values()) == 9
    bounds = {name: row.bound for name, row in paper.terminations.items() if row.on}
    assert bounds == {"body_mean": 0.2, "body_any": 0.4, "fingertips": 0.04, "object_pixels": 0.08}
    assert paper.resets.pre_contact == 0.5 and paper.object_points.count == 1024
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
    part[last] = through_a_file_value(ADDED[path])
    assert read == from_json(data, "run/config.json")


def test_the_sharp_variant_is_one_half_at_its_scales_and_changes_nothing_else():
    sharp, base = make_system("devi_sharp"), make_system("devi")
    halves = {"joint_position": 0.04, "joint_velocity": 0.3, "joint_rotation": 0.2, "hand_position": 0.016}
    halves |= {"hand_rotation": 0.2, "power": 2.0, "object_2d": 0.016, "contact_distance": 0.06}
    for name, error in halves.items():
        row = sharp.rewards[name]
        assert float(shape_factor(row.shape, jnp.asarray(error), row.sharpness)) == pytest.approx(0.5, rel=1e-5)
    assert [(n, row.error, row.weight) for n, row in sharp.rewards.items()] == [
        (n, row.error, row.weight) for n, row in base.rewards.items()
    ]
    assert {n: row for n, row in sharp.rewards.items() if n not in halves} == {
        n: row for n, row in base.rewards.items() if n not in halves
    }
    assert replace(sharp, name="devi", rewards=base.rewards) == base


def through_a_file_value(value):
    return str(value) if isinstance(value, float) and math.isinf(value) else value


@pytest.mark.parametrize(
    "name", ["physhoi", "skillmimic", "intermimic_reward", "devi_6d", "devi_no_object", "devi_sharp"]
)
def test_a_method_changes_what_is_rewarded_and_not_how_it_is_learned(name):
    for recipe in ("fast", "paper"):
        ours, base = make_system(name, "cpu", recipe), devi("cpu", recipe)
        assert (ours.ppo, ours.network, ours.planner, ours.combine) == (base.ppo, base.network, base.planner, "product")
        assert (ours.task, ours.controllers, ours.observations) == (base.task, base.controllers, base.observations)


def test_a_system_may_lack_rows_that_others_have_and_still_survives_a_file(monkeypatch):
    base = devi("cpu")
    bare = replace(
        base,
        observations={"actor": {"human": base.observations["actor"]["human"]}, "critic": {}},
        goal={"joints": base.goal["joints"]},
        rewards={"power": base.rewards["power"]},
        terminations={},
        controllers={},
    )
    monkeypatch.setitem(SYSTEMS, "bare", lambda preset, recipe: bare)
    given = make_system("bare")
    assert given.name == "bare" and from_json(through_a_file(given), "config.json") == given


def test_an_unknown_name_is_refused_with_the_nearest_one():
    with pytest.raises(ConfigError) as caught:
        make_system("physhoy")
    assert "physhoi" in caught.value.what and caught.value.where == "--system" and "devi_6d" in caught.value.valid
