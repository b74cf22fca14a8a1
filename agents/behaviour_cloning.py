"""Behaviour cloning: the policy's mean by regression onto an expert's actions, where the expert or the policy leads.

With `expert_share` below 1 it is DAgger (Ross et al. 2011), with `noise` DART (Laskey et al. 2017). An expert that is
itself a policy, whose observations are a group of the environment's own, makes it distillation.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, Key, PRNGKeyArray

from agents import normaliser
from agents.algorithm import Decision, Metrics, Rollout
from agents.minibatch import RolloutConfig, group_samples, minibatch_epochs
from agents.networks import Networks, Parameters
from agents.normaliser import Normaliser, normalise
from agents.policies import mean_policy
from agents.recurrence import episode_starts, evaluate
from devi_jax.core.environment import Observation, ObservationSizes
from devi_jax.core.policy import Policy

Expert = Callable[[Any, Observation], Float[Array, " A"]]
"""State and observation of one environment to the action that is right there."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class CloningState:
    """The actor, its optimiser, and observation statistics."""

    actor: Parameters
    optimiser: optax.OptState
    normaliser: Normaliser


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class CloningBatch:
    """Normalised observations and the expert's actions; `carry` and `starts` are for networks with memory."""

    observation: Observation
    carry: Any
    starts: Bool[Array, "*B"]
    expert_action: Float[Array, "*B A"]


@dataclass(frozen=True)
class BehaviourCloning(RolloutConfig):
    """The algorithm and its settings."""

    learning_rate: float = 1e-3
    """Adam's learning rate."""
    max_grad_norm: float = 1.0
    """Global norm to which gradients are clipped."""
    expert_share: float = 1.0
    """Share of steps in which the expert acts; in the others the policy does, and the expert only labels."""
    noise: float = 0.0
    """Standard deviation of Gaussian noise on the actions taken, so that the expert shows how to recover."""
    expert: Expert = field(kw_only=True)

    def init(self, networks: Networks, observation_sizes: ObservationSizes, key: PRNGKeyArray) -> CloningState:
        """A fresh actor, and statistics of nothing."""
        actor, _ = networks.init(key)
        return CloningState(actor, make_optimiser(self).init(actor), normaliser.init(observation_sizes))

    def act(
        self,
        networks: Networks,
        state: CloningState,
        carry: Any,
        observation: Observation,
        env_states: Any,
        index: Int[Array, " N"],
        keys: Key[Array, " N"],
    ) -> Decision:
        """The expert's action or the policy's, with noise; the expert's is recorded in either case."""
        actor_carry, policy = networks.actor(state.actor, carry[0], normalise(state.normaliser, observation))
        expert_action = jax.vmap(self.expert)(env_states, observation)

        def choose(key, expert, own):
            share_key, noise_key = jax.random.split(key)
            action = jnp.where(jax.random.uniform(share_key) < self.expert_share, expert, own)
            return action + self.noise * jax.random.normal(noise_key, action.shape)

        action = jax.vmap(choose)(keys, expert_action, policy.mean)
        return Decision(action, (actor_carry, carry[1]), expert_action)

    def bootstrap(self, networks: Networks, state: CloningState, carry: Any, observation: Observation) -> tuple[()]:
        """Nothing: no values are learned."""
        return ()

    def update(
        self, networks: Networks, state: CloningState, rollout: Rollout, key: PRNGKeyArray, iteration: Int[Array, ""]
    ) -> tuple[CloningState, Metrics]:
        """`epochs` passes over a rollout."""
        optimiser = make_optimiser(self)
        statistics = normaliser.update(state.normaliser, rollout.observation)
        batch = CloningBatch(
            observation=normalise(statistics, rollout.observation),
            carry=rollout.carry,
            starts=episode_starts(rollout.terminated | rollout.truncated),
            expert_action=rollout.record,
        )

        def step(carry, minibatch):
            actor, optimiser_state = carry
            loss, gradient = jax.value_and_grad(cloning_loss)(actor, networks, minibatch)
            change, optimiser_state = optimiser.update(gradient, optimiser_state, actor)
            metrics = {"loss/cloning": loss, "gradient/actor_norm": optax.tree.norm(gradient)}
            return (optax.apply_updates(actor, change), optimiser_state), metrics

        carry = (state.actor, state.optimiser)
        grouped = group_samples(batch, self, networks.recurrent)
        (actor, optimiser_state), metrics = minibatch_epochs(step, carry, grouped, self, key)
        last_epoch = {name: values[-1].mean() for name, values in metrics.items()}
        return CloningState(actor, optimiser_state, statistics), last_epoch

    def policy(self, networks: Networks, state: CloningState) -> Policy:
        """The actor's mean action."""
        return mean_policy(networks, state.actor, state.normaliser)


def make_optimiser(config: BehaviourCloning) -> optax.GradientTransformation:
    """Adam with clipped gradients."""
    return optax.chain(optax.clip_by_global_norm(config.max_grad_norm), optax.adam(config.learning_rate))


def cloning_loss(parameters: Parameters, networks: Networks, batch: CloningBatch) -> Float[Array, ""]:
    """Squared difference between the policy's mean and the expert's action, summed over actions, mean over samples."""
    initial = networks.initial_carry()[0]
    policy = evaluate(networks.actor, parameters, initial, batch.carry[0], batch.observation, batch.starts)
    return ((policy.mean - batch.expert_action) ** 2).sum(-1).mean()
