"""A cart on a rail, whose every episode can be computed by hand."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import pytest

from devi_jax.core.environment import Transition


@jax.tree_util.register_static
@dataclass(frozen=True)
class Rail:
    """Starts at x in [0, 0.1) and moves by 0.3 a; fails beyond 1, ends after `length` steps, breaks at a < -0.9."""

    length: int = 5

    @property
    def observation_sizes(self):
        return {"place": 1, "clock": 2}

    @property
    def action_size(self):
        return 1

    def first_curriculum(self):
        return ()

    def reset(self, key, curriculum):
        return 0.1 * jax.random.uniform(key), jnp.zeros((), jnp.int32)

    def learned(self, curriculum, states, transitions):
        return curriculum

    def observe(self, state):
        x, t = state
        return {"place": x[None], "clock": jnp.stack([t, self.length - t]).astype(jnp.float32)}

    def step(self, state, action):
        x, t = state
        x, t = x + jnp.where(action[0] < -0.9, jnp.nan, 0.3 * action[0]), t + 1
        terminated = x > 1
        return (x, t), Transition(
            self.observe((x, t)), x, terminated, ~terminated & (t >= self.length), {"place_m": jnp.abs(x)}
        )


@pytest.fixture(scope="session")
def rail() -> Rail:
    """The cart, five steps an episode."""
    return Rail()
