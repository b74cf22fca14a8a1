"""What a person looks like, as plain data: skin, face, hair, clothes. Colours are RGB in [0, 1], lengths metres."""

from dataclasses import dataclass
from typing import Literal

from devi_jax.core.errors import SceneError

Colour = tuple[float, float, float]
Pattern = Literal["plain", "stripes", "checks", "denim"]


@dataclass(frozen=True)
class Cloth:
    """A fabric: `accent` is the pattern's second colour, `period_m` its repeat, `loose_m` its distance off the skin."""

    colour: Colour
    accent: Colour = (1.0, 1.0, 1.0)
    pattern: Pattern = "plain"
    period_m: float = 0.04
    loose_m: float = 0.008


@dataclass(frozen=True)
class Top:
    """A shirt. `sleeve`: 0 ends at the shoulder, 1 at the elbow, 2 at the wrist; `hem_m` below the hip joints."""

    cloth: Cloth
    sleeve: float = 0.55
    hem_m: float = 0.0
    trim: Colour | None = None  # of collar and cuffs
    buttons: bool = False


@dataclass(frozen=True)
class Trousers:
    """`leg`: 0 ends at the hip, 1 at the knee, 2 at the ankle. A belt shows where the top ends above the waist."""

    cloth: Cloth
    leg: float = 2.0
    belt: Colour = (0.16, 0.10, 0.06)


@dataclass(frozen=True)
class Shoes:
    """Upper and sole."""

    colour: Colour = (0.12, 0.12, 0.13)
    sole: Colour = (0.85, 0.85, 0.83)


@dataclass(frozen=True)
class Hair:
    """On the head, and how dark the shadow of a beard is (0 to 1). `cap`: worn over the hair, with a brim."""

    colour: Colour = (0.13, 0.09, 0.06)
    length: Literal["short", "long"] = "short"
    beard: float = 0.0
    cap: Colour | None = None


@dataclass(frozen=True)
class Appearance:
    """A person. `figure`: one of `envs.embodiments.human.skin.FIGURES`."""

    name: str
    figure: str
    skin: Colour
    hair: Hair
    top: Top
    trousers: Trousers
    shoes: Shoes = Shoes()
    iris: Colour = (0.25, 0.16, 0.09)


_JEANS = Cloth((0.17, 0.23, 0.36), (0.34, 0.42, 0.56), "denim", loose_m=0.008)

APPEARANCES: tuple[Appearance, ...] = (
    Appearance(
        "casual",
        "man",
        (0.86, 0.66, 0.55),
        Hair((0.20, 0.13, 0.08), beard=0.25),
        Top(Cloth((0.16, 0.42, 0.46)), trim=(0.11, 0.30, 0.34)),
        Trousers(_JEANS),
        Shoes((0.75, 0.75, 0.74), (0.93, 0.93, 0.92)),
        iris=(0.23, 0.36, 0.46),
    ),
    Appearance(
        "stripes",
        "woman",
        (0.90, 0.72, 0.61),
        Hair((0.32, 0.18, 0.09), "long"),
        Top(Cloth((0.93, 0.92, 0.89), (0.15, 0.20, 0.38), "stripes", 0.042, 0.006), sleeve=1.35),
        Trousers(Cloth((0.19, 0.20, 0.24), loose_m=0.006)),
        Shoes((0.55, 0.18, 0.16), (0.92, 0.91, 0.88)),
        iris=(0.22, 0.33, 0.22),
    ),
    Appearance(
        "checks",
        "tall_man",
        (0.42, 0.27, 0.19),
        Hair((0.05, 0.04, 0.04), beard=0.5),
        Top(Cloth((0.70, 0.20, 0.17), (0.13, 0.13, 0.17), "checks", 0.075, 0.011), 1.90, buttons=True),
        Trousers(Cloth((0.62, 0.54, 0.41), loose_m=0.010)),
        Shoes((0.33, 0.20, 0.11), (0.14, 0.10, 0.08)),
        iris=(0.16, 0.09, 0.05),
    ),
    Appearance(
        "worker",
        "man",
        (0.74, 0.53, 0.40),
        Hair((0.08, 0.06, 0.05), cap=(0.80, 0.33, 0.12), beard=0.4),
        Top(Cloth((0.58, 0.60, 0.60), loose_m=0.010), sleeve=0.6, hem_m=-0.10),
        Trousers(Cloth((0.24, 0.26, 0.22), loose_m=0.011)),
        Shoes((0.45, 0.31, 0.17), (0.10, 0.09, 0.08)),
    ),
    Appearance(
        "summer",
        "woman",
        (0.55, 0.37, 0.27),
        Hair((0.07, 0.05, 0.04), "long"),
        Top(Cloth((0.93, 0.76, 0.28), loose_m=0.006), sleeve=0.40, trim=(0.98, 0.90, 0.62)),
        Trousers(_JEANS, leg=0.85),
        Shoes((0.92, 0.92, 0.91), (0.80, 0.80, 0.79)),
    ),
)
"""The people that come with the project; the first is the default."""


def appearance(name: str = "casual") -> Appearance:
    """The bundled appearance of that name. Raises `SceneError` if there is none."""
    for person in APPEARANCES:
        if person.name == name:
            return person
    raise SceneError(
        f"there is no appearance '{name}'",
        where="human.appearance",
        valid=", ".join(person.name for person in APPEARANCES),
    )
