"""Everything learning needs to go on bit-identically, and nothing else; a checkpoint is a `TrainState`."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from devi_jax.core.environment import Observation


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Episodes:
    """Undiscounted return and length (in steps) of each environment's running and last finished episode.

    `last_lengths` is 0 where no episode has finished yet.
    """

    returns: Float[Array, " N"]
    lengths: Int[Array, " N"]
    last_returns: Float[Array, " N"]
    last_lengths: Int[Array, " N"]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class TrainState:
    """State of the learner and of its N environments between two iterations.

    `algorithm` is the algorithm's own state, e.g. `agents.ppo.PpoState`; `curriculum` is what the environment has
    learned of its episodes. `observation` is the raw one of `environments`, `carry` the policy's memory of their
    episodes. The number of steps so far follows from `iteration` (`Learner.environment_steps`).
    """

    algorithm: Any
    environments: Any
    curriculum: Any
    observation: Observation
    carry: Any
    episodes: Episodes
    key: PRNGKeyArray
    iteration: Int[Array, ""]


RENAMED = {
    "algorithm/actor": "actor",
    "algorithm/actor_ema": "average",
    "algorithm/critic": "critic",
    "algorithm/actor_optimiser": "actor_optimiser",
    "algorithm/critic_optimiser": "critic_optimiser",
    "algorithm/normaliser": "normaliser",
}
"""Where checkpoints of version 0.1, which were PPO's only, have the parts of a `TrainState`."""


def first_episodes(environments: int) -> Episodes:
    """No episode finished, all just begun."""
    zeros, none = jnp.zeros(environments), jnp.zeros(environments, jnp.int32)
    return Episodes(returns=zeros, lengths=none, last_returns=zeros, last_lengths=none)


def count_step(episodes: Episodes, reward: Float[Array, " N"], done: Bool[Array, " N"]) -> Episodes:
    """Add one step; episodes that are `done` become the last finished ones."""
    returns, lengths = episodes.returns + reward, episodes.lengths + 1
    return Episodes(
        returns=jnp.where(done, 0.0, returns),
        lengths=jnp.where(done, 0, lengths),
        last_returns=jnp.where(done, returns, episodes.last_returns),
        last_lengths=jnp.where(done, lengths, episodes.last_lengths),
    )
