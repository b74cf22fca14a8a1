"""The template is filled as printed; a language model is any program."""

import sys

import pytest

from devi_jax.core.errors import ConfigError, VideoError
from perception.generate.parse_prompt import parse_prompt
from perception.generate.prompt import (
    CLOSING,
    PHRASES,
    by_command,
    complete_prompt,
    compose,
    rewrite_prompt,
    rewrite_request,
)

THINGS = {"can": (), "bowl": (), "spray_bottle": ()}


def test_the_template_is_the_papers():
    assert compose("lift", "can", "right", detail="and holds it up") == (
        "A person lifts the can with the right hand and holds it up. "
        "Both hands are visible in the frame. Stationary camera."
    )
    assert compose("pour", "spray_bottle", "both", "bowl", person="A woman").startswith(
        "A woman lifts the spray bottle with both hands and pours from it into the bowl. Both hands"
    )


@pytest.mark.parametrize("hand", ["left", "right", "both"])
@pytest.mark.parametrize("action", PHRASES)
def test_what_the_table_says_is_understood_again(action, hand):
    intent = parse_prompt(compose(action, "can", hand, "bowl"), THINGS)
    assert (intent.action, intent.thing, intent.assumed) == (action, "can", ())
    assert intent.target == ("bowl" if PHRASES[action].needs_target else None)
    other = {"left": "right", "right": "left"}
    hands = {"both": ("left", "right")}.get(hand) or ((hand, other[hand]) if action == "hand_over" else (hand,))
    assert intent.hands == hands


def test_an_action_without_its_target_or_without_a_phrase_is_refused():
    with pytest.raises(ConfigError, match="needs a second thing"):
        compose("pour", "can")
    with pytest.raises(ConfigError, match="no phrase for 'juggle'") as e:
        compose("juggle", "can")
    assert "hand_over" in e.value.valid


def test_the_closing_stands_once():
    once = complete_prompt("  A person waves\n the can ")
    assert once == f"A person waves the can. {CLOSING}"
    assert complete_prompt(once) == once
    assert complete_prompt("He waves. Stationary camera.").count("Stationary camera") == 1


def test_a_language_model_is_a_function_of_the_request():
    asked = []

    def ask(text: str) -> str:
        asked.append(text)
        return '"A person lifts the can with the left hand."\n'

    assert rewrite_prompt("lift it", THINGS, ask) == f"A person lifts the can with the left hand. {CLOSING}"
    assert asked == [rewrite_request("lift it", THINGS)]
    assert "can, bowl, spray bottle" in asked[0] and "lift it" in asked[0]
    with pytest.raises(ConfigError, match="answered with nothing"):
        rewrite_prompt("lift it", THINGS, lambda _: " \n")


def test_a_language_model_may_be_a_program(tmp_path):
    program = tmp_path / "model.py"
    program.write_text(
        "import sys\ntext = sys.stdin.read()\nprint('A person lifts the', 'can' if 'can' in text else '?')"
    )
    assert rewrite_prompt("x", THINGS, by_command(f"{sys.executable} {program}")).startswith("A person lifts the can. ")
    program.write_text("import sys\nsys.exit('no such model')")
    with pytest.raises(VideoError, match="exit code 1:\nno such model"):
        rewrite_prompt("x", THINGS, by_command(f"{sys.executable} {program}"))
    with pytest.raises(ConfigError, match="'absent-model' cannot be started"):
        by_command("absent-model")("x")
