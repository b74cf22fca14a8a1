"""Sampling-based planning with the simulator as its own model: few numbers a knot, the best sample kept.

Receding horizon (look ahead, commit, look again) carries contact-rich clips; the whole clip at once is the
cross-entropy method. Any environment, any linear map from numbers to actions. No gradients, no networks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from devi_jax.core.environment import Environment
from devi_jax.core.errors import ConfigError

States = Any
"""A batch of environment states with a leading dimension of V variants: the same moment under other conditions."""


@dataclass(frozen=True)
class PlannerConfig:
    """Settings of the search; frames are control steps."""

    window: int | None = 24
    """Frames looked ahead; None looks at the whole clip, which is the cross-entropy method."""
    commit: int = 8
    """Frames taken of each look."""
    knot: int = 8
    """Frames between knots; numbers are linear in between."""
    samples: int = 64
    """Candidates of an iteration."""
    iterations: int = 3
    """Iterations of a look."""
    elites: int = 8
    """Best candidates that the next iteration is drawn around."""
    floor: float = 0.15
    """Smallest standard deviation of a number, in its units."""
    retries: int = 2
    """How often a look is repeated, with fresh candidates, while its best one fails."""
    variants: int = 2
    """Conditions every candidate must bear: the score is the worst of them."""
    assist: float = 0.0
    """Help in a look's first iteration, which fades until the last one has none."""

    def __post_init__(self):
        counts = (self.samples - 1, self.iterations, self.elites, self.variants, self.knot)
        if min(counts) < 1 or self.elites > self.samples:
            raise ConfigError(
                f"{self.elites} elites of {self.samples} samples, {self.iterations} iterations, {self.variants} "
                "variants make no search",
                where="samples",
                valid="at least 2 samples, positive numbers, at most as many elites as samples",
            )
        if self.commit % self.knot or (self.window is not None and self.window < self.commit):
            raise ConfigError(
                f"a planner cannot commit {self.commit} of {self.window} frames with a knot every {self.knot}",
                where="commit",
                valid="a multiple of the knot distance, no longer than the window",
            )
        if not 0 <= self.assist <= 1:
            raise ConfigError(f"assist {self.assist} is no share", where="assist", valid="from 0 to 1")


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Planned:
    """Actions of F steps and the states (F + 1, V, ...) they lead through; `alive`: no failure in that step."""

    actions: Float[Array, "F A"]
    states: States
    numbers: Float[Array, "F D"]
    alive: Bool[Array, "F V"]
    reward: Float[Array, "F V"]


Ease = Callable[[States, Array], States]
"""States in which the task is easier by a share from 0, as it is, to 1."""


def no_help(states: States, share: Array) -> States:
    """The states as they are."""
    return states


@dataclass(frozen=True, eq=False)
class Planner:
    """Searches actions `numbers @ basis[t]` of an environment; `basis` (T, D, A). `ease`: what assistance means."""

    environment: Environment
    basis: Float[Array, "T D A"]
    config: PlannerConfig = PlannerConfig()
    ease: Ease = no_help

    @property
    def frames(self) -> int:
        """T, frames of the clip."""
        return self.basis.shape[0]

    @property
    def window(self) -> int:
        """Frames looked ahead."""
        return self.config.window or self._commit

    def search(
        self,
        states: States,
        key: PRNGKeyArray,
        begin: int = 0,
        tell: Callable[[int, float], None] | None = None,
    ) -> Planned:
        """Plan from frame 0 to the clip's end; frames before `begin` keep zero numbers.

        `states`: V variants at frame 0. `tell(frame, score)` hears of every commitment. A variant that has failed no
        longer counts while another lives; once all have, and no candidate mends it, the rest is not searched.
        """
        numbers = self.basis.shape[1]
        now, mean = jnp.zeros(numbers), jnp.zeros((self._knots, numbers))
        first, parts, frame = states, [], 0
        lives, lost = np.ones(jax.tree.leaves(states)[0].shape[0], bool), False
        while frame < self.frames - 1:
            score = float("nan")
            if frame + self.window > begin and numbers and not lost:
                key, look_key = jax.random.split(key)
                counted = lives if lives.any() else np.ones_like(lives)
                mean, score = self._look(states, counted, now, mean, look_key, frame, begin)
                lost = not lives.any() and score == 0
            states, part = self._advance(states, now, mean, jnp.asarray(frame))
            lives = lives & np.asarray(part[3]).all(axis=0)
            parts.append(part)
            step = self._commit // self.config.knot
            now, mean = mean[step - 1], jnp.concatenate([mean[step:], jnp.repeat(mean[-1:], step, axis=0)])
            frame += self._commit
            if tell is not None:
                tell(min(frame, self.frames - 1), score)
        whole = jax.tree.map(lambda *x: jnp.concatenate(x)[: self.frames - 1], *parts)
        visited, actions, used, alive, reward = whole
        visited = jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), first, visited)
        return Planned(actions, visited, used, alive, reward)

    def _look(self, states, counted, now, mean, key, frame: int, begin: int) -> tuple[Array, float]:
        """Knots found from here, and their score; looks again while the best candidate fails."""
        best, score, alive = mean, -np.inf, False
        # what lies before `begin` stays as it is
        free = jnp.asarray(frame + self.config.knot * np.arange(1, self._knots + 1) > begin, jnp.float32)
        for _ in range(1 + self.config.retries):
            key, one = jax.random.split(key)
            found, value, lives = self._improve(states, counted, now, best, free, one, jnp.asarray(frame))
            if float(value) > score:
                best, score, alive = found, float(value), bool(lives)
            if alive:
                break
        return best, score

    @property
    def _commit(self) -> int:
        """Frames committed at a time."""
        if self.config.window is not None:
            return self.config.commit
        return -(-(self.frames - 1) // self.config.knot) * self.config.knot

    @property
    def _knots(self) -> int:
        return -(-self.window // self.config.knot)

    @cached_property
    def _improve(self) -> Callable:
        return partial(_improve, self.config, self.window, self.ease, self.environment, self._padded)

    @cached_property
    def _advance(self) -> Callable:
        return partial(_advance, self.config, self._commit, self.environment, self._padded)

    @cached_property
    def _padded(self) -> Array:
        last = jnp.repeat(self.basis[-1:], self.window, axis=0)
        return jnp.concatenate([jnp.asarray(self.basis, jnp.float32), last])


def improve(
    config: PlannerConfig,
    window: int,
    ease: Ease,
    environment: Environment,
    basis: Float[Array, "T D A"],
    states: States,
    counted: Bool[Array, " V"],
    now: Float[Array, " D"],
    mean: Float[Array, "K D"],
    free: Float[Array, " K"],
    key: PRNGKeyArray,
    frame: Array,
) -> tuple[Float[Array, "K D"], Float[Array, ""], Bool[Array, ""]]:
    """Best knots found by a few iterations around `mean`, their score, and whether all that is counted lived.

    `now`: the numbers at `frame`; `free`: 1 where a knot may change.
    """

    def iterate(carry, inputs):
        mean, deviation, best = carry
        key, help = inputs
        noise = jax.random.normal(key, (config.samples, *mean.shape))
        candidates = mean + free[:, None] * deviation * noise
        # the mean and the best so far stay candidates, so the last iteration's first is the best of all
        candidates = candidates.at[0].set(mean).at[1].set(best)
        eased = ease(states, help)
        scores, alive = evaluate(config, window, environment, basis, eased, counted, now, candidates, frame)
        order = jnp.argsort(-scores)
        elite = candidates[order[: config.elites]]
        deviation = jnp.maximum(elite.std(axis=0), config.floor)
        return (elite.mean(axis=0), deviation, candidates[order[0]]), (scores[order[0]], alive[order[0]])

    fading = config.assist * jnp.linspace(1.0, 0.0, config.iterations) if config.iterations > 1 else jnp.zeros(1)
    start = (mean, jnp.ones_like(mean), mean)
    inputs = jax.random.split(key, config.iterations), fading
    (_, _, best), (scores, alive) = jax.lax.scan(iterate, start, inputs)
    return best, scores[-1], alive[-1]


def evaluate(
    config: PlannerConfig, window: int, environment: Environment, basis, states, counted, now, candidates, frame
):
    """Mean reward (N,) of candidates (N, K, D) over the window, zero after a failure, worst of those of V that are
    counted; and who lived."""
    samples, variants = candidates.shape[0], jax.tree.leaves(states)[0].shape[0]
    numbers = knots_to_frames(now, candidates, window, config.knot)
    here = jax.lax.dynamic_slice_in_dim(basis, frame, window)
    batch = jax.tree.map(lambda x: jnp.repeat(x[None], samples, axis=0).reshape(-1, *x.shape[1:]), states)

    def step(carry, inputs):
        states, alive = carry
        part, number = inputs
        action = jnp.repeat(number @ part, variants, axis=0)
        states, transition = jax.vmap(environment.step)(states, action)
        alive = alive & ~transition.terminated & jnp.isfinite(transition.reward)
        return (states, alive), jnp.where(alive, transition.reward, 0.0)

    alive = jnp.ones(samples * variants, bool)
    (_, alive), reward = jax.lax.scan(step, (batch, alive), (here, jnp.moveaxis(numbers, 1, 0)))
    per_variant = reward.mean(axis=0).reshape(samples, variants)
    worst = jnp.where(counted, per_variant, jnp.inf).min(axis=1)
    return worst, (alive.reshape(samples, variants) | ~counted).all(axis=1)


def advance(config: PlannerConfig, commit: int, environment: Environment, basis, states, now, knots, frame):
    """Take the first `commit` frames of knots (K, D): the states after, and all that happened on the way."""
    numbers = knots_to_frames(now, knots[None], commit, config.knot)[0]
    here = jax.lax.dynamic_slice_in_dim(basis, frame, commit)

    def step(states, inputs):
        part, number = inputs
        action = number @ part
        states, transition = jax.vmap(environment.step, in_axes=(0, None))(states, action)
        return states, (states, action, number, ~transition.terminated, transition.reward)

    return jax.lax.scan(step, states, (here, numbers))


def knots_to_frames(
    now: Float[Array, " D"], knots: Float[Array, "N K D"], frames: int, knot: int
) -> Float[Array, "N F D"]:
    """Numbers at the `frames` frames after now, linear between knots that lie `knot` frames apart."""
    count = knots.shape[1]
    times = np.arange(1, frames + 1) / knot
    weights = np.stack([np.interp(times, np.arange(count + 1), row) for row in np.eye(count + 1)], axis=1)
    whole = jnp.concatenate([jnp.broadcast_to(now, (knots.shape[0], 1, now.shape[0])), knots], axis=1)
    return jnp.einsum("fk,nkd->nfd", jnp.asarray(weights, jnp.float32), whole)


_improve = jax.jit(improve, static_argnums=(0, 1, 2))
_advance = jax.jit(advance, static_argnums=(0, 1))
