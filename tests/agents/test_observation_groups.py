"""Actor and critic that see different tokens: each its own, in networks, statistics, rollout, policy and adapters."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents import Learner, NetworkConfig, Ppo
from agents.normaliser import init, of_group, update
from devi_jax.core.environment import Environment, group
from devi_jax.core.errors import ConfigError
from envs.adapters.flat import flat_size, flatten, slices
from tests.agents.reach import Reach
from tests.agents.test_learner import GAMMA, acting, riccati

PPO = Ppo(
    environments=64, horizon=16, minibatch=256, epochs=4, gamma=GAMMA, value_clip=None, actor_learning_rate=1e-3,
    critic_learning_rate=1e-3, normalise_value=False,
)  # fmt: skip
NETWORK = NetworkConfig(
    token_width=16, transformer_layers=0, heads=1, actor_widths=(32,), critic_widths=(32, 32), log_std=-1.5
)


@jax.tree_util.register_static
@dataclass(frozen=True)
class Asymmetric(Reach):
    """The actor sees only how far the point is from the goal, the critic the whole state."""

    observation_sizes = {"actor": {"error": 1}, "critic": {"position": 1, "goal": 1, "clock": 1}}

    def observe(self, state):
        tokens = super().observe(state)
        return {
            "actor": {"error": tokens["position"] - tokens["goal"]},
            "critic": tokens | {"clock": state["time"][None] / self.length},
        }


@pytest.fixture(scope="module")
def learner():
    return Learner(Asymmetric(), PPO, NETWORK)


def test_each_learns_from_what_it_sees(learner):
    state = learner.init(jax.random.key(0))
    for _ in range(60):
        state, metrics = learner.update(state)
    policy = acting(learner.policy(state))
    error = jnp.linspace(-1, 1, 9)[:, None]
    slope = np.polyfit(error[:, 0], policy({"error": error})[:, 0], 1)[0]
    assert slope == pytest.approx(-riccati()[1], rel=0.1)
    # groups and the actor's tokens alone are the same to a policy, which keeps the actor's statistics only
    whole = {"actor": {"error": error}, "critic": {}}
    np.testing.assert_array_equal(policy(whole), policy({"error": error}))
    _, statistics = learner.policy(state).parameters
    assert set(statistics.mean) == {"error"}
    assert metrics["value/explained_variance"] > 0.5


def test_networks_have_inputs_for_their_own_tokens_only(learner):
    actor, critic = jax.eval_shape(learner.networks.init, jax.random.key(0))
    assert set(actor["mean"]["encoder"]["mlps"]) == {"error"}
    assert critic["mlp"]["hidden"][0]["kernel"].shape == (3, 32)


def test_the_same_groups_mean_the_same_as_plain_tokens():
    """A group for each costs memory, nothing else: same parameters, actions and values."""

    @jax.tree_util.register_static
    @dataclass(frozen=True)
    class Grouped(Reach):
        observation_sizes = {"actor": Reach.observation_sizes, "critic": Reach.observation_sizes}

        def observe(self, state):
            return {"actor": super().observe(state), "critic": super().observe(state)}

    found = []
    for task in (Reach(), Grouped()):
        learner = Learner(task, PPO, NETWORK)
        state, rollout = learner.collect(learner.init(jax.random.key(0)))
        found.append((state.algorithm.actor, state.algorithm.critic, rollout.action, rollout.record, rollout.bootstrap))
    for plain, grouped in zip(*map(jax.tree.leaves, found), strict=True):
        np.testing.assert_allclose(grouped, plain, rtol=1e-4, atol=1e-5)


def test_statistics_are_kept_by_group():
    sizes = {"actor": {"x": 2}, "critic": {"x": 2, "y": 1}}
    batch = {"actor": {"x": jnp.ones((4, 2))}, "critic": {"x": jnp.full((4, 2), 3.0), "y": jnp.zeros((4, 1))}}
    statistics = update(init(sizes), batch)
    np.testing.assert_array_equal(of_group(statistics, "critic").mean["x"], [3, 3])
    np.testing.assert_array_equal(of_group(statistics, "actor").mean["x"], [1, 1])
    assert statistics.count == 4


def test_foreign_learners_get_the_actors_tokens():
    task = Asymmetric()
    assert isinstance(task, Environment) and flat_size(task) == 1 and slices(task) == {"error": slice(0, 1)}
    state = task.reset(jax.random.key(0), ())
    np.testing.assert_array_equal(flatten(task.observe(state)), [state["position"] - state["goal"]])


def test_a_missing_group_is_named():
    with pytest.raises(ConfigError, match="no group 'critic'"):
        NETWORK.build({"actor": {"x": 1}}, 1)
    assert group({"x": 1}, "critic") == {"x": 1} and group({"critic": {"y": 2}}, "critic") == {"y": 2}
