"""Early termination: an episode that lost the body, the fingertips or the object is not worth its time.

The bounds of DeVI A.10, and those of the codes of PhysHOI, SkillMimic and InterMimic.
"""

import math

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from devi_jax.core.sim_state import ReferenceState, SimState
from envs.rewards.contact import TOUCH_N, hand_contact
from envs.rewards.interaction import interaction_ratio, surface_distance
from envs.rewards.object import object_2d_mean
from envs.tracking.config import TerminationConfig

_BODY = slice(0, 22)


def failed(
    frame: SimState,
    target: ReferenceState,
    bounds: TerminationConfig,
    leniency: float | Float[Array, ""] = 1.0,
    silent: Int[Array, "2"] | None = None,
) -> Bool[Array, ""]:
    """Whether any bound is exceeded: mean or any 3D body joint, mean fingertip, mean 2D object point (Eq. 22), others.

    `leniency` is a factor on all bounds. A simulation that is not a number any more is within no bound, not even an
    infinite one. `silent`: what `silent_steps` counts.
    """
    body = jnp.sqrt(jnp.sum((frame.position[_BODY] - target.position[_BODY]) ** 2, axis=-1))
    tips = jnp.sqrt(jnp.sum((frame.tips - target.tips) ** 2, axis=-1))
    within = (jnp.mean(body) <= leniency * bounds.mean_m) & (jnp.max(body) <= leniency * bounds.any_m)
    within = within & (jnp.mean(tips) <= leniency * bounds.tips_m)
    within = within & (leniency * frame.position[0, 2] >= bounds.pelvis_m)
    if target.points_px is not None and frame.object_position is not None:
        within = within & (object_2d_mean(frame, target) <= leniency * bounds.pixels)
    if target.object_position is not None and frame.object_position is not None:
        if math.isfinite(bounds.object_m):
            within = within & (surface_distance(frame, target) <= leniency * bounds.object_m)
        if math.isfinite(bounds.interaction):
            within = within & (interaction_ratio(frame, target) <= leniency * bounds.interaction)
    if silent is not None:
        within = within & (jnp.max(silent) <= leniency * bounds.silent_steps)
    return ~within


def silent_steps(before: Int[Array, "2"], frame: SimState, target: ReferenceState) -> Int[Array, "2"]:
    """Steps in a row for which each hand that should touch the object has felt nothing. InterMimic: `contact_reset`."""
    silent = hand_contact(target) & ~jnp.any(frame.contact_n > TOUCH_N, axis=-1)
    return jnp.where(silent, before + 1, 0)
