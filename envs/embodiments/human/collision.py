"""Who touches whom, and how: contact bits and contact parameters.

No part of the body collides with another: fingers may close over each other.
"""

from typing import Any, Literal

from devi_jax.core.skeleton import joint_class
from envs.embodiments.collision_bits import FLOOR, OBJECT, TABLE

Touch = Literal["hands", "all"]
"""Which parts meet the object: `hands` (with forearms), or `all` for large objects that stand on the floor."""


_FALLS_ON = ("pelvis", "spine3", "head", "shoulder", "elbow", "knee")


def meets(name: str, touch: Touch) -> int:
    """The `conaffinity` bits of a body's geoms.

    Hands and forearms meet table and object. The floor carries the feet, and after a fall trunk, head and limbs: few
    geoms, since an engine with static sizes pays for each at every step.
    """
    floor = FLOOR if any(part in name for part in ("ankle", "foot", *_FALLS_ON)) else 0
    if joint_class(name) in ("finger", "wrist") or "elbow" in name:
        return floor | TABLE | OBJECT
    return floor | (OBJECT if touch == "all" else 0)


def contact_parameters(name: str) -> dict[str, Any]:
    """Geom attributes that make a grasp hold under an elliptic cone: torsional friction for hands, stiff contacts."""
    return {
        "condim": 3 if "ankle" in name or "foot" in name else 4,
        "friction": [1.0, 0.01, 0.0001],
        "solref": [0.01, 1.0],
        "solimp": [0.9, 0.95, 0.001, 0.5, 2.0],
    }
