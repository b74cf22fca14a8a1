from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents import Ppo, normaliser
from agents.distribution import Gaussian
from agents.networks import Networks
from agents.rollout import collect
from agents.state import TrainState, first_episodes
from devi_jax.core.environment import Transition

FIRST = 100.0
"""Counts after a reset start here; the initial ones of the tests lie below."""


@jax.tree_util.register_static
@dataclass(frozen=True)
class Counter:
    """Counts up by one; reward is the new count. Ends, by failure or not, at 4; breaks down at `poison`."""

    observation_sizes = {"count": 1}
    action_size = 1

    def first_curriculum(self):
        return ()

    def learned(self, curriculum, states, transitions):
        return curriculum

    def reset(self, key, curriculum):
        del key
        return {"count": jnp.array(FIRST), "poison": jnp.array(-1.0), "fails": jnp.array(False)}

    def observe(self, state):
        return {"count": state["count"][None]}

    def step(self, state, action):
        count = state["count"] + 1
        over = count == 4
        broken = jnp.where(count == state["poison"], jnp.nan, count)
        state = state | {"count": broken}
        ends = (over & state["fails"], over & ~state["fails"])
        return state, Transition(self.observe(state), broken, *ends, {"doubled": 2 * broken})


NETWORKS = Networks(
    init=lambda key: ({}, {}),
    actor=lambda parameters, carry, o: (carry, Gaussian(o["count"], jnp.full_like(o["count"], -20.0))),
    critic=lambda parameters, carry, o: (carry, 10 * o["count"][..., 0]),
)
PPO = Ppo(environments=3, horizon=6, minibatch=18)


def start(count, poison, fails):
    environments = {"count": jnp.array(count), "poison": jnp.array(poison), "fails": jnp.array(fails)}
    wide = replace(normaliser.init({"count": 1}), variance={"count": jnp.full(1, 1e4)})
    return TrainState(
        algorithm=replace(PPO.init(NETWORKS, {"count": 1}, jax.random.key(0)), normaliser=wide),
        environments=environments,
        curriculum=(),
        observation={"count": environments["count"][:, None]},
        carry=((), ()),
        episodes=first_episodes(len(count)),
        key=jax.random.key(3),
        iteration=jnp.zeros((), jnp.int32),
    )


@pytest.fixture(scope="module")
def collected():
    state = start([0.0, 1.0, 2.0], poison=[-1.0, -1.0, 4.0], fails=[False, True, False])
    return jax.jit(lambda s: collect(PPO, NETWORKS, Counter(), s))(state)


def test_finished_environments_start_again_and_the_others_go_on(collected):
    _, rollout = collected
    counts = rollout.observation["count"][..., 0].T
    np.testing.assert_array_equal(
        counts, [[0, 1, 2, 3, 100, 101], [1, 2, 3, 100, 101, 102], [2, 3, 100, 101, 102, 103]]
    )
    np.testing.assert_array_equal(np.argwhere(rollout.truncated), [[3, 0]])
    np.testing.assert_array_equal(np.argwhere(rollout.terminated), [[1, 2], [2, 1]])


def test_next_values_are_of_the_observation_before_the_reset(collected):
    _, rollout = collected
    scale = 10 / 100
    np.testing.assert_allclose(rollout.record.value, scale * rollout.observation["count"][..., 0], rtol=1e-5)
    np.testing.assert_allclose(rollout.bootstrap[:, 0], scale * np.array([1, 2, 3, 4, 101, 102]), rtol=1e-5)


def test_actions_come_from_the_normalised_observation(collected):
    _, rollout = collected
    np.testing.assert_allclose(rollout.action, rollout.observation["count"] / 100, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(rollout.record.behaviour.log_std, np.full((6, 3, 1), -20.0))


def test_a_broken_environment_fails_with_zero_reward_and_is_counted(collected):
    state, rollout = collected
    np.testing.assert_array_equal(np.argwhere(rollout.invalid), [[1, 2]])
    assert rollout.reward[1, 2] == 0 and rollout.metrics["doubled"][1, 2] == 0
    assert all(np.isfinite(x).all() for x in jax.tree.leaves((rollout, state.environments)) if x.dtype == jnp.float32)


def test_returns_and_lengths_follow_the_episodes(collected):
    state, _ = collected
    episodes = state.episodes
    np.testing.assert_array_equal(episodes.last_lengths, [4, 3, 2])
    np.testing.assert_array_equal(episodes.last_returns, [1 + 2 + 3 + 4, 2 + 3 + 4, 3 + 0])
    np.testing.assert_array_equal(episodes.lengths, [2, 3, 4])
    np.testing.assert_array_equal(episodes.returns, [101 + 102, 101 + 102 + 103, 101 + 102 + 103 + 104])


def test_the_carried_observation_is_that_of_the_carried_environments(collected):
    state, _ = collected
    np.testing.assert_array_equal(state.observation["count"][:, 0], state.environments["count"])
    assert (jax.random.key_data(state.key) != jax.random.key_data(jax.random.key(3))).any()
