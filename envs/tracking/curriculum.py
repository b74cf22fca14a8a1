"""What episodes so far teach about those to come: when they fail, how lenient to be, which own states to start from.

Pure functions of a small pytree that the learner carries along.
"""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from envs.tracking.config import CurriculumConfig

AHEAD = 16
"""Steps that a state must have been followed by without failure to count as a good one to start from."""
_FADE = 0.97


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Curriculum:
    """B time bins: share of steps that failed in each, and in each the best state the policy itself has reached.

    `own_score`: mean reward of the steps after it, -inf where there is none.
    """

    failures: Float[Array, " B"]
    own: Any
    own_score: Float[Array, " B"]
    iteration: Int[Array, ""]


def first_curriculum(config: CurriculumConfig, frames: int, state: Any) -> Curriculum:
    """Nothing known yet; `state` is any one state, for its shapes."""
    bins = -(-frames // config.bin_frames)
    return Curriculum(
        failures=jnp.zeros(bins),
        own=jax.tree.map(lambda x: jnp.broadcast_to(x, (bins, *x.shape)), state),
        own_score=jnp.full(bins, -jnp.inf, jnp.float32),
        iteration=jnp.zeros((), jnp.int32),
    )


def leniency(config: CurriculumConfig, curriculum: Curriculum) -> Float[Array, ""]:
    """Factor of the termination bounds now."""
    return 1.0 + (config.leniency - 1.0) * jnp.exp(-curriculum.iteration / config.tighten)


def draw_bin(key: PRNGKeyArray, config: CurriculumConfig, curriculum: Curriculum) -> Int[Array, ""]:
    """A time bin, drawn by failures mixed with uniform."""
    bins = curriculum.failures.shape[0]
    share = curriculum.failures / jnp.maximum(curriculum.failures.sum(), 1e-9)
    weight = config.uniform / bins + (1 - config.uniform) * jnp.where(curriculum.failures.sum() > 0, share, 1 / bins)
    return jax.random.categorical(key, jnp.log(weight + 1e-9))


def learned(
    config: CurriculumConfig,
    curriculum: Curriculum,
    states: Any,
    t: Int[Array, "S N"],
    reward: Float[Array, "S N"],
    terminated: Bool[Array, "S N"],
    done: Bool[Array, "S N"],
) -> Curriculum:
    """After S steps of N environments from `states` (S, N, ...), at frames `t`."""
    bins = curriculum.failures.shape[0]
    of_step = jnp.clip(t // config.bin_frames, 0, bins - 1)
    visits = jnp.zeros(bins).at[of_step].add(1.0)
    fails = jnp.zeros(bins).at[of_step].add(terminated.astype(jnp.float32))
    rate = jnp.where(visits > 0, config.rate, 0.0)
    failures = curriculum.failures + rate * (fails / jnp.maximum(visits, 1.0) - curriculum.failures)
    own, own_score = _keep_best(curriculum, states, of_step, reward, done)
    return replace(curriculum, failures=failures, own=own, own_score=own_score, iteration=curriculum.iteration + 1)


def _keep_best(curriculum: Curriculum, states: Any, of_step, reward, done) -> tuple[Any, Float[Array, " B"]]:
    """The best state of each bin, old or new; old scores fade, so that states of a worse policy are replaced."""
    steps = reward.shape[0]
    if steps <= AHEAD:
        return curriculum.own, curriculum.own_score
    total = jnp.cumsum(jnp.concatenate([jnp.zeros_like(reward[:1]), reward]), axis=0)
    ended = jnp.cumsum(jnp.concatenate([jnp.zeros_like(reward[:1]), done.astype(reward.dtype)]), axis=0)
    count = steps - AHEAD
    ahead = (total[AHEAD:][:count] - total[:count]) / AHEAD
    lived = ended[AHEAD:][:count] == ended[:count]
    score = jnp.where(lived, ahead, -jnp.inf).reshape(-1)
    flat = of_step[:count].reshape(-1)
    by_bin = jnp.where(flat[None] == jnp.arange(len(curriculum.failures))[:, None], score[None], -jnp.inf)
    best, old = by_bin.argmax(axis=1), _FADE * curriculum.own_score
    best_score = by_bin.max(axis=1)
    better = best_score > old

    def pick(kept, seen):
        new = seen[:count].reshape(-1, *seen.shape[2:])[best]
        return jnp.where(better.reshape(-1, *[1] * (new.ndim - 1)), new, kept)

    return jax.tree.map(pick, curriculum.own, states), jnp.where(better, best_score, old)
