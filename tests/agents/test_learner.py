from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents import Learner, NetworkConfig, Ppo
from devi_jax.core.environment import Transition
from tests.agents.reach import EFFORT, Reach

GAMMA = 0.9


def riccati(steps=200):
    """Cost-to-go P e^2 and gain K of the optimal action -K e, for e' = e + u and cost e^2 + EFFORT u^2."""
    p = 1.0
    for _ in range(steps):
        p = 1 + GAMMA * p - (GAMMA * p) ** 2 / (EFFORT + GAMMA * p)
    return p, GAMMA * p / (EFFORT + GAMMA * p)


@pytest.fixture(scope="module")
def reach():
    ppo = Ppo(
        environments=64, horizon=16, minibatch=256, epochs=4, gamma=GAMMA, value_clip=None, actor_learning_rate=1e-3,
        critic_learning_rate=1e-3,
    )  # fmt: skip
    network = NetworkConfig(
        token_width=16, transformer_layers=1, heads=2, feedforward_width=32, actor_widths=(32,),
        critic_widths=(32, 32), log_std=-1.5,
    )  # fmt: skip
    return Learner(Reach(), ppo, network)


def iterate(learner, iterations):
    state, metrics = learner.init(jax.random.key(0)), {}
    for _ in range(iterations):
        state, metrics = learner.update(state)
    return state, metrics


def acting(policy):
    """Observations to actions of a policy without memory."""
    return lambda observation: policy.act(policy.parameters, policy.carry, observation, jax.random.key(0))[1]


def assert_identical(a, b):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        if jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
            x, y = jax.random.key_data(x), jax.random.key_data(y)
        np.testing.assert_array_equal(x, y)


def test_reaches_the_optimum_of_a_linear_quadratic_problem(reach):
    state, metrics = iterate(reach, 150)
    assert all(np.isfinite(value) for value in metrics.values())
    assert reach.environment_steps(int(state.iteration)) == 150 * 64 * 16

    policy, (p, gain) = acting(reach.policy(state)), riccati()
    position, goal = (x.ravel() for x in jnp.meshgrid(jnp.linspace(-1, 1, 9), jnp.linspace(-1, 1, 9)))
    start = error = position - goal
    cost = jnp.zeros_like(error)
    for k in range(60):
        action = policy({"position": (goal + error)[:, None], "goal": goal[:, None]})[:, 0]
        cost, error = cost + GAMMA**k * (error**2 + EFFORT * action**2), error + action
    far = np.abs(start) > 0.4
    optimum = p * start**2
    assert cost.sum() == pytest.approx(float(optimum.sum()), rel=0.05)
    np.testing.assert_array_less(cost[far], 1.25 * optimum[far])
    action = policy({"position": position[:, None], "goal": goal[:, None]})[:, 0]
    assert np.polyfit(start, action, 1)[0] == pytest.approx(-gain, rel=0.1)


def test_nothing_crosses_to_the_host_within_an_iteration(reach):
    program = str(jax.make_jaxpr(reach.update)(reach.shapes()))
    assert "scan" in program and "callback" not in program and "ffi_call" not in program
    state, _ = reach.update(reach.init(jax.random.key(3)))
    with jax.transfer_guard("disallow"):
        with pytest.raises(jax.errors.JaxRuntimeError, match="Disallowed host-to-device"):
            jax.jit(jnp.sin)(np.ones(3, np.float32))  # the guard is on
        state, _ = jax.block_until_ready(reach.update(state))
    assert state.iteration == 2


def test_an_update_is_a_function_of_its_state_alone(reach):
    state = reach.init(jax.random.key(1))
    state, _ = reach.update(state)
    kept = jax.tree.map(jnp.copy, state)
    first, second = reach.update(jax.tree.map(jnp.copy, state)), reach.update(jax.tree.map(jnp.copy, state))
    assert_identical(first, second)

    def through_numpy(x):
        if jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
            return jax.random.wrap_key_data(jnp.asarray(np.array(jax.random.key_data(x))))
        return jnp.asarray(np.array(x))

    assert_identical(reach.update(jax.tree.map(through_numpy, kept)), first)
    assert (jax.random.key_data(state.key) != jax.random.key_data(first[0].key)).any()


def test_training_acts_with_scatter_round_the_policys_mean(reach):
    state = reach.init(jax.random.key(2))
    mean = acting(reach.policy(state))
    _, rollout = reach.collect(state)
    error = rollout.action - mean(rollout.observation)
    np.testing.assert_allclose([error.mean(), error.std()], [0, np.exp(-1.5)], atol=0.02)


@jax.tree_util.register_static
@dataclass(frozen=True)
class Clock:
    """Reward 1 a step for LENGTH steps; then half of the environments fail, and half merely stop being watched.

    Only those that fail can see the time, so both have a value that the critic can represent exactly.
    """

    observation_sizes = {"clock": 4, "fails": 1}
    action_size = 1
    length = 4

    def first_curriculum(self):
        return ()

    def learned(self, curriculum, states, transitions):
        return curriculum

    def reset(self, key, curriculum):
        return {"time": jnp.zeros((), jnp.int32), "fails": jax.random.bernoulli(key)}

    def observe(self, state):
        fails = state["fails"].astype(jnp.float32)
        return {"clock": fails * jax.nn.one_hot(state["time"], self.length), "fails": fails[None]}

    def step(self, state, action):
        state = state | {"time": state["time"] + 1}
        over = state["time"] >= self.length
        ends = (over & state["fails"], over & ~state["fails"])
        return state, Transition(self.observe(state), jnp.ones(()), *ends, {})


def test_truncated_episodes_are_worth_the_endless_sum_and_terminated_ones_the_finite():
    ppo = Ppo(
        environments=64, horizon=8, minibatch=128, epochs=4, gamma=GAMMA, value_clip=None, critic_learning_rate=5e-3
    )
    network = NetworkConfig(
        token_width=4, token_layers=1, transformer_layers=0, heads=1, actor_widths=(4,), critic_widths=(32,)
    )
    learner = Learner(Clock(), ppo, network)
    state, metrics = iterate(learner, 150)
    assert metrics["episode/length"] == 4 and metrics["episode/return"] == 4
    _, rollout = learner.collect(state)
    value, observation = np.asarray(rollout.record.value), rollout.observation
    fails = np.asarray(observation["fails"][..., 0]) == 1
    left = 4 - np.asarray(observation["clock"].argmax(-1))
    np.testing.assert_allclose(value[~fails], 1 / (1 - GAMMA), rtol=0.05)
    np.testing.assert_allclose(value[fails], (1 - GAMMA ** left[fails]) / (1 - GAMMA), rtol=0.05)
