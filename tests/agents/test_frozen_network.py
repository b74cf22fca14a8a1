"""A part of a policy that is not trained keeps its parameters to the last bit, while what follows it learns."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from agents import Learner, Ppo
from agents.distribution import Gaussian
from agents.networks import Networks
from tests.agents.reach import EFFORT, Reach
from tests.agents.test_learner import GAMMA, acting, riccati


@dataclass(frozen=True)
class FrozenFeatures:
    """Linear actor and critic on the features of a network that stays as it is."""

    features: int = 32

    def build(self, observation_sizes, action_size):
        inputs = sum(observation_sizes.values())

        def init(key):
            frozen = {"kernel": jax.random.normal(key, (inputs, self.features))}
            actor = {"frozen": frozen, "mean": jnp.zeros((self.features, action_size))}
            return actor, {"value": jnp.zeros(self.features), "frozen": frozen}

        def features(parameters, observation):
            frozen = jax.lax.stop_gradient(parameters["frozen"])
            tokens = jnp.concatenate([observation[name] for name in sorted(observation)], axis=-1)
            return jnp.tanh(tokens @ frozen["kernel"])

        def actor(parameters, carry, observation):
            mean = features(parameters, observation) @ parameters["mean"]
            return carry, Gaussian(mean, jnp.full_like(mean, -1.5))

        def critic(parameters, carry, observation):
            return carry, features(parameters, observation) ** 2 @ parameters["value"]

        return Networks(init, actor, critic)


def test_frozen_parameters_do_not_move_and_the_rest_learns():
    ppo = Ppo(
        environments=64, horizon=16, minibatch=256, epochs=4, gamma=GAMMA, value_clip=None, actor_learning_rate=3e-3,
        critic_learning_rate=1e-2,
    )  # fmt: skip
    learner = Learner(Reach(), ppo, FrozenFeatures())
    first = learner.init(jax.random.key(0))
    before = jax.tree.map(np.array, first.algorithm)
    state = first
    for _ in range(60):
        state, _ = learner.update(state)
    after = state.algorithm
    for part in ("actor", "actor_ema", "critic"):
        frozen = [getattr(x, part)["frozen"]["kernel"] for x in (before, after)]
        np.testing.assert_array_equal(*frozen)
    assert np.abs(after.actor["mean"]).max() > 0.1 and np.abs(after.critic["value"]).max() > 0.1
    start = jnp.linspace(-1, 1, 9)[:, None]
    action = acting(learner.policy(state))({"position": start / 2, "goal": -start / 2})[:, 0]
    gain, (optimum, _) = -np.polyfit(start[:, 0], action, 1)[0], riccati()
    cost = (1 + EFFORT * gain**2) / (1 - GAMMA * (1 - gain) ** 2)
    assert cost < 1.05 * optimum
