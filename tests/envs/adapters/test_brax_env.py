"""The brax adapter: under jit, vmap and scan, through brax's own training wrappers, and right by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from brax.envs.base import Env, State
from brax.envs.wrappers import training

from envs.adapters.brax_env import BraxEnvironment, wrap


def play(env, key, action, steps):
    """First state, and the states after each step of a constant action."""

    @jax.jit
    def run(key):
        def step(state, _):
            state = env.step(state, action)
            return state, state

        first = env.reset(key)
        return first, jax.lax.scan(step, first, None, length=steps)[1]

    return jax.device_get(run(key))


def test_it_is_a_brax_environment_whose_states_keep_their_structure(rail):
    env = BraxEnvironment(rail)
    assert isinstance(env, Env) and env.observation_size == 3 and env.action_size == 1 and env.unwrapped is env
    state = env.reset(jax.random.PRNGKey(0))
    after = env.step(state, jnp.array([0.5]))
    assert isinstance(state, State) and state.obs.shape == (3,)
    assert jax.tree.structure(state) == jax.tree.structure(after)
    assert [x.dtype for x in jax.tree.leaves(state)] == [x.dtype for x in jax.tree.leaves(after)]
    np.testing.assert_allclose(after.obs, [1, 4, state.obs[2] + 0.15], rtol=1e-6)
    assert after.reward == after.metrics["place_m"] == after.obs[2]


def test_the_clips_end_is_a_truncation_and_a_failure_is_none(rail):
    """Half a step of 0.3 m runs out of time after five; a whole one passes 1 m in its fourth step."""
    env, keys = wrap(BraxEnvironment(rail)), jax.random.split(jax.random.PRNGKey(1), 2)
    first, states = play(env, keys, jnp.array([[0.5], [1.0]]), 5)
    np.testing.assert_array_equal(states.done, [[0, 0]] * 3 + [[0, 1], [1, 0]])
    np.testing.assert_array_equal(states.info["truncation"], [[0, 0]] * 4 + [[1, 0]])
    np.testing.assert_array_equal(states.obs[3, 1], first.obs[1])
    np.testing.assert_array_equal(states.info["steps"][3:, 1], [4, 1])


def test_brax_own_wrapper_stack_and_evaluation_work_on_it(rail):
    env = training.EvalWrapper(training.wrap(BraxEnvironment(rail), episode_length=3))
    first, states = play(env, jax.random.split(jax.random.PRNGKey(2), 4), jnp.full((4, 1), 0.5), 7)
    np.testing.assert_array_equal(states.done[:, 0], [0, 0, 1, 0, 0, 1, 0])
    whole = states.info["eval_metrics"].episode_metrics["reward"][-1]
    np.testing.assert_allclose(whole, 3 * first.obs[:, 2] + 0.15 * (1 + 2 + 3), rtol=1e-5)
    np.testing.assert_array_equal(states.info["eval_metrics"].episode_steps[-1], 3)


def test_variation_belongs_to_the_environment(rail):
    with pytest.raises(ValueError, match="randomization"):
        wrap(BraxEnvironment(rail), randomization_fn=lambda system: (system, None))
