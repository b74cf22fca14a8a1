"""A task that needs memory, and a small recurrent network that has some."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from agents.distribution import Gaussian
from agents.networks import Networks
from devi_jax.core.environment import Transition


@jax.tree_util.register_static
@dataclass(frozen=True)
class Recall:
    """A cue of -1 or 1 is shown in the first step only; the action should be the cue in every step of the episode."""

    length: int = 5
    observation_sizes = {"cue": 1, "first": 1}
    action_size = 1

    def first_curriculum(self):
        return ()

    def learned(self, curriculum, states, transitions):
        return curriculum

    def reset(self, key, curriculum):
        return {"cue": jax.random.rademacher(key, (), jnp.float32), "time": jnp.zeros((), jnp.int32)}

    def observe(self, state):
        first = (state["time"] == 0).astype(jnp.float32)
        return {"cue": (first * state["cue"])[None], "first": first[None]}

    def step(self, state, action):
        reward = -((action[0] - state["cue"]) ** 2)
        state = state | {"time": state["time"] + 1}
        over = state["time"] >= self.length
        return state, Transition(self.observe(state), reward, jnp.zeros_like(over), over, {})


@dataclass(frozen=True)
class GruNetwork:
    """An actor with a gated recurrent unit of `width` numbers, and a linear critic without memory."""

    width: int = 8
    log_std: float = -1.0

    def build(self, observation_sizes, action_size):
        inputs, width = sum(observation_sizes.values()), self.width

        def init(key):
            gates_key, new_key = jax.random.split(key)
            actor = {
                "gates": 0.5 * jax.random.normal(gates_key, (inputs + width + 1, 2 * width)),
                "new": 0.5 * jax.random.normal(new_key, (inputs + width + 1, width)),
                "mean": jnp.zeros((width, action_size)),
            }
            return actor, {"value": jnp.zeros(inputs + 1)}

        def flat(*parts):
            one = jnp.ones((*parts[0].shape[:-1], 1))
            return jnp.concatenate([*parts, one], axis=-1)

        def tokens(observation):
            return jnp.concatenate([observation[name] for name in sorted(observation)], axis=-1)

        def actor(parameters, carry, observation):
            seen = tokens(observation)
            keep, use = jnp.split(jax.nn.sigmoid(flat(seen, carry) @ parameters["gates"]), 2, axis=-1)
            new = jnp.tanh(flat(seen, use * carry) @ parameters["new"])
            carry = keep * carry + (1 - keep) * new
            mean = carry @ parameters["mean"]
            return carry, Gaussian(mean, jnp.full_like(mean, self.log_std))

        def critic(parameters, carry, observation):
            return carry, flat(tokens(observation)) @ parameters["value"]

        return Networks(init, actor, critic, lambda: (jnp.zeros(width), ()))
