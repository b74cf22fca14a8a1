"""What a prompt asks for: action, object, target, and the contact pairs that the HOI loss needs (DeVI A.4, A.6).

Only two places of a sentence are checked against the scene: what is acted on, and where it goes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from devi_jax.core.errors import ConfigError
from perception.contracts.hand import Side
from perception.generate.prompt import PHRASES

ARTICLES = frozenset("the a an his her their its this that".split())
ENDS = frozenset(
    "with using by and then while into onto on in over to at from off of up down for beside behind under near next "
    "towards toward against above across along before after until slowly carefully gently upwards upward again twice "
    "as".split()
)
"""Words that end a noun phrase."""

TOWARDS = frozenset("into onto on in over to at towards toward against upon above".split())
ASIDE = frozenset("beside behind under near next by past between of".split())
"""What follows these is neither acted on nor a target."""

ELSEWHERE = frozenset(
    "table desk floor ground head mouth lips face air chest body hand hands finger fingers palm arm arms side left "
    "right front back edge middle centre center end place spot motion movement manner way direction frame camera top "
    "height level viewer eye eyes ear lap other shoulder shoulders knee knees view sip drink hold it".split()
)
POURED = frozenset("water tea coffee milk juice contents content liquid drink wine beer oil sauce".split())


@dataclass(frozen=True)
class PromptIntent:
    """`action` is a key of `PHRASES` or empty; `thing` and `target` are names in the scene; `hands` in order of use.

    `assumed` says what the prompt left open and how that was filled.
    """

    action: str
    thing: str
    hands: tuple[Side, ...]
    target: str | None = None
    assumed: tuple[str, ...] = ()

    @property
    def contact_pairs(self) -> tuple[tuple[str, str], ...]:
        """(body part, object): what the HOI loss draws together."""
        return tuple((f"{hand} hand", self.thing) for hand in self.hands)

    @property
    def holders(self) -> Literal["left", "right", "both"]:
        """The hands as contact labelling names them."""
        return "both" if len(self.hands) == 2 else self.hands[0]

    @property
    def summary(self) -> str:
        """Action, target and contact pairs in one line."""
        goal = f" -> {self.target}" if self.target else ""
        pairs = ", ".join(f"{part} x {thing}" for part, thing in self.contact_pairs)
        return f"{self.action or 'no action of the table'} {self.thing}{goal}; contact pairs: {pairs}"


def parse_prompt(prompt: str, things: Mapping[str, tuple[str, ...]], default_hand: Side = "right") -> PromptIntent:
    """Read a prompt against the scene: `things` maps names to other words for the same thing (its model's name).

    Raises:
        ConfigError: the prompt acts on, or aims at, something that is not in the scene, or on nothing.
    """
    text = _without_closing(prompt.lower())
    action = next((name for name, phrase in PHRASES.items() if re.search(rf"\b(?:{phrase.heard})", text)), "")
    phrases = _noun_phrases(text)
    found = [(before, _which(words, things, prompt), words) for before, words in phrases]
    missing = [
        " ".join(words)
        for before, name, words in found
        if name is None and words[-1] not in ELSEWHERE | POURED and (before in TOWARDS or before == "verb")
    ]
    thing, target = _roles([(before, name) for before, name, _ in found if name], action)
    if missing or thing is None:
        said = f"there is no '{missing[0]}' in the scene" if missing else "the prompt acts on nothing in the scene"
        names = ", ".join(name.replace("_", " ") for name in things)
        raise ConfigError(said, where=f"--prompt={prompt!r}", valid=f"what is there: {names or 'nothing'}")
    hands, assumed = _hands(text, default_hand)
    return PromptIntent(action, thing, hands, target, assumed)


def _roles(mentions: list[tuple[str, str]], action: str) -> tuple[str | None, str | None]:
    """Which thing is acted on and which is the goal, from (what stands before it, its name) in order."""
    if action == "hammer":
        # "hits the box with the hammer": the tool is held, the other one is hit
        tool = next((name for before, name in mentions if before in ("with", "using")), None)
        thing = tool or next((name for _, name in mentions), None)
        return thing, next((name for before, name in mentions if name != thing and before not in ASIDE), None)
    thing = next((name for before, name in mentions if before not in TOWARDS | ASIDE), None)
    return thing, next((name for before, name in mentions if name != thing and before in TOWARDS), None)


def _without_closing(text: str) -> str:
    """Without the sentences about camera and frame, which name hands that need not touch anything."""
    about = r"\bvisible\b|\b(stationary|static|fixed|still) camera\b|\bthe camera (is|stays|remains|does|holds)\b"
    return " ".join(part for part in re.split(r"(?<=[.!?])\s+", text) if not re.search(about, part))


def _noun_phrases(text: str) -> list[tuple[str, list[str]]]:
    """(what stands before it, its words) of each phrase with an article: "verb", or the last preposition."""
    verbs = re.compile("|".join(rf"(?:{phrase.heard})" for phrase in PHRASES.values()))
    tokens = re.findall(r"[\w'-]+|[.,;:!?]", text)
    out, before, acting, i = [], "", False, 0
    while i < len(tokens):
        token = tokens[i]
        i += 1
        if token in ARTICLES:
            words = []
            while i < len(tokens) and tokens[i] not in ENDS and re.match(r"\w", tokens[i]):
                if words and verbs.fullmatch(tokens[i]):
                    break
                words.append(tokens[i])
                i += 1
            if words:
                out.append((before or ("verb" if acting else ""), words))
            before = ""
        elif verbs.match(token):
            before, acting = "", True
        elif token in ENDS | TOWARDS | ASIDE:
            # "picks up the can", "takes hold of it": the particle of a verb is no preposition
            particle = token in ("up", "down", "and", "then") or (before == "next" and token == "to")
            before = before if particle else token
        elif token in ".,;:!?":
            before, acting = "", False
    return out


def _which(words: list[str], things: Mapping[str, tuple[str, ...]], prompt: str) -> str | None:
    """The thing that a noun phrase means: the longest label found in it, else labels that share its last word."""
    said = [_singular(word) for word in words]
    whole: dict[str, int] = {}
    last = set()
    for name, others in things.items():
        for label in (name, *others):
            parts = [_singular(part) for part in re.split(r"[\s_-]+", label.lower()) if part and not part.isdigit()]
            if parts and any(said[k : k + len(parts)] == parts for k in range(len(said))):
                whole[name] = max(whole.get(name, 0), len(parts))
            if parts and parts[-1] == said[-1]:
                last.add(name)
    fits = [name for name, n in whole.items() if n == max(whole.values())] or sorted(last)
    if len(fits) > 1:
        raise ConfigError(
            f"'{' '.join(words)}' may be {' or '.join(fits)}",
            where=f"--prompt={prompt!r}",
            valid="a name that only one has",
        )
    return fits[0] if fits else None


def _hands(text: str, default: Side) -> tuple[tuple[Side, ...], tuple[str, ...]]:
    """Hands that take part, in order: those after with, using, in, to; else those named at all; else the default."""
    if re.search(r"\b(both|two) hands\b", text):
        return ("left", "right"), ()
    using = re.findall(r"\b(?:with|using|by|in|into|to)\s+(?:the |his |her |their )?(left|right)(?= hand|,| and)", text)
    named = using or re.findall(r"\b(left|right)(?= hand)", text)
    sides = tuple(dict.fromkeys(side for side in named))
    if (
        re.search(r"\bother hand\b", text)
        and len(sides) == 1
        and re.search(r"\bto (the|his|her|their) other hand", text)
    ):
        sides = (*sides, "left" if sides[0] == "right" else "right")
    if sides:
        return sides, ()  # type: ignore[return-value]
    return (default,), (f"the prompt names no hand: the {default} hand is assumed",)


def _singular(word: str) -> str:
    word = word.removesuffix("'s")
    if word.endswith(("xes", "ches", "shes", "sses")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
