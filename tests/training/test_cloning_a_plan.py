"""The second algorithm on the real task: a clone of a shipped plan does, closed loop, what the plan does open loop."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents import BehaviourCloning, Learner, NetworkConfig
from devi_jax.core import rotations as rot
from devi_jax.deploy.policy_file import read_policy, shipped
from devi_jax.evaluation.rollouts import roll, zero_policy

NETWORK = NetworkConfig(
    token_width=64, transformer_layers=0, heads=1, actor_widths=(128, 128), critic_widths=(4,), output_scale=0.0
)


def plan_actions(raw, planned):
    """The residual actions (T, A) that turn a reference's own targets into the plan's."""
    turns = rot.quat_log(rot.quat_mul(rot.quat_conj(raw.reference.target), planned.reference.target))
    return raw.actions(turns[:, 1:])


@pytest.mark.slow
def test_a_clone_of_a_plan_carries_as_the_plan_does():
    assembly = read_policy(shipped()["lift_can"], "c").assembly
    raw, planned = assembly.raw, assembly.environment
    assert raw is not None
    actions = plan_actions(raw, planned)
    cloning = BehaviourCloning(
        environments=32, horizon=32, minibatch=256, epochs=8, learning_rate=1e-3, noise=0.02,
        expert=lambda state, observation: actions[jnp.minimum(state.t, len(actions) - 1)],
    )  # fmt: skip
    learner = Learner(raw, cloning, NETWORK)
    state = learner.init(jax.random.key(0))
    for _ in range(25):
        state, metrics = learner.update(state)
    _, rollout = learner.collect(state)
    unexplained = float(metrics["loss/cloning"]) / np.asarray(rollout.record).var(axis=(0, 1)).sum()
    clone, plan, replay = (
        roll(environment, policy, jax.random.key(0))
        for environment, policy in ((raw, learner.policy(state)), (planned, zero_policy()), (raw, zero_policy()))
    )
    reward = [float(x.reward.mean()) for x in (clone, plan, replay)]
    print(unexplained, reward, [int(x.alive.sum()) for x in (clone, plan, replay)])
    assert unexplained < 0.05
    assert reward[0] > 0.9 * reward[1]
