"""Sentences as people write them: what is done, to what, whereto, and with which hands."""

import pytest

from devi_jax.core.errors import ConfigError
from perception.generate.parse_prompt import parse_prompt
from perception.generate.prompt import CLOSING

THINGS = {
    "can": ("soda_can",),
    "bowl": (),
    "spray_bottle": (),
    "mug": (),
    "box_2": (),
    "hat": (),
    "hammer": ("mallet",),
}


@pytest.mark.parametrize(
    ("prompt", "action", "thing", "target", "hands"),
    [
        ("A person lifts the can with the right hand", "lift", "can", None, ("right",)),
        ("A man picks up the soda can using his left hand", "lift", "can", None, ("left",)),
        ("A person picks the mug up with the left hand and drinks from it", "drink", "mug", None, ("left",)),
        (
            "She brings a mug to her mouth and takes a sip, drinking with the right hand",
            "drink",
            "mug",
            None,
            ("right",),
        ),
        (
            "A person pours water from the bottle into the bowl with the right hand",
            "pour",
            "spray_bottle",
            "bowl",
            ("right",),
        ),
        ("A person places the can into the bowl with both hands.", "place", "can", "bowl", ("left", "right")),
        ("A person sets the box down on the table with two hands.", "place", "box_2", None, ("left", "right")),
        ("A person puts the hat on her head with the right hand", "wear", "hat", None, ("right",)),
        ("A person pushes the boxes across the table with the left hand", "push", "box_2", None, ("left",)),
        ("A person hits the box with the hammer in the right hand", "hammer", "hammer", "box_2", ("right",)),
        (
            "A person takes the can with the right hand and passes it to the left hand",
            "hand_over",
            "can",
            None,
            ("right", "left"),
        ),
        (
            "A woman lifts the can with the right hand while the left hand rests on the table.",
            "lift",
            "can",
            None,
            ("right",),
        ),
        (
            "A person lifts the can next to the bowl in a smooth motion with the right hand",
            "lift",
            "can",
            None,
            ("right",),
        ),
        ("A person juggles the can with the left hand", "", "can", None, ("left",)),
    ],
)
def test_a_sentence_is_understood(prompt, action, thing, target, hands):
    intent = parse_prompt(f"{prompt.rstrip('.')}. {CLOSING}", THINGS)
    assert (intent.action, intent.thing, intent.target, intent.hands) == (action, thing, target, hands)
    assert intent.assumed == ()
    assert intent.contact_pairs == tuple((f"{hand} hand", thing) for hand in hands)


def test_contact_pairs_are_shown():
    intent = parse_prompt("A person places the can on the bowl with both hands", THINGS)
    assert intent.summary == "place can -> bowl; contact pairs: left hand x can, right hand x can"
    assert intent.holders == "both"
    assert parse_prompt("A person lifts the can with the left hand", THINGS).holders == "left"


def test_no_hand_named_is_said():
    intent = parse_prompt(f"A person lifts the can. {CLOSING}", THINGS)
    assert intent.hands == ("right",) and "right hand is assumed" in intent.assumed[0]
    assert parse_prompt("A person lifts the can", THINGS, "left").hands == ("left",)


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("A person lifts the kettle with the right hand", "no 'kettle' in the scene"),
        ("A person lifts the red kettle beside the can", "no 'red kettle' in the scene"),
        ("A person picks up the can and places it on the plate", "no 'plate' in the scene"),
        ("A person waves with the right hand", "acts on nothing in the scene"),
        ("A person lifts it", "acts on nothing in the scene"),
    ],
)
def test_what_is_not_in_the_scene_is_refused_with_what_is(prompt, said):
    with pytest.raises(ConfigError, match=said) as e:
        parse_prompt(prompt, THINGS)
    assert e.value.valid == "what is there: can, bowl, spray bottle, mug, box 2, hat, hammer"


def test_a_camera_may_be_the_thing():
    scene = {"camera": (), "can": ()}
    intent = parse_prompt(f"A person lifts the camera with the left hand. The camera stays still. {CLOSING}", scene)
    assert (intent.thing, intent.hands) == ("camera", ("left",))


def test_a_name_that_two_have_is_refused():
    with pytest.raises(ConfigError, match="may be red_box or blue_box|may be blue_box or red_box"):
        parse_prompt("A person lifts the box", {"red_box": (), "blue_box": ()})
    assert parse_prompt("A person lifts the blue box", {"red_box": (), "blue_box": ()}).thing == "blue_box"
