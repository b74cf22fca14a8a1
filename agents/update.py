"""Learn from a rollout: advantages once from the old values, then epochs of minibatches with two optimisers."""

from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray

from agents import normaliser
from agents.distribution import Gaussian, entropy, kl, log_prob
from agents.gae import advantages
from agents.networks import Networks, Parameters
from agents.ppo import PpoConfig, bound_loss, ppo_loss, value_loss
from agents.rollout import Rollout
from agents.state import TrainState
from devi_jax.core.environment import Observation

Metrics = dict[str, Float[Array, ""]]
"""Named scalars of one iteration."""


@dataclass(frozen=True)
class Optimisers:
    """Adam for the actor and Adam for the critic, each with its own rate and gradient clipping."""

    actor: optax.GradientTransformation
    critic: optax.GradientTransformation


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Batch:
    """Samples of one iteration: normalised observations, and what the old networks made of them."""

    observation: Observation
    behaviour: Gaussian
    action: Float[Array, "*B A"]
    log_prob: Float[Array, "*B"]
    advantage: Float[Array, "*B"]
    value: Float[Array, "*B"]
    target: Float[Array, "*B"]


def optimisers(config: PpoConfig) -> Optimisers:
    """The two optimisers of a configuration."""

    def clipped(adam: optax.GradientTransformation) -> optax.GradientTransformation:
        return optax.chain(optax.clip_by_global_norm(config.max_grad_norm), adam)

    # the actor's rate lies in its state, so that it can be steered
    steered = optax.inject_hyperparams(optax.adam)(learning_rate=config.actor_rate)
    return Optimisers(clipped(steered), clipped(optax.adam(config.critic_rate)))


def steer(config: PpoConfig, optimiser: optax.OptState, divergence: Float[Array, ""]) -> optax.OptState:
    """The actor's optimiser with a rate that brings an iteration's KL divergence nearer to `target_kl`."""
    if config.target_kl is None:
        return optimiser
    rate = optax.tree.get(optimiser, "learning_rate")
    factor = jnp.where(divergence > 2 * config.target_kl, 1 / 1.5, jnp.where(divergence < config.target_kl / 2, 1.5, 1))
    rate = jnp.clip(factor * rate, config.actor_rate / 10, config.actor_rate * 10)
    return optax.tree.set(optimiser, learning_rate=rate)


def prepare(config: PpoConfig, state: TrainState, rollout: Rollout) -> Batch:
    """Targets R = A + V_old of all (T, N) samples; advantages normalised after that."""
    scaled = replace(rollout.trajectory, reward=config.reward_scale * rollout.trajectory.reward)
    advantage = advantages(scaled, config.gamma, config.gae_lambda)
    target = advantage + scaled.value
    if config.normalise_advantage:
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    return Batch(
        observation=normaliser.normalise(state.normaliser, rollout.observation),
        behaviour=rollout.behaviour,
        action=rollout.action,
        log_prob=log_prob(rollout.behaviour, rollout.action),
        advantage=advantage,
        value=scaled.value,
        target=target,
    )


def grouped(batch: Batch, groups: int) -> Batch:
    """Samples (T, N, ...) as (G, S, ...): those of neighbouring environments are one group, which no device divides."""

    def group(x):
        x = x.reshape(x.shape[0], groups, -1, *x.shape[2:])
        return jnp.moveaxis(x, 1, 0).reshape(groups, -1, *x.shape[3:])

    return jax.tree.map(group, batch)


def shuffles(config: PpoConfig, key: PRNGKeyArray) -> Int[Array, "M G K"]:
    """Which samples of each group the M minibatches of an epoch take: K of every group, each sample once.

    Groups are shuffled each for itself, so that the samples of a minibatch lie where they were collected.
    """
    size = config.environments * config.horizon // config.groups
    order = jax.vmap(lambda key: jax.random.permutation(key, size))(jax.random.split(key, config.groups))
    return jnp.moveaxis(order.reshape(config.groups, -1, config.minibatch // config.groups), 1, 0)


def take(batch: Batch, chosen: Int[Array, "G K"]) -> Batch:
    """The chosen samples of each group, flattened."""

    def pick(x):
        picked = jax.vmap(lambda group, index: group[index])(x, chosen)
        return picked.reshape(-1, *picked.shape[2:])

    return jax.tree.map(pick, batch)


def actor_loss(
    parameters: Parameters, networks: Networks, config: PpoConfig, batch: Batch
) -> tuple[Float[Array, ""], Metrics]:
    """L_ppo + w_bound L_bound - w_entropy H (Eq. 25)."""
    policy = networks.actor(parameters, batch.observation)
    log_ratio = log_prob(policy, batch.action) - batch.log_prob
    surrogate, bound = ppo_loss(log_ratio, batch.advantage, config.clip), bound_loss(policy.mean)
    spread = entropy(policy).mean()
    metrics = {
        "loss/policy": surrogate,
        "loss/bound": bound,
        "policy/entropy": spread,
        "policy/kl": kl(batch.behaviour, policy).mean(),
        "policy/clip_fraction": (jnp.abs(jnp.expm1(log_ratio)) > config.clip).mean(),
    }
    return surrogate + config.bound_weight * bound - config.entropy_weight * spread, metrics


def critic_loss(
    parameters: Parameters, networks: Networks, config: PpoConfig, batch: Batch
) -> tuple[Float[Array, ""], Metrics]:
    """The clipped value loss (Eq. 27)."""
    value = networks.critic(parameters, batch.observation)
    loss = value_loss(value, batch.value, batch.target, config.value_clip)
    return loss, {"loss/value": loss}


def learn(
    networks: Networks, config: PpoConfig, optimisers: Optimisers, state: TrainState, rollout: Rollout
) -> tuple[TrainState, Metrics]:
    """All epochs over one rollout, with the statistics it was collected with; only then are they updated."""
    batch = grouped(prepare(config, state, rollout), config.groups)
    key, shuffle_key = jax.random.split(state.key)
    acting = (state.iteration >= config.critic_warmup).astype(jnp.float32)

    def descend(optimiser, loss, parameters, optimiser_state, minibatch, share: Array | float = 1.0):
        gradient, metrics = jax.grad(loss, has_aux=True)(parameters, networks, config, minibatch)
        change, optimiser_state = optimiser.update(gradient, optimiser_state, parameters)
        change = jax.tree.map(lambda x: share * x, change)
        return optax.apply_updates(parameters, change), optimiser_state, metrics, optax.tree.norm(gradient)

    def step(carry, chosen):
        minibatch = take(batch, chosen)
        (actor, actor_state), (critic, critic_state) = carry
        actor, actor_state, metrics, actor_norm = descend(
            optimisers.actor, actor_loss, actor, actor_state, minibatch, acting
        )
        critic, critic_state, more, critic_norm = descend(
            optimisers.critic, critic_loss, critic, critic_state, minibatch
        )
        metrics = metrics | more | {"gradient/actor_norm": actor_norm, "gradient/critic_norm": critic_norm}
        return ((actor, actor_state), (critic, critic_state)), metrics

    carry = ((state.actor, state.actor_optimiser), (state.critic, state.critic_optimiser))
    epochs = jax.vmap(partial(shuffles, config))(jax.random.split(shuffle_key, config.epochs))
    carry, metrics = jax.lax.scan(step, carry, epochs.reshape(-1, *epochs.shape[2:]))
    metrics = jax.tree.map(lambda x: x.reshape(config.epochs, -1), metrics)
    (actor, actor_state), (critic, critic_state) = carry
    state = replace(
        state,
        actor=actor,
        average=optax.incremental_update(actor, state.average, 1 - config.average),
        critic=critic,
        # an actor that has not moved says nothing about its rate
        actor_optimiser=jax.tree.map(
            lambda new, old: jnp.where(acting > 0, new, old),
            steer(config, actor_state, metrics["policy/kl"][-1].mean()),
            actor_state,
        ),
        critic_optimiser=critic_state,
        normaliser=normaliser.update(state.normaliser, rollout.observation),
        key=key,
        iteration=state.iteration + 1,
    )
    last_epoch = {name: values[-1].mean() for name, values in metrics.items()}
    last_epoch["policy/rate"] = optax.tree.get(state.actor_optimiser, "learning_rate")
    return state, last_epoch | summarise(batch, rollout, state)


def summarise(batch: Batch, rollout: Rollout, state: TrainState) -> Metrics:
    """What the rollout says of the old networks, the episodes and the environments, as means over its steps."""
    steps, episodes = rollout.trajectory, state.episodes
    finished = jnp.maximum((episodes.last_lengths > 0).sum(), 1)
    valid = jnp.maximum((~rollout.invalid).sum(), 1)
    of_environment = {f"environment/{name}": values.sum() / valid for name, values in rollout.metrics.items()}
    return of_environment | {
        "value/explained_variance": 1 - (batch.target - batch.value).var() / (batch.target.var() + 1e-8),
        "value/mean": batch.value.mean(),
        "episode/reward": steps.reward.mean(),
        "episode/return": episodes.last_returns.sum() / finished,
        "episode/length": episodes.last_lengths.sum() / finished,
        "episode/terminated": steps.terminated.mean(),
        "episode/truncated": steps.truncated.mean(),
        "episode/nan_environments": rollout.invalid.sum().astype(jnp.float32),
    }
