"""Sampling-based model-predictive control with the simulator as its own model, over few decision variables a knot.

Decision variables (D,) are given at knots, are linear in between, and map linearly to actions. With a window, plans are
made anew every few frames (receding horizon), which carries contact-rich clips; over the whole clip at once it is the
cross-entropy method. Any environment; no gradients, no networks.
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
    """Planning horizon in frames; None: the whole clip, which is the cross-entropy method."""
    commit: int = 8
    """Frames of each plan that are executed before the next one is made."""
    knot_spacing: int = 8
    """Frames between knots; decision variables are linear in between."""
    samples: int = 64
    """Candidates of an iteration."""
    iterations: int = 3
    """Iterations of a plan."""
    elites: int = 8
    """Best candidates, from which mean and standard deviation of the next iteration's are taken."""
    min_std: float = 0.15
    """Smallest standard deviation of a decision variable, in its units."""
    retries: int = 2
    """How often a window is planned again, with fresh candidates, while the best one fails."""
    variants: int = 2
    """Conditions under which every candidate is simulated: its score is the worst of them."""
    assist: float = 0.0
    """Assistance in the first iteration of a plan; it fades linearly and is zero in the last iteration."""

    def __post_init__(self):
        counts = (self.samples - 1, self.iterations, self.elites, self.variants, self.knot_spacing)
        if min(counts) < 1 or self.elites > self.samples:
            raise ConfigError(
                f"{self.elites} elites of {self.samples} samples, {self.iterations} iterations, {self.variants} "
                "variants make no search",
                where="--planner.search.samples",
                valid="at least 2 samples, positive numbers, at most as many elites as samples",
            )
        if self.commit % self.knot_spacing or (self.window is not None and self.window < self.commit):
            raise ConfigError(
                f"a planner cannot execute {self.commit} of {self.window} frames with a knot every {self.knot_spacing}",
                where="--planner.search.commit",
                valid="a multiple of the knot spacing, no longer than the window",
            )
        if not 0 <= self.assist <= 1:
            raise ConfigError(
                f"assistance of {self.assist}", where="--planner.search.assist", valid="a share from 0 to 1"
            )


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Planned:
    """Actions of F steps and the states (F + 1, V, ...) they lead through; `alive`: no failure in that step.

    `variables` are the decision variables of each step, of which the actions are a linear map.
    """

    actions: Float[Array, "F A"]
    states: States
    variables: Float[Array, "F D"]
    alive: Bool[Array, "F V"]
    reward: Float[Array, "F V"]


Assistance = Callable[[States, Array], States]
"""States in which the task is easier by a share from 0, as it is, to 1."""


def no_assistance(states: States, share: Array) -> States:
    """The states as they are."""
    return states


@dataclass(frozen=True, eq=False)
class Planner:
    """Searches decision variables whose actions are `variables @ basis[t]`; `basis` (T, D, A)."""

    environment: Environment
    basis: Float[Array, "T D A"]
    config: PlannerConfig = PlannerConfig()
    assistance: Assistance = no_assistance

    @property
    def frames(self) -> int:
        """T, frames of the clip."""
        return self.basis.shape[0]

    @property
    def window(self) -> int:
        """Planning horizon in frames."""
        return self.config.window or self._commit

    def search(
        self,
        states: States,
        key: PRNGKeyArray,
        first_frame: int = 0,
        on_progress: Callable[[int, float], None] | None = None,
    ) -> Planned:
        """Plan from frame 0 to the end of the clip; the variables of frames before `first_frame` stay zero.

        A variant that has failed is no longer scored while another is alive. Once all have failed and no candidate
        recovers one, the remaining frames are executed without search.

        Args:
            states: V variants at frame 0.
            on_progress: called with the frame reached and the best candidate's score (NaN where nothing was searched)
                after each execution of `commit` frames.
        """
        count = self.basis.shape[1]
        current, mean = jnp.zeros(count), jnp.zeros((self._knots, count))
        initial, parts, frame = states, [], 0
        alive, hopeless = np.ones(jax.tree.leaves(states)[0].shape[0], bool), False
        while frame < self.frames - 1:
            score = float("nan")
            if frame + self.window > first_frame and count and not hopeless:
                key, window_key = jax.random.split(key)
                scored = alive if alive.any() else np.ones_like(alive)
                mean, score = self._plan_window(states, scored, current, mean, window_key, frame, first_frame)
                hopeless = not alive.any() and score == 0
            states, part = self._execute(states, current, mean, jnp.asarray(frame))
            alive = alive & np.asarray(part[3]).all(axis=0)
            parts.append(part)
            step = self._commit // self.config.knot_spacing
            current, mean = mean[step - 1], jnp.concatenate([mean[step:], jnp.repeat(mean[-1:], step, axis=0)])
            frame += self._commit
            if on_progress is not None:
                on_progress(min(frame, self.frames - 1), score)
        whole = jax.tree.map(lambda *x: jnp.concatenate(x)[: self.frames - 1], *parts)
        visited, actions, variables, survived, reward = whole
        visited = jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), initial, visited)
        return Planned(actions, visited, variables, survived, reward)

    def _plan_window(self, states, scored, current, mean, key, frame: int, first_frame: int) -> tuple[Array, float]:
        """Knots of the window that begins here, and their score; planned again while the best candidate fails."""
        best, score, alive = mean, -np.inf, False
        # knots before `first_frame` stay as they are
        knots = frame + self.config.knot_spacing * np.arange(1, self._knots + 1)
        free = jnp.asarray(knots > first_frame, jnp.float32)
        for _ in range(1 + self.config.retries):
            key, try_key = jax.random.split(key)
            found, value, survives = self._optimise(states, scored, current, best, free, try_key, jnp.asarray(frame))
            if float(value) > score:
                best, score, alive = found, float(value), bool(survives)
            if alive:
                break
        return best, score

    @property
    def _commit(self) -> int:
        """Frames executed at a time."""
        if self.config.window is not None:
            return self.config.commit
        return -(-(self.frames - 1) // self.config.knot_spacing) * self.config.knot_spacing

    @property
    def _knots(self) -> int:
        return -(-self.window // self.config.knot_spacing)

    @cached_property
    def _optimise(self) -> Callable:
        return partial(_optimise, self.config, self.window, self.assistance, self.environment, self._padded)

    @cached_property
    def _execute(self) -> Callable:
        return partial(_execute, self.config, self._commit, self.environment, self._padded)

    @cached_property
    def _padded(self) -> Array:
        last = jnp.repeat(self.basis[-1:], self.window, axis=0)
        return jnp.concatenate([jnp.asarray(self.basis, jnp.float32), last])


def optimise(
    config: PlannerConfig,
    window: int,
    assistance: Assistance,
    environment: Environment,
    basis: Float[Array, "T D A"],
    states: States,
    scored: Bool[Array, " V"],
    current: Float[Array, " D"],
    mean: Float[Array, "K D"],
    free: Float[Array, " K"],
    key: PRNGKeyArray,
    frame: Array,
) -> tuple[Float[Array, "K D"], Float[Array, ""], Bool[Array, ""]]:
    """Best knots found by the iterations of one plan around `mean`, their score, and whether all scored variants live.

    Args:
        scored: variants that count for the score.
        current: the decision variables at `frame`.
        free: 1 where a knot may change, 0 where it stays.
    """

    def iterate(carry, inputs):
        mean, std, best = carry
        key, share = inputs
        noise = jax.random.normal(key, (config.samples, *mean.shape))
        candidates = mean[None] + (free[:, None] * std)[None] * noise
        # the mean and the best so far stay candidates, so the best of the last iteration is the best of all
        candidates = candidates.at[0].set(mean).at[1].set(best)
        easier = assistance(states, share)
        scores, alive = evaluate(config, window, environment, basis, easier, scored, current, candidates, frame)
        order = jnp.argsort(-scores)
        elite = candidates[order[: config.elites]]
        std = jnp.maximum(elite.std(axis=0), config.min_std)
        return (elite.mean(axis=0), std, candidates[order[0]]), (scores[order[0]], alive[order[0]])

    fading = config.assist * jnp.linspace(1.0, 0.0, config.iterations) if config.iterations > 1 else jnp.zeros(1)
    start = (mean, jnp.ones_like(mean), mean)
    inputs = jax.random.split(key, config.iterations), fading
    (_, _, best), (scores, alive) = jax.lax.scan(iterate, start, inputs)
    return best, scores[-1], alive[-1]


def evaluate(
    config: PlannerConfig, window: int, environment: Environment, basis, states, scored, current, candidates, frame
) -> tuple[Float[Array, " N"], Bool[Array, " N"]]:
    """Score of candidates (N, K, D), and whether no scored variant fails within the window.

    The score is the mean reward over the window, zero after a failure, of the worst of the scored variants.
    """
    samples, variants = candidates.shape[0], jax.tree.leaves(states)[0].shape[0]
    variables = knots_to_frames(current, candidates, window, config.knot_spacing)
    local_basis = jax.lax.dynamic_slice_in_dim(basis, frame, window)
    batch = jax.tree.map(lambda x: jnp.repeat(x[None], samples, axis=0).reshape(-1, *x.shape[1:]), states)

    def step(carry, inputs):
        states, alive = carry
        basis, variables = inputs
        action = jnp.repeat(variables @ basis, variants, axis=0)
        states, transition = jax.vmap(environment.step)(states, action)
        alive = alive & ~transition.terminated & jnp.isfinite(transition.reward)
        return (states, alive), jnp.where(alive, transition.reward, 0.0)

    alive = jnp.ones(samples * variants, bool)
    (_, alive), reward = jax.lax.scan(step, (batch, alive), (local_basis, jnp.moveaxis(variables, 1, 0)))
    per_variant = reward.mean(axis=0).reshape(samples, variants)
    worst = jnp.where(scored, per_variant, jnp.inf).min(axis=1)
    return worst, (alive.reshape(samples, variants) | ~scored[None]).all(axis=1)


def execute(config: PlannerConfig, commit: int, environment: Environment, basis, states, current, knots, frame):
    """Execute the first `commit` frames of knots (K, D).

    Returns the states after them, and of each frame states, action, decision variables, survival and reward.
    """
    variables = knots_to_frames(current, knots[None], commit, config.knot_spacing)[0]
    local_basis = jax.lax.dynamic_slice_in_dim(basis, frame, commit)

    def step(states, inputs):
        basis, variables = inputs
        action = variables @ basis
        states, transition = jax.vmap(environment.step, in_axes=(0, None))(states, action)
        return states, (states, action, variables, ~transition.terminated, transition.reward)

    return jax.lax.scan(step, states, (local_basis, variables))


def knots_to_frames(
    current: Float[Array, " D"], knots: Float[Array, "N K D"], frames: int, spacing: int
) -> Float[Array, "N F D"]:
    """Decision variables of the next `frames` frames, linear between knots that lie `spacing` frames apart."""
    count = knots.shape[1]
    times = np.arange(1, frames + 1) / spacing
    weights = np.stack([np.interp(times, np.arange(count + 1), row) for row in np.eye(count + 1)], axis=1)
    whole = jnp.concatenate([jnp.broadcast_to(current, (knots.shape[0], 1, current.shape[0])), knots], axis=1)
    return jnp.einsum("fk,nkd->nfd", jnp.asarray(weights, jnp.float32), whole)


_optimise = jax.jit(optimise, static_argnums=(0, 1, 2))
_execute = jax.jit(execute, static_argnums=(0, 1))
