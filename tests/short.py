"""A bundled clip cut short, so that rollouts in it are."""

from dataclasses import replace

import jax
import jax.numpy as jnp

from envs.tracking.env import TrackingEnvironment
from envs.tracking.motion_library import TIMELESS, make_library


def cut(environment: TrackingEnvironment, first: int, stop: int, pre_contact: int = 15) -> TrackingEnvironment:
    """The environment of some frames of its only clip."""
    whole, onset = environment.reference, int(environment.library.onset[0])
    fixed = {name: getattr(whole, name) for name in TIMELESS}
    timed = jax.tree.map(lambda x: jnp.asarray(x)[first:stop], replace(whole, **dict.fromkeys(fixed)))
    library = make_library([replace(timed, **fixed)], [max(0, onset - first)], [pre_contact])
    return replace(environment, library=library, planned=None)
