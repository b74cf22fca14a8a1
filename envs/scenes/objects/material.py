"""What things are made of: density and friction.

Friction is that of fingers, on which a grasp depends: palm on aluminium 0.38, smooth vinyl 0.53, suede 0.39-0.66, paper
0.27-0.42 (Buchholz, Frederick and Armstrong 1988, Ergonomics 31(3)); finger pad on aluminium 0.6 and rubber 0.9, more
under a light touch (Seo et al. 2009, Ergonomics 52(5)). A light touch counts here: values lie at the upper end.
Densities: CRC Handbook of Chemistry and Physics; fruit: FAO/INFOODS; what is mostly air (cardboard, felt, foam,
electronics in their case): from masses of common goods.
"""

from dataclasses import dataclass

from devi_jax.core.errors import SceneError, did_you_mean


@dataclass(frozen=True)
class Material:
    """`density_kg_m3` of what is solid; sliding `friction` against whatever it meets."""

    density_kg_m3: float
    friction: float


MATERIALS: dict[str, Material] = {
    "aluminium": Material(2700.0, 0.8),
    "steel": Material(7850.0, 0.7),
    "glass": Material(2500.0, 0.8),
    "ceramic": Material(2300.0, 0.8),
    "plastic": Material(1050.0, 0.8),
    "rubber": Material(1100.0, 1.1),
    "wood": Material(650.0, 0.8),
    "paper": Material(800.0, 0.6),
    "cardboard": Material(120.0, 0.7),
    "felt": Material(200.0, 0.9),
    "leather": Material(950.0, 0.9),
    "foam": Material(60.0, 1.0),
    "fruit": Material(900.0, 0.8),
    "electronics": Material(1800.0, 0.8),
}
"""By name; `cardboard` is of a closed box with something light inside."""


def find_material(name: str, where: str) -> Material:
    """The material called `name`; raises `SceneError` that lists what there is."""
    if name not in MATERIALS:
        raise SceneError(
            f"unknown material '{name}'{did_you_mean(name, MATERIALS)}", where=where, valid=", ".join(MATERIALS)
        )
    return MATERIALS[name]
