"""Memory of a policy: carries that begin anew with each episode, and outputs re-evaluated along sequences.

A carry is a pytree; a feed-forward network's has no arrays, and all of this then costs nothing.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from devi_jax.core.environment import Observation


def reset_carry(carry: Any, done: Bool[Array, " N"], initial: Any) -> Any:
    """Carries (N, ...), where an episode is `done` replaced by the `initial` one (...)."""

    def one(carry, done):
        return jax.tree.map(lambda old, new: jnp.where(done, new, old), carry, initial)

    return jax.vmap(one)(carry, done)


def episode_starts(done: Bool[Array, "T N"]) -> Bool[Array, "T N"]:
    """Steps that follow the end of an episode; the first step goes on with what the rollout began with."""
    return jnp.concatenate([jnp.zeros_like(done[:1]), done[:-1]])


def evaluate(
    network: Callable[[Any, Any, Observation], tuple[Any, Any]],
    parameters: Any,
    initial: Any,
    carry: Any,
    observation: Observation,
    starts: Bool[Array, "B *T"],
) -> Any:
    """Outputs of a network for what was observed: one step each, or with memory along B sequences of T steps.

    `initial`: the network's carry at the beginning of an episode; `carry` (B, T, ...): those it had when it acted, of
    which only the first of each sequence is used. Gradients flow through the whole sequence.
    """
    if not jax.tree.leaves(initial):
        return network(parameters, carry, observation)[1]

    def step(carry, inputs):
        observation, start = inputs
        return network(parameters, reset_carry(carry, start, initial), observation)

    time_first = jax.tree.map(lambda x: jnp.moveaxis(x, 1, 0), (observation, starts))
    _, outputs = jax.lax.scan(step, jax.tree.map(lambda x: x[:, 0], carry), time_first)
    return jax.tree.map(lambda x: jnp.moveaxis(x, 0, 1), outputs)
