"""How a body's mass is spread: every anatomical segment has its anthropometric share, uniform within it.

So the mass is right for any body, though its shapes overlap at the joints.
"""

from devi_jax.core.skeleton import JOINTS
from envs.embodiments.human.body import Body
from envs.embodiments.human.geoms import shapes

_SEGMENTS = {
    "hand": ("wrist", "index", "middle", "pinky", "ring", "thumb"),
    "forearm": ("elbow",),
    "upper_arm": ("shoulder",),
    "foot": ("ankle", "foot"),
    "shank": ("knee",),
    "thigh": ("hip",),
    "head": ("head", "neck"),
    "trunk": ("pelvis", "spine", "collar"),
}

_SHARES = {
    "hand": 2 * 0.006,
    "forearm": 2 * 0.016,
    "upper_arm": 2 * 0.028,
    "foot": 2 * 0.0145,
    "shank": 2 * 0.0465,
    "thigh": 2 * 0.100,
    "head": 0.081,
    "trunk": 0.497,
}
"""Share of each segment, both sides together, in the body's mass: Winter, Biomechanics and Motor Control of Human
Movement, 4th ed., Table 4.1."""


def segment(name: str) -> str:
    """The anthropometric segment that a body belongs to, without its side."""
    return next(s for s, parts in _SEGMENTS.items() if any(part in name for part in parts))


def densities(body: Body) -> dict[str, float]:
    """kg/m^3 of every body, such that each segment has its anthropometric share of `body.mass_kg`."""
    volumes = dict.fromkeys(_SEGMENTS, 0.0)
    for name in JOINTS:
        volumes[segment(name)] += sum(shape.volume for shape in shapes(body, name))
    by_segment = {s: body.mass_kg * _SHARES[s] / volumes[s] for s in _SEGMENTS}
    return {name: by_segment[segment(name)] for name in JOINTS}
