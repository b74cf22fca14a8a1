"""A second algorithm under the same host: the expert of a linear task is found again."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents import BehaviourCloning, Learner, NetworkConfig
from tests.agents.reach import Reach
from tests.agents.test_learner import acting
from tests.agents.test_sampling_mpc import FRAMES, Follow, planner, starts

GAIN = 0.7
SIZES = {"environments": 32, "horizon": 16, "minibatch": 128, "epochs": 4}
NETWORK = NetworkConfig(token_width=16, transformer_layers=0, heads=1, actor_widths=(32,), critic_widths=(4,))


def expert(state, observation):
    """The action that closes most of the gap; it looks at the simulator, not at the tokens."""
    return -GAIN * (state["position"] - state["goal"])[None]


def cloned(iterations=60, **changes):
    learner = Learner(Reach(), BehaviourCloning(**SIZES, learning_rate=3e-3, expert=expert, **changes), NETWORK)
    state, losses = learner.init(jax.random.key(0)), []
    for _ in range(iterations):
        state, metrics = learner.update(state)
        losses.append(float(metrics["loss/cloning"]))
    return learner, state, losses


@pytest.mark.parametrize("share", [1.0, 0.0], ids=["expert leads", "policy leads"])
def test_the_policy_becomes_the_expert(share):
    learner, state, losses = cloned(expert_share=share, noise=0.3)
    assert losses[-1] < losses[0] / 100
    policy = acting(learner.policy(state))
    position, goal = (x.ravel() for x in jnp.meshgrid(jnp.linspace(-0.8, 0.8, 9), jnp.linspace(-0.8, 0.8, 9)))
    action = policy({"position": position[:, None], "goal": goal[:, None]})[:, 0]
    np.testing.assert_allclose(action, -GAIN * (position - goal), atol=0.06)


def test_the_expert_labels_and_only_leads_where_it_is_to():
    for share in (1.0, 0.0):
        learner, state, _ = cloned(iterations=1, expert_share=share)
        _, rollout = learner.collect(state)
        error = rollout.observation["position"] - rollout.observation["goal"]
        np.testing.assert_allclose(rollout.record, -GAIN * error, atol=1e-6)
        lead = rollout.record if share else acting(learner.policy(state))(rollout.observation)
        np.testing.assert_allclose(rollout.action, lead, atol=1e-5)


def test_nothing_else_is_trained():
    _, state, _ = cloned(iterations=1)
    assert set(vars(state.algorithm)) == {"actor", "optimiser", "normaliser"}
    assert state.iteration == 1


@jax.tree_util.register_static
@dataclass(frozen=True)
class Timed(Follow):
    """The planner's toy, with the time in the observation, and an end."""

    observation_sizes = {"x": 1, "t": 1}

    def observe(self, state):
        return {"x": state["x"][None], "t": state["t"][None] / FRAMES}

    def step(self, state, action):
        state, transition = super().step(state, action)
        return state, replace(transition, truncated=state["t"] >= FRAMES - 1)


def test_a_clone_of_a_plan_leads_through_the_plans_states():
    """Open-loop actions that a search has found become a closed-loop policy along the states they lead through."""
    plan = planner().search(starts(0.0), jax.random.key(0))
    cloning = BehaviourCloning(
        environments=16, horizon=FRAMES - 1, minibatch=128, epochs=8, learning_rate=5e-3, noise=0.02,
        expert=lambda state, observation: plan.actions[jnp.minimum(state["t"], FRAMES - 2)],
    )  # fmt: skip
    learner = Learner(Timed(), cloning, replace(NETWORK, actor_widths=(64, 64)))
    state, metrics = learner.init(jax.random.key(0)), {}
    for _ in range(40):
        state, metrics = learner.update(state)
    policy, task = acting(learner.policy(state)), Timed()

    def step(state, _):
        state, transition = task.step(state, policy(task.observe(state)))
        return state, (state["x"], transition.reward)

    _, (x, reward) = jax.lax.scan(step, task.reset(None, ()), None, length=FRAMES - 1)
    assert metrics["loss/cloning"] < 0.1 * np.asarray(plan.actions).var(axis=0).sum()
    assert np.abs(x - plan.states["x"][1:, 0]).max() < 0.15
    assert reward.mean() > 0.95 * plan.reward.mean()
