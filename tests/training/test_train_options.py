"""The command line of a training: defaults that follow from early flags, and flags that exclude each other."""

import pytest

from devi_jax.core.errors import ConfigError
from devi_jax.systems import make_system
from devi_jax.training.run_config import DEFAULT_MINUTES, RunConfig, with_limit
from devi_jax.training.train_options import TrainOptions, new_limits, read_early, read_options


def read(*arguments: str) -> TrainOptions:
    return read_options(arguments, read_early(arguments))


def test_early_flags_decide_the_defaults_of_the_others():
    run = read("--preset=paper", "--system", "physhoi", "--recipe=paper", "--physics=mjx").run
    assert run.system == make_system("physhoi", "paper", "paper")
    assert (run.plan, run.engine, run.preset, run.recipe) == ("none", "mjx", "paper", "paper")
    assert read("--preset=cpu").run == RunConfig(system=make_system("devi", "cpu"), engine="c", preset="cpu")


def test_of_an_early_flag_given_twice_the_last_one_counts():
    options = read("--recipe=paper", "--recipe=fast")
    assert (options.early.recipe, options.run.recipe, options.run.plan) == ("fast", "fast", "first")


def test_a_run_without_a_limit_trains_for_ten_minutes():
    assert with_limit(read().run).minutes == DEFAULT_MINUTES == 10
    assert with_limit(read("--iterations=3").run).minutes is None
    assert with_limit(read("--minutes=2", "--iterations=3").run) == read("--minutes=2", "--iterations=3").run


def test_a_resumed_run_takes_new_limits_all_at_once_or_keeps_its_own():
    assert new_limits(read("--resume=RUN", "--no-film", "--devices=1").run) == {}
    limits = {"minutes": None, "iterations": 9, "until": None}
    assert new_limits(read("--resume=RUN", "--iterations=9").run) == limits


@pytest.mark.parametrize(
    "flag",
    [
        "--clip=lift_box",
        "--seed=1",
        "--out=OTHER",
        "--dry-run",
        "--seeds=2",
        "--system=physhoi",
        "--recipe=paper",
        "--ppo.epochs=9",
        "--rewards.power.weight=0",
    ],
)
def test_a_resumed_run_refuses_settings_that_it_would_not_follow(flag):
    with pytest.raises(ConfigError) as caught:
        read("--resume=RUN", flag)
    named = "--ppo" if flag.startswith(("--ppo", "--rewards")) else flag.partition("=")[0]
    assert caught.value.where.startswith("--resume, ") and named in caught.value.where


@pytest.mark.parametrize(
    ("wrong", "flag"),
    [
        ("--minutes=0", "--minutes"),
        ("--iterations=-1", "--iterations"),
        ("--checkpoint-every=0", "--checkpoint-every"),
        ("--until=90", "--until"),
        ("--seeds=0", "--seeds"),
    ],
)
def test_numbers_without_meaning_are_refused_by_their_flag(wrong, flag):
    with pytest.raises(ConfigError) as caught:
        read(wrong)
    assert caught.value.where == flag and caught.value.valid


def test_the_help_fits_two_screens_and_the_long_one_gives_units_and_shapes(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    for word in ("--help", "--help-all"):
        with pytest.raises(SystemExit) as leaving:
            read(word)
        assert leaving.value.code == 0
        told = capsys.readouterr().out
        assert "--clip" in told and "--combine" in told and "--name " not in told
        assert "--system {devi,physhoi,skillmimic," in told
        assert (told.count("\n") <= 100) == (word == "--help")
    assert told.count("share of the image diagonal; gaussian factor exp(-sharpness e^2)") == 1
    assert told.count("share of the image diagonal; exponential factor exp(-sharpness e)") == 1
    assert "absolute logarithm of a ratio; exponential factor" in told
