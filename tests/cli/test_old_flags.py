"""Old names of flags become new ones, each with one line; everything else stays as it is."""

import pytest

from devi_jax.cli import with_new_flags

RENAMED = {
    "ppo.actor_rate": "ppo.actor_learning_rate",
    "environment.reset": "resets",
    "environment.reset.own": "resets.visited",
    "environment.goal_object": "goal.object.on",
    "online": "mpc",
    "mend": "repair",
}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["--ppo.actor-rate=1e-4"], ["--ppo.actor-learning-rate=1e-4"]),
        (["--ppo.actor_rate", "1e-4"], ["--ppo.actor-learning-rate", "1e-4"]),
        (["--environment.reset.onset=0.1"], ["--resets.onset=0.1"]),
        (["--environment.reset.own=0.1"], ["--resets.visited=0.1"]),
        (["--environment.no-goal-object"], ["--goal.object.no-on"]),
        (["RUN", "--online", "3"], ["RUN", "--mpc", "3"]),
        (["mend", "CLIP"], ["repair", "CLIP"]),
    ],
)
def test_an_old_name_means_the_new_one_and_says_so_once(old, new, capsys):
    assert with_new_flags(old, RENAMED) == new
    told = capsys.readouterr()
    assert told.err.count("\n") == 1 and "is now called" in told.err and told.out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--clip=online", "online", "mend"],
        ["--ppo.actor-rates=1", "--online-too", "--environment.resets.own=1", "-h", "--no-film"],
        ["--rewards.object_2d.weight=2"],
    ],
)
def test_other_words_stay_as_they_are_in_silence(arguments, capsys):
    assert with_new_flags(arguments, RENAMED) == arguments
    assert capsys.readouterr().err == ""
