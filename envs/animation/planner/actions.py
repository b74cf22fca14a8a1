"""What a scripted human does with the manipulated thing: one small record a verb, durations follow from distances."""

from dataclasses import dataclass, fields
from typing import Any

from devi_jax.core.errors import SceneError

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Lift:
    """Take the thing and hold it `height_m` higher."""

    height_m: float = 0.2


@dataclass(frozen=True)
class PlaceAt:
    """Take the thing, set it down at `target`, let go: the name of another thing to stand on, or a support point
    (x, y, z) in metres. It is carried `clearance_m` over what is in between."""

    target: str | Point
    clearance_m: float = 0.08


@dataclass(frozen=True)
class Pour:
    """Tilt the thing by `tilt_deg`, its upper rim over `target`, the name of another thing or a point; and back."""

    target: str | Point
    tilt_deg: float = 85.0


@dataclass(frozen=True)
class Drink:
    """Bring the thing's rim to the mouth, tilt it by `tilt_deg` about the lips, lower it a little."""

    tilt_deg: float = 45.0


@dataclass(frozen=True)
class Push:
    """Lay a flat hand (or both) on the thing and push it by `shift_m` (x, y) over its support."""

    shift_m: tuple[float, float] = (-0.12, 0.0)


@dataclass(frozen=True)
class Wear:
    """Put the thing on the head, as far as it goes and `sink_m` farther, for hair and felt give way."""

    sink_m: float = 0.005


@dataclass(frozen=True)
class Strike:
    """Take the thing by its handle and hit `target` with its far end `repeats` times, stopping `short_m` above it."""

    target: str | Point
    repeats: int = 2
    short_m: float = 0.02


@dataclass(frozen=True)
class HandOver:
    """Take the thing with one hand, give it to the other before the body; the first hand lets go and goes away."""

    height_m: float = 0.2


@dataclass(frozen=True)
class Follow:
    """Take the thing and move it through `poses`, positions and quaternions of 30 a second, as they lead away from the
    first: it begins where it stands."""

    poses: tuple[tuple[float, ...], ...]


Action = Lift | PlaceAt | Pour | Drink | Push | Wear | Strike | HandOver | Follow

ACTIONS: dict[str, type[Action]] = {
    "lift": Lift,
    "place": PlaceAt,
    "pour": Pour,
    "drink": Drink,
    "push": Push,
    "wear": Wear,
    "hammer": Strike,
    "hand_over": HandOver,
}
"""Verbs as a user writes them."""


def make_action(verb: str, **numbers: Any) -> Action:
    """The action of a verb; `numbers` are the fields of its record.

    Raises `SceneError` for an unknown verb, an unknown or a missing field (a target, where the verb needs one).
    """
    if verb not in ACTIONS:
        raise SceneError(f"there is no action '{verb}'", where="action", valid=", ".join(ACTIONS))
    kind = ACTIONS[verb]
    known = {field.name for field in fields(kind)}
    try:
        return kind(**numbers)
    except TypeError as error:
        missing = "a target: the name of another thing, or x,y,z" if "target" in known - set(numbers) else ""
        raise SceneError(
            f"the action '{verb}' cannot have exactly {', '.join(numbers) or 'nothing'}",
            where="action",
            valid=missing or ", ".join(sorted(known)),
        ) from error
