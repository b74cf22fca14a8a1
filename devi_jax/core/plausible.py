"""Things that a person can handle: what lies far outside is a wrong unit, and is refused with its numbers."""

import numpy as np

from devi_jax.core.errors import SceneError
from devi_jax.core.scene import ObjectSpec

LENGTH_M = (0.02, 3.0)
"""The longest side of a thing that hands move."""
HEAVIEST_KG = 50.0
"""More than one person lifts."""
UNIT_M = 0.5
"""Meshes that are generated or downloaded are often about one unit long, whatever they show."""
UNITS = (("millimetres", 0.001), ("centimetres", 0.01), ("inches", 0.0254))


def longest_side_m(spec: ObjectSpec) -> float:
    """Of the box around the object, along its own axes."""
    match spec.shape:
        case "box":
            return max(spec.size)
        case "sphere":
            return 2 * spec.size[0]
        case "can":
            return max(2 * spec.size[0], spec.size[1])
        case "mesh":
            assert spec.mesh is not None  # validate() raised otherwise
            return float(np.ptp(spec.mesh.vertices, axis=0).max())


def check_handled(spec: ObjectSpec, where: str) -> None:
    """Raise `SceneError` with length and mass unless a person can handle the object; `spec` is valid.

    Where another unit would explain the length, the error names it.
    """
    length, mass = longest_side_m(spec), spec.mass_kg
    told = f"the object is {_metres(length)} long and weighs {mass:.3g} kg"
    valid = f"{LENGTH_M[0]:g} to {LENGTH_M[1]:g} m long and at most {HEAVIEST_KG:g} kg"
    if length > LENGTH_M[1]:
        unit = next(((name, by) for name, by in UNITS if LENGTH_M[0] <= by * length <= LENGTH_M[1]), None)
        by = f"{unit[1]:g} if it is in {unit[0]}" if unit else f"{0.2 / length:.2g}"
        raise SceneError(f"{told}: too long", where=where, valid=valid, fix=f"units are metres: scale by {by}")
    if length < LENGTH_M[0]:
        fix = f"units are metres: scale by {0.1 / length:.2g} makes it 10 cm"
        raise SceneError(f"{told}: too small for a hand", where=where, valid=valid, fix=fix)
    if mass > HEAVIEST_KG:
        smaller = f"; scale by {0.2 / length:.2g} makes it 20 cm, if its mesh is in units of its own"
        fix = "give its mass in kg" + (smaller if length > UNIT_M else "")
        raise SceneError(f"{told}: heavier than a person lifts", where=where, valid=valid, fix=fix)


def _metres(length: float) -> str:
    return f"{length:.3g} m" if length >= 0.1 else f"{1e3 * length:.3g} mm"
