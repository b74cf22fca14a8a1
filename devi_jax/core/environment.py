"""What the rooms promise each other: an environment as the learner sees it.

`agents` knows nothing else of an environment; any pure function pair with these shapes can be learned on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import jax
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from devi_jax.core.errors import ConfigError

Tokens = dict[str, Float[Array, "..."]]
"""Named observation tokens, e.g. `human` (778,), `object` (15,), `goal` (k * 468,)."""

Observation = dict[str, Any]
"""`Tokens` that actor and critic both see, or groups of tokens by who sees them: `{"actor": ..., "critic": ...}`."""

ObservationSizes = dict[str, Any]
"""Length of each token, in the form of the observation: `{"human": 778}` or `{"actor": {"human": 778}, ...}`."""


def group(observation: Mapping[str, Any], name: str) -> Any:
    """What `name` (actor, critic, or a group of the environment's own) sees; plain tokens are seen by everyone.

    Works on observations, their sizes and their statistics. Raises `ConfigError` if there are groups but not this one.
    """
    if not any(isinstance(part, Mapping) for part in observation.values()):
        return observation
    if name not in observation:
        raise ConfigError(
            f"the environment's observation has no group '{name}'",
            where="observation_sizes",
            valid=f"tokens without groups, or a group '{name}' beside {', '.join(sorted(observation))}",
        )
    return observation[name]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Transition:
    """What one step yields, of the state *before* any reset.

    `terminated`: the episode failed, its value is zero; `truncated`: the clip ended, its value is bootstrapped.
    `metrics`: named scalars in physical units, logged as means.
    """

    observation: Observation
    reward: Float[Array, ""]
    terminated: Bool[Array, ""]
    truncated: Bool[Array, ""]
    metrics: dict[str, Float[Array, ""]]


@runtime_checkable
class Environment(Protocol):
    """A pure-functional environment for one agent; the learner adds the batch with `vmap`.

    It is a pytree itself, possibly without leaves (`jax.tree_util.register_static`), so that it may be an argument of
    compiled functions. States are pytrees of arrays and hold everything needed to go on, and nothing else.
    """

    @property
    def observation_sizes(self) -> ObservationSizes:
        """Length of each observation token, by group where actor and critic see different ones."""
        ...

    @property
    def action_size(self) -> int:
        """Length of the action vector; the policy's mean is meant to lie in [-1, 1]."""
        ...

    def first_curriculum(self) -> Any:
        """What episodes so far teach about where to start, before there are any; `()` where nothing is learned."""
        ...

    def reset(self, key: PRNGKeyArray, curriculum: Any) -> Any:
        """Draw an initial state."""
        ...

    def learned(self, curriculum: Any, states: Any, transitions: Transition) -> Any:
        """The curriculum after S steps of N environments: states (S, N, ...) before each, and what came of it."""
        ...

    def observe(self, state: Any) -> Observation:
        """The observation of a state: tokens, or groups of tokens."""
        ...

    def step(self, state: Any, action: Float[Array, " A"]) -> tuple[Any, Transition]:
        """Apply an action for one control interval; never resets."""
        ...
