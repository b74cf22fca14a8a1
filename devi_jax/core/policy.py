"""A policy as evaluation, films and exports call one: a pure function of parameters, memory and observations."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from devi_jax.core.environment import Observation

Act = Callable[[Any, Any, Observation, PRNGKeyArray], tuple[Any, Float[Array, "N A"]]]
"""Parameters, carries and observations of N episodes, and a key, to the new carries and the actions."""


@dataclass(frozen=True)
class Policy:
    """How to act, and the parameters to act with: new parameters do not compile anew."""

    act: Act
    parameters: Any = ()
    carry: Any = ()
    """Recurrent state at the beginning of one episode; no arrays for a policy without memory."""

    def initial_carry(self, count: int) -> Any:
        """Recurrent states (N, ...) at the beginning of `count` episodes."""
        return jax.tree.map(lambda x: jnp.broadcast_to(x, (count, *jnp.shape(x))), self.carry)
