"""Memory in the same rollout: learned by PPO and by cloning, carried across rollouts, and begun anew with episodes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents import BehaviourCloning, Learner, NetworkConfig, Ppo
from agents.normaliser import normalise
from agents.recurrence import episode_starts, evaluate
from devi_jax.core.errors import ConfigError
from tests.agents.recall import GruNetwork, Recall

SIZES = {"environments": 64, "horizon": 12, "minibatch": 384, "epochs": 4}
PPO = Ppo(**SIZES, gamma=0.5, value_clip=None, actor_learning_rate=1e-2, critic_learning_rate=1e-2, bound_weight=0.0)
CLONING = BehaviourCloning(**SIZES, learning_rate=1e-2, expert=lambda state, observation: state["cue"][None])
FEED_FORWARD = NetworkConfig(
    token_width=8, transformer_layers=0, heads=1, actor_widths=(16,), critic_widths=(16,), log_std=-1.0
)


def trained(algorithm, network, iterations):
    learner = Learner(Recall(), algorithm, network)
    state = learner.init(jax.random.key(0))
    for _ in range(iterations):
        state, _ = learner.update(state)
    return learner, state


def errors(policy):
    """Distance of the policy's actions from the cue, (steps, 2): for the cue -1 and for the cue 1."""
    task, cue = Recall(), jnp.array([-1.0, 1.0])
    states, carry, found = {"cue": cue, "time": jnp.zeros(2, jnp.int32)}, policy.initial_carry(2), []
    for _ in range(task.length):
        carry, action = policy.act(policy.parameters, carry, jax.vmap(task.observe)(states), jax.random.key(0))
        found.append(np.abs(action[:, 0] - cue))
        states, _ = jax.vmap(task.step)(states, action)
    return np.array(found)


@pytest.mark.parametrize("algorithm", [PPO, CLONING], ids=["ppo", "cloning"])
def test_a_recurrent_policy_remembers_what_it_saw_once(algorithm):
    learner, state = trained(algorithm, GruNetwork(), 80)
    assert errors(learner.policy(state)).max() < 0.25


def test_without_memory_the_cue_is_forgotten_after_the_first_step():
    learner, state = trained(CLONING, FEED_FORWARD, 80)
    found = errors(learner.policy(state))
    assert found[0].max() < 0.25 and (found[1:].sum(axis=1) > 1.9).all()


def test_sequences_are_evaluated_as_they_were_acted():
    """Across ends of episodes, and from what was remembered at the end of the rollout before."""
    learner, state = trained(PPO, GruNetwork(), 1)
    state, first = learner.collect(state)
    state, rollout = learner.collect(state)
    done = rollout.terminated | rollout.truncated
    assert done.any() and not done[-1].any()
    np.testing.assert_array_equal(rollout.carry[0][:, 0].any(axis=-1), ~episode_starts(done)[:, 0])
    assert not np.allclose(rollout.carry[0][0], first.carry[0][0])
    observation = normalise(state.algorithm.normaliser, rollout.observation)
    inputs = jax.tree.map(lambda x: jnp.moveaxis(x, 0, 1), (rollout.carry[0], observation, episode_starts(done)))
    again = evaluate(learner.networks.actor, state.algorithm.actor, jnp.zeros(8), *inputs)
    np.testing.assert_allclose(again.mean, jnp.moveaxis(rollout.record.behaviour.mean, 0, 1), atol=1e-5)


def test_minibatches_must_hold_whole_sequences():
    uneven = Ppo(environments=64, horizon=12, minibatch=64)
    learner = Learner(Recall(), uneven, GruNetwork())
    with pytest.raises(ConfigError, match="sequences of 12 steps"):
        learner.update(learner.init(jax.random.key(0)))
