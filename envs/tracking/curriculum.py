"""What episodes so far teach about those to come: when they fail, how far to scale bounds, from which states to start.

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
    """B time bins of all clips, clip by clip: share of steps that failed in each, and the best state the policy itself
    has reached in each.

    `visited_score`: mean reward of the steps after it, -inf where there is none.
    """

    failures: Float[Array, " B"]
    visited: Any
    visited_score: Float[Array, " B"]
    iteration: Int[Array, ""]


@dataclass(frozen=True)
class Where:
    """Which of `clips` clips states (S, N) follow, and at which frames."""

    clips: int
    clip: Int[Array, "S N"]
    t: Int[Array, "S N"]


def first_curriculum(config: CurriculumConfig, clips: int, frames: int, state: Any) -> Curriculum:
    """Nothing known yet; `state` is any one state, for its shapes."""
    bins = clips * -(-frames // config.bin_frames)
    return Curriculum(
        failures=jnp.zeros(bins),
        visited=jax.tree.map(lambda x: jnp.broadcast_to(x, (bins, *x.shape)), state),
        visited_score=jnp.full(bins, -jnp.inf, jnp.float32),
        iteration=jnp.zeros((), jnp.int32),
    )


def termination_scale(config: CurriculumConfig, curriculum: Curriculum) -> Float[Array, ""]:
    """Factor of the termination bounds now."""
    return 1.0 + (config.termination_scale - 1.0) * jnp.exp(-curriculum.iteration / config.decay)


def draw_clip(
    key: PRNGKeyArray, config: CurriculumConfig, curriculum: Curriculum, length: Int[Array, " C"]
) -> Int[Array, ""]:
    """A clip, drawn evenly or by failures mixed with evenly. `length`: frames of each clip."""
    clips = length.shape[0]
    if clips == 1:
        return jnp.zeros((), jnp.int32)
    failures = jnp.sum(
        jnp.where(_within(curriculum, config, length), curriculum.failures.reshape(clips, -1), 0.0), axis=1
    )
    even = jnp.full(clips, 1 / clips)
    share = jnp.where(failures.sum() > 0, failures / jnp.maximum(failures.sum(), 1e-9), even)
    weight = config.uniform * even + (1 - config.uniform) * share if config.clips == "failures" else even
    return jax.random.categorical(key, jnp.log(weight + 1e-9)).astype(jnp.int32)


def draw_bin(
    key: PRNGKeyArray,
    config: CurriculumConfig,
    curriculum: Curriculum,
    clip: Int[Array, ""],
    length: Int[Array, " C"],
) -> Int[Array, ""]:
    """A time bin of a clip, drawn by failures mixed with uniform."""
    clips = length.shape[0]
    failures = curriculum.failures.reshape(clips, -1)[clip]
    within = _within(curriculum, config, length)[clip]
    bins = failures.shape[0] if clips == 1 else jnp.sum(within).astype(jnp.float32)
    failures = failures if clips == 1 else jnp.where(within, failures, 0.0)
    share = failures / jnp.maximum(failures.sum(), 1e-9)
    weight = config.uniform / bins + (1 - config.uniform) * jnp.where(failures.sum() > 0, share, 1 / bins)
    weight = weight if clips == 1 else jnp.where(within, weight, 0.0)
    return jax.random.categorical(key, jnp.log(weight + 1e-9))


def bin_of(curriculum: Curriculum, clips: int, clip: Int[Array, ""], bin_: Int[Array, ""]) -> Int[Array, ""]:
    """Where a clip's time bin stands among the bins of all clips."""
    return clip * (curriculum.failures.shape[0] // clips) + bin_


def _within(curriculum: Curriculum, config: CurriculumConfig, length: Int[Array, " C"]) -> Bool[Array, "C K"]:
    """Which bins begin before their clip ends."""
    bins = curriculum.failures.shape[0] // length.shape[0]
    return jnp.arange(bins)[None] * config.bin_frames < length[:, None]


def learned(
    config: CurriculumConfig,
    curriculum: Curriculum,
    states: Any,
    where: Where,
    reward: Float[Array, "S N"],
    terminated: Bool[Array, "S N"],
    done: Bool[Array, "S N"],
) -> Curriculum:
    """After S steps of N environments from `states` (S, N, ...), which are `where`."""
    bins = curriculum.failures.shape[0]
    per_clip = bins // where.clips
    of_step = where.clip * per_clip + jnp.clip(where.t // config.bin_frames, 0, per_clip - 1)
    visits = jnp.zeros(bins).at[of_step].add(1.0)
    fails = jnp.zeros(bins).at[of_step].add(terminated.astype(jnp.float32))
    rate = jnp.where(visits > 0, config.rate, 0.0)
    failures = curriculum.failures + rate * (fails / jnp.maximum(visits, 1.0) - curriculum.failures)
    visited, visited_score = _keep_best(curriculum, states, of_step, reward, done)
    return replace(
        curriculum, failures=failures, visited=visited, visited_score=visited_score, iteration=curriculum.iteration + 1
    )


def _keep_best(curriculum: Curriculum, states: Any, of_step, reward, done) -> tuple[Any, Float[Array, " B"]]:
    """The best state of each bin, old or new; old scores fade, so that states of a worse policy are replaced."""
    steps = reward.shape[0]
    if steps <= AHEAD:
        return curriculum.visited, curriculum.visited_score
    total = jnp.cumsum(jnp.concatenate([jnp.zeros_like(reward[:1]), reward]), axis=0)
    ended = jnp.cumsum(jnp.concatenate([jnp.zeros_like(reward[:1]), done.astype(reward.dtype)]), axis=0)
    count = steps - AHEAD
    ahead = (total[AHEAD:][:count] - total[:count]) / AHEAD
    lived = ended[AHEAD:][:count] == ended[:count]
    score = jnp.where(lived, ahead, -jnp.inf).reshape(-1)
    flat = of_step[:count].reshape(-1)
    by_bin = jnp.where(flat[None] == jnp.arange(len(curriculum.failures))[:, None], score[None], -jnp.inf)
    best, old = by_bin.argmax(axis=1), _FADE * curriculum.visited_score
    best_score = by_bin.max(axis=1)
    better = best_score > old

    def pick(kept, seen):
        new = seen[:count].reshape(-1, *seen.shape[2:])[best]
        return jnp.where(better.reshape(-1, *[1] * (new.ndim - 1)), new, kept)

    return jax.tree.map(pick, curriculum.visited, states), jnp.where(better, best_score, old)
