"""The sentence a video generator gets: DeVI's template (A.4), filled by hand, from a table, or by a language model."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from devi_jax.core.errors import ConfigError
from perception.tools.subprocesses import arguments, run

Hand = Literal["left", "right", "both"]
Ask = Callable[[str], str]
"""A language model: takes a request, gives a text."""

CLOSING = "Both hands are visible in the frame. Stationary camera."
"""How every prompt ends (A.4). A distilled model ignores negative prompts: this one has to hold the camera still."""

NEGATIVE = (
    "camera motion, pan, tilt, zoom, dolly, shaky camera, cut, scene change, blurred hands, fused fingers, extra "
    "fingers, extra limbs, deformed object, object changing shape, text, subtitles, worst quality, JPEG artifacts"
)


@dataclass(frozen=True)
class Phrase:
    """How an action is said: `does` (the object), with a hand, `then`; `{target}` may stand in both.

    `heard` is a regular expression that finds the action in a sentence.
    """

    does: str
    then: str
    heard: str

    @property
    def needs_target(self) -> bool:
        """Whether the sentence names a second thing."""
        return "{target}" in self.does + self.then


PHRASES: dict[str, Phrase] = {
    "pour": Phrase("lifts", "and pours from it into {target}", r"pour(s|ing)?\b|tilt(s|ing)?\b"),
    "drink": Phrase("lifts", "to the mouth and drinks from it", r"drink(s|ing)?\b|sip(s|ping)?\b"),
    "wear": Phrase(
        "takes",
        "and puts it on the head",
        r"wear(s|ing)?\b|(puts?|places?|sets?)\b[^.]*\bon(to)? (the|his|her|their) head",
    ),
    "hand_over": Phrase(
        "takes",
        "and hands it over to the other hand",
        r"(?<!both )(?<!two )(?<!left )(?<!right )"
        r"(hands?|pass(es)?|gives?|handing|passing)\b (it |the [\w -]+? )?(over|to)\b",
    ),
    "hammer": Phrase(
        "takes",
        "and strikes {target} with it twice",
        r"hammers\b|hammering|str(ikes?|iking)\b|hits?\b|hitting|pounds?\b",
    ),
    "push": Phrase("pushes", "over the table", r"push(es|ing)?\b|slid(es?|ing)\b|shov(es?|ing)\b"),
    "place": Phrase(
        "picks up",
        "and places it on {target}",
        r"plac(es?|ing)\b|puts?\b|putting|sets?\b.*\b(down|on|onto)\b|stacks?\b|moves?\b",
    ),
    "lift": Phrase(
        "lifts",
        "and holds it up",
        r"lift(s|ing)?\b|pick(s|ing)?\b|rais(es?|ing)\b|grabs?\b|grasps?\b|takes?\b|holds?\b|brings?\b|carr(y|ies)\b",
    ),
}
"""Actions from the most telling to the least: who pours also lifts."""


def compose(
    action: str, thing: str, hand: Hand = "right", target: str = "", detail: str = "", person: str = "A person"
) -> str:
    """The template filled: "PERSON [action] [object] with [hand index] [detail]. Both hands are visible ..." (A.4).

    `thing` and `target` are names as in the scene; underscores become spaces. `detail` replaces the table's.

    Raises:
        ConfigError: an unknown action, or one that needs a target and has none.
    """
    if action not in PHRASES:
        raise ConfigError(f"there is no phrase for '{action}'", where="--action", valid=", ".join(PHRASES))
    phrase = PHRASES[action]
    if phrase.needs_target and not target and not detail:
        raise ConfigError(f"'{action}' needs a second thing", where="--target", valid="a thing of the scene")
    hands = "both hands" if hand == "both" else f"the {hand} hand"
    then = detail or phrase.then.format(target=_spoken(target))
    return complete_prompt(f"{person} {phrase.does} {_spoken(thing)} with {hands} {then}")


def complete_prompt(sentence: str) -> str:
    """`sentence` on one line, with the closing sentences that it lacks."""
    text = re.sub(r"\s+", " ", sentence).strip().strip("\"'").strip()
    text = text if text.endswith((".", "!", "?")) else f"{text}."
    for part in re.findall(r"[^.]+\.", CLOSING):
        key = part.strip()
        if key.rstrip(".").lower() not in text.lower():
            text = f"{text} {key}"
    return text


def rewrite_prompt(idea: str, things: Iterable[str], ask: Ask) -> str:
    """A prompt that a language model writes for `idea` in a scene with `things`.

    Raises:
        ConfigError: it answers with nothing.
    """
    answer = ask(rewrite_request(idea, things)).strip()
    if not answer:
        raise ConfigError("the language model answered with nothing", where="--llm", valid="one sentence on stdout")
    return complete_prompt(answer)


def rewrite_request(idea: str, things: Iterable[str]) -> str:
    """What a language model is asked for."""
    names = ", ".join(name.replace("_", " ") for name in things)
    return (
        "Write the prompt for an image-to-video model that shows one person handling an object.\n"
        f"Things in the scene: {names}. Name no other thing.\n"
        f"What should happen: {idea}\n"
        "Fill in this template and answer with the result alone, on one line:\n"
        f"A person [action] [object] with [the left hand | the right hand | both hands] [detail]. {CLOSING}\n"
        "The detail says how the motion goes on and what the hand that does not take part does. One take, no cut.\n"
    )


def by_command(command: str, timeout_s: float = 120.0) -> Ask:
    """A language model that is a program: it reads the request on stdin and prints the prompt."""
    return lambda text: run(arguments(command, {}, "--llm"), "--llm", stdin=text, timeout_s=timeout_s)


def _spoken(name: str) -> str:
    return f"the {name.replace('_', ' ')}" if name else ""
