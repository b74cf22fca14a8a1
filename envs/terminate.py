"""Early termination (DeVI A.10): an episode that lost the body, the fingertips or the object is not worth its time."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from devi_jax.core.frame import Frame, Target
from envs.config import TerminationConfig
from envs.terms.object import object_2d_mean

_BODY = slice(0, 22)


def failed(
    frame: Frame, target: Target, bounds: TerminationConfig, leniency: float | Float[Array, ""] = 1.0
) -> Bool[Array, ""]:
    """Whether any bound is exceeded: mean or any 3D body joint, mean fingertip, mean 2D object point (Eq. 22).

    `leniency` is a factor on all bounds. A simulation that is not a number any more is within no bound, not even an
    infinite one.
    """
    body = jnp.sqrt(jnp.sum((frame.position[_BODY] - target.position[_BODY]) ** 2, axis=-1))
    tips = jnp.sqrt(jnp.sum((frame.tips - target.tips) ** 2, axis=-1))
    within = (jnp.mean(body) <= leniency * bounds.mean_m) & (jnp.max(body) <= leniency * bounds.any_m)
    within = within & (jnp.mean(tips) <= leniency * bounds.tips_m)
    if target.points_px is not None and frame.object_position is not None:
        within = within & (object_2d_mean(frame, target) <= leniency * bounds.pixels)
    return ~within
