"""Whether hands can get to a place at all: arms on a trunk that leans and legs that bend. A bound, not a plan."""

import numpy as np

from devi_jax.core.scene_file import SceneHuman
from devi_jax.core.skeleton import INDEX, PARENTS, SIDES
from envs.embodiments.human import Body

LEAN_DEG = 60.0
"""How far a trunk leans from the hips while the feet stay."""
CROUCH = 0.6
"""How far the pelvis sinks, in heights of the pelvis."""
PALM_M = 0.09
"""From the wrist to the middle of the palm."""


def reach_m(body: Body, human: SceneHuman, point: np.ndarray) -> float:
    """How far a point (3,) in the world is beyond the reach of the nearer hand, metres; negative within reach.

    The trunk leans from the pelvis towards the point by up to `LEAN_DEG`, the pelvis sinks by up to `CROUCH` over feet
    that stay; arms are straight at most.
    """
    scale = human.shape if isinstance(human.shape, (int, float)) else 1.0
    yaw = np.radians(human.yaw_deg)
    to = np.asarray(point, float) - [*human.position, 0.0]
    to = (
        np.array([np.cos(yaw) * to[0] + np.sin(yaw) * to[1], -np.sin(yaw) * to[0] + np.cos(yaw) * to[1], to[2]]) / scale
    )
    ahead = to[:2] / max(float(np.linalg.norm(to[:2])), 1e-9)
    lean, sunk = np.meshgrid(np.radians(np.linspace(0, LEAN_DEG, 13)), np.linspace(0, CROUCH, 13))
    distances = []
    for side in SIDES:
        shoulder = _offset(body, f"{side}_shoulder")
        arm = sum(float(np.linalg.norm(body.offsets[INDEX[f"{side}_{part}"]])) for part in ("elbow", "wrist")) + PALM_M
        at = np.stack(
            [
                shoulder[0] + ahead[0] * np.sin(lean) * shoulder[2],
                shoulder[1] + ahead[1] * np.sin(lean) * shoulder[2],
                body.pelvis_m * (1 - sunk) + np.cos(lean) * shoulder[2],
            ],
            axis=-1,
        )
        distances.append(float(np.linalg.norm(at - to, axis=-1).min()) - arm)
    return scale * min(distances)


def _offset(body: Body, joint: str) -> np.ndarray:
    """A joint from the pelvis in the T-pose, (3,) metres."""
    i, out = INDEX[joint], np.zeros(3)
    while PARENTS[i] >= 0:
        out, i = out + body.offsets[i], PARENTS[i]
    return out
