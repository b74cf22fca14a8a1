"""Observation tokens as one vector, for learners that know no names: tokens in alphabetical order, end to end.

Where actor and critic see different tokens, these are the actor's.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from devi_jax.core.environment import Environment, Observation, group


def slices(environment: Environment) -> dict[str, slice]:
    """Where each token lies in the vector, e.g. `{"goal": slice(0, 468), "human": slice(468, 1246), ...}`."""
    start, out = 0, {}
    for name, size in sorted(group(environment.observation_sizes, "actor").items()):
        out[name] = slice(start, start + size)
        start += size
    return out


def flat_size(environment: Environment) -> int:
    """Length of the vector."""
    return sum(group(environment.observation_sizes, "actor").values())


def flatten(observation: Observation) -> Float[Array, "*B O"]:
    """The vector of an observation with any leading dimensions."""
    tokens = group(observation, "actor")
    return jnp.concatenate([tokens[name] for name in sorted(tokens)], axis=-1)
