"""A task whose optimum is known in closed form."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from devi_jax.core.environment import Transition

EFFORT = 0.5


@jax.tree_util.register_static
@dataclass(frozen=True)
class Reach:
    """Move a point to a goal on a line; cost is squared distance plus weighted squared action (an LQR problem)."""

    length: int = 20
    observation_sizes = {"position": 1, "goal": 1}
    action_size = 1

    def first_curriculum(self):
        return ()

    def learned(self, curriculum, states, transitions):
        return curriculum

    def reset(self, key, curriculum):
        position_key, goal_key, time_key = jax.random.split(key, 3)
        return {
            "position": jax.random.uniform(position_key, minval=-1),
            "goal": jax.random.uniform(goal_key, minval=-1),
            "time": jax.random.randint(time_key, (), 0, self.length),
        }

    def observe(self, state):
        return {"position": state["position"][None], "goal": state["goal"][None]}

    def step(self, state, action):
        error = state["position"] - state["goal"]
        reward = -(error**2 + EFFORT * action[0] ** 2)
        state = state | {"position": state["position"] + action[0], "time": state["time"] + 1}
        over = state["time"] >= self.length
        return state, Transition(self.observe(state), reward, jnp.zeros_like(over), over, {"error_m": jnp.abs(error)})
