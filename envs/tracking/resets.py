"""Where episodes start: the first frame, or the last frame before contact (DeVI A.10).

Before contact the object is still where the scene put it, so both are physical without knowing its later poses.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray

from envs.tracking.config import ResetConfig


def pre_contact_frame(onset: int, frames: int, lead: int) -> int:
    """Last frame before contact onset, at least one; 0 for a clip that begins in contact, or never touches."""
    if onset >= frames:
        return 0
    return max(0, onset - max(1, lead))


def start_frame(key: PRNGKeyArray, pre_contact: int, config: ResetConfig) -> Int[Array, ""]:
    """Draw the start frame: `pre_contact` with its probability, else 0."""
    return jnp.where(jax.random.uniform(key) < config.pre_contact, pre_contact, 0)
