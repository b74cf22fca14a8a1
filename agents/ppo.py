"""Proximal policy optimisation (DeVI, A.10, Eq. 23-27): settings, targets, losses, minibatches, update.

Where the paper is silent the defaults are InterMimic's, whose set-up it shares. Pure functions of arrays throughout.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, Key, PRNGKeyArray

from agents import normaliser, value_scale
from agents.algorithm import Decision, Metrics, Rollout
from agents.distribution import Gaussian, entropy, kl, log_prob, sample
from agents.gae import Trajectory, advantages
from agents.minibatch import RolloutConfig, group_samples, minibatch_epochs
from agents.networks import Networks, Parameters
from agents.normaliser import Normaliser, normalise
from agents.policies import mean_policy
from agents.ppo_losses import bound_loss, ppo_loss, value_loss
from agents.recurrence import episode_starts, evaluate
from agents.value_scale import ValueScale, denormalise
from devi_jax.core.environment import Observation, ObservationSizes
from devi_jax.core.errors import ConfigError
from devi_jax.core.policy import Policy


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class PpoState:
    """Parameters, optimisers and observation statistics; `actor_ema` is the actor averaged over iterations.

    `value_scale`: statistics of returns in which the critic's output is to be read; None: it is the return itself.
    """

    actor: Parameters
    actor_ema: Parameters
    critic: Parameters
    actor_optimiser: optax.OptState
    critic_optimiser: optax.OptState
    normaliser: Normaliser
    value_scale: ValueScale | None = None


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class PpoRecord:
    """What is kept of acting: the distribution that the action was drawn from, `widening` (T, N), the logarithm of the
    factor on its deviation that is the environment's, and the critic's `value` (T, N)."""

    behaviour: Gaussian
    widening: Any
    value: Any  # JAX also puts descriptions of arrays here, which no annotation of an array allows


@dataclass(frozen=True)
class Ppo(RolloutConfig):
    """The algorithm and its settings; the defaults are the paper's where it states them (A.10)."""

    gamma: float = 0.99
    """Discount of a step. Not stated in the paper."""
    gae_lambda: float = 0.95
    """Decay of generalised advantage estimation. Not stated in the paper."""
    clip: float = 0.2
    """Clipping constant epsilon of the likelihood ratio (Eq. 23)."""
    value_clip: float | None = 0.2
    """Largest change of the value in one iteration (Eq. 26, which reuses epsilon), in standard deviations of the return
    with `normalise_value`, else in scaled return; None: no limit."""
    normalise_value: bool = True
    """Whether the critic learns returns of zero mean and unit variance (PopArt). Not stated in the paper; InterMimic's
    configuration has it."""
    actor_learning_rate: float = 2e-5
    """Adam's learning rate of the actor."""
    critic_learning_rate: float = 1e-4
    """Adam's learning rate of the critic."""
    target_kl: float | None = None
    """KL divergence of an iteration to which the actor's learning rate is adapted: divided by 1.5 above twice of it,
    multiplied by 1.5 below half of it, within a factor of 10 of `actor_learning_rate`. None: a constant rate."""
    critic_warmup: int = 0
    """First iterations in which only the critic learns: an untrained critic degrades an actor that starts good."""
    actor_ema: float = 0.0
    """Decay per iteration of the exponential moving average of the actor that is evaluated; 0: the latest actor."""
    max_grad_norm: float = 1.0
    """Global norm to which the gradients of actor and critic are clipped, each on its own."""
    bound_weight: float = 1.0
    """Weight of the bound loss (Eq. 24) beside the policy loss (Eq. 25)."""
    exploration_range: tuple[float, float] = (1.0, 1.0)
    """Smallest and largest factor on the standard deviation of actions, spread geometrically over the environments: one
    that explores little shows what the mean alone is worth, and keeps it from leaning on the noise of the others."""
    entropy_weight: float = 0.0
    """Weight of the entropy bonus; has an effect only on a learned standard deviation."""
    normalise_advantage: bool = True
    """Whether the advantages of an iteration are brought to zero mean and unit variance."""
    reward_scale: float = 1.0
    """Factor on rewards before learning; 1 - gamma keeps returns within the range of a single reward."""

    def __post_init__(self):
        super().__post_init__()
        low, high = self.exploration_range
        if not 0 < low <= high < math.inf:
            raise ConfigError(
                f"exploration_range is {self.exploration_range}",
                where="--ppo.exploration-range",
                valid="two positive numbers, the smaller first",
            )

    def init(self, networks: Networks, observation_sizes: ObservationSizes, key: PRNGKeyArray) -> PpoState:
        """Fresh networks, and statistics of nothing."""
        actor, critic = networks.init(key)
        optimisers = make_optimisers(self)
        return PpoState(
            actor=actor,
            actor_ema=actor,
            critic=critic,
            actor_optimiser=optimisers.actor.init(actor),
            critic_optimiser=optimisers.critic.init(critic),
            normaliser=normaliser.init(observation_sizes),
            value_scale=value_scale.init() if self.normalise_value else None,
        )

    def act(
        self,
        networks: Networks,
        state: PpoState,
        carry: Any,
        observation: Observation,
        env_states: Any,
        index: Int[Array, " N"],
        keys: Key[Array, " N"],
    ) -> Decision:
        """Draw actions from the stochastic policy."""
        normalised = normalise(state.normaliser, observation)
        actor_carry, behaviour = networks.actor(state.actor, carry[0], normalised)
        critic_carry, value = networks.critic(state.critic, carry[1], normalised)
        low, high = self.exploration_range
        share = index.astype(jnp.float32) / max(self.environments - 1, 1)
        widening = math.log(low) + share * (math.log(high) - math.log(low))
        behaviour = widened(behaviour, widening)
        record = PpoRecord(behaviour, widening, denormalise(state.value_scale, value))
        return Decision(jax.vmap(sample)(behaviour, keys), (actor_carry, critic_carry), record)

    def bootstrap(
        self, networks: Networks, state: PpoState, carry: Any, observation: Observation
    ) -> Float[Array, " N"]:
        """The critic's value of the observation that a step led to."""
        normalised = normalise(state.normaliser, observation)
        return denormalise(state.value_scale, networks.critic(state.critic, carry[1], normalised)[1])

    def update(
        self, networks: Networks, state: PpoState, rollout: Rollout, key: PRNGKeyArray, iteration: Int[Array, ""]
    ) -> tuple[PpoState, Metrics]:
        """`epochs` passes over a rollout."""
        return update(self, networks, state, rollout, key, iteration)

    def policy(self, networks: Networks, state: PpoState) -> Policy:
        """The averaged actor's mean action."""
        return mean_policy(networks, state.actor_ema, state.normaliser)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Batch:
    """Samples of one iteration: normalised observations, and what the old networks made of them."""

    observation: Observation
    carry: Any
    starts: Bool[Array, "*B"]
    behaviour: Gaussian
    widening: Float[Array, "*B"]
    action: Float[Array, "*B A"]
    log_prob: Float[Array, "*B"]
    advantage: Float[Array, "*B"]
    value: Float[Array, "*B"]
    target: Float[Array, "*B"]


def widened(policy: Gaussian, widening: Float[Array, "*B"]) -> Gaussian:
    """The policy of environments that explore exp(widening) times as far."""
    return Gaussian(policy.mean, policy.log_std + widening[..., None])


def compute_targets(config: Ppo, state: PpoState, rollout: Rollout) -> Batch:
    """Advantages A and targets R = A + V_old of all (T, N) samples; advantages are normalised after that."""
    behaviour, value = rollout.record.behaviour, rollout.record.value
    trajectory = Trajectory(
        reward=config.reward_scale * rollout.reward,
        value=value,
        next_value=rollout.bootstrap,
        terminated=rollout.terminated,
        truncated=rollout.truncated,
    )
    advantage = advantages(trajectory, config.gamma, config.gae_lambda)
    target = advantage + value
    if config.normalise_advantage:
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    return Batch(
        observation=normalise(state.normaliser, rollout.observation),
        carry=rollout.carry,
        starts=episode_starts(rollout.terminated | rollout.truncated),
        behaviour=behaviour,
        widening=rollout.record.widening,
        action=rollout.action,
        log_prob=log_prob(behaviour, rollout.action),
        advantage=advantage,
        value=value,
        target=target,
    )


def rescale_values(networks: Networks, state: PpoState, batch: Batch) -> tuple[PpoState, Batch]:
    """The statistics of the return with this batch merged, a critic that says the same in them, and the batch's values
    and targets in the unit of its output."""
    if state.value_scale is None:
        return state, batch
    scale, critic = value_scale.update(state.value_scale, batch.target), state.critic
    if networks.rescale_critic is not None:
        critic = networks.rescale_critic(critic, *value_scale.correction(state.value_scale, scale))
    value, target = (value_scale.normalise(scale, x) for x in (batch.value, batch.target))
    return replace(state, critic=critic, value_scale=scale), replace(batch, value=value, target=target)


def actor_loss(
    parameters: Parameters, networks: Networks, config: Ppo, batch: Batch
) -> tuple[Float[Array, ""], Metrics]:
    """L_ppo + w_bound L_bound - w_entropy H (Eq. 25)."""
    initial = networks.initial_carry()[0]
    policy = evaluate(networks.actor, parameters, initial, batch.carry[0], batch.observation, batch.starts)
    log_ratio = log_prob(widened(policy, batch.widening), batch.action) - batch.log_prob
    surrogate, bound = ppo_loss(log_ratio, batch.advantage, config.clip), bound_loss(policy.mean)
    mean_entropy = entropy(policy).mean()
    metrics = {
        "loss/policy": surrogate,
        "loss/bound": bound,
        "policy/entropy": mean_entropy,
        # of the policy as it is: where little is explored, the same change of the mean is a larger divergence
        "policy/kl": kl(widened(batch.behaviour, -batch.widening), policy).mean(),
        "policy/clip_fraction": (jnp.abs(jnp.expm1(log_ratio)) > config.clip).mean(),
    }
    return surrogate + config.bound_weight * bound - config.entropy_weight * mean_entropy, metrics


def critic_loss(
    parameters: Parameters, networks: Networks, config: Ppo, batch: Batch
) -> tuple[Float[Array, ""], Metrics]:
    """The clipped value loss (Eq. 27)."""
    initial = networks.initial_carry()[1]
    value = evaluate(networks.critic, parameters, initial, batch.carry[1], batch.observation, batch.starts)
    loss = value_loss(value, batch.value, batch.target, config.value_clip)
    return loss, {"loss/value": loss}


@dataclass(frozen=True)
class Optimisers:
    """Adam for the actor and Adam for the critic, each with its own learning rate and gradient clipping."""

    actor: optax.GradientTransformation
    critic: optax.GradientTransformation


def make_optimisers(config: Ppo) -> Optimisers:
    """The two optimisers of a configuration."""

    def clipped(adam: optax.GradientTransformation) -> optax.GradientTransformation:
        return optax.chain(optax.clip_by_global_norm(config.max_grad_norm), adam)

    # the actor's learning rate lies in its state, so that it can be adapted
    adaptive = optax.inject_hyperparams(optax.adam)(learning_rate=config.actor_learning_rate)
    return Optimisers(clipped(adaptive), clipped(optax.adam(config.critic_learning_rate)))


def adapt_learning_rate(config: Ppo, optimiser: optax.OptState, divergence: Float[Array, ""]) -> optax.OptState:
    """The actor's optimiser with a learning rate that brings an iteration's KL divergence nearer to `target_kl`."""
    if config.target_kl is None:
        return optimiser
    rate = optax.tree.get(optimiser, "learning_rate")
    factor = jnp.where(divergence > 2 * config.target_kl, 1 / 1.5, jnp.where(divergence < config.target_kl / 2, 1.5, 1))
    rate = jnp.clip(factor * rate, config.actor_learning_rate / 10, config.actor_learning_rate * 10)
    return optax.tree.set(optimiser, learning_rate=rate)


def update(
    config: Ppo, networks: Networks, state: PpoState, rollout: Rollout, key: PRNGKeyArray, iteration: Int[Array, ""]
) -> tuple[PpoState, Metrics]:
    """All epochs over one rollout, with the statistics it was collected with; only then are they updated."""
    optimisers = make_optimisers(config)
    state, samples = rescale_values(networks, state, compute_targets(config, state, rollout))
    batch = group_samples(samples, config, networks.recurrent)
    actor_learns = (iteration >= config.critic_warmup).astype(jnp.float32)

    def gradient_step(optimiser, loss, parameters, optimiser_state, minibatch, scale: Array | float = 1.0):
        gradient, metrics = jax.grad(loss, has_aux=True)(parameters, networks, config, minibatch)
        change, optimiser_state = optimiser.update(gradient, optimiser_state, parameters)
        change = jax.tree.map(lambda x: scale * x, change)
        return optax.apply_updates(parameters, change), optimiser_state, metrics, optax.tree.norm(gradient)

    def step(carry, minibatch):
        (actor, actor_state), (critic, critic_state) = carry
        actor, actor_state, metrics, actor_norm = gradient_step(
            optimisers.actor, actor_loss, actor, actor_state, minibatch, actor_learns
        )
        critic, critic_state, more, critic_norm = gradient_step(
            optimisers.critic, critic_loss, critic, critic_state, minibatch
        )
        metrics = metrics | more | {"gradient/actor_norm": actor_norm, "gradient/critic_norm": critic_norm}
        return ((actor, actor_state), (critic, critic_state)), metrics

    carry = ((state.actor, state.actor_optimiser), (state.critic, state.critic_optimiser))
    carry, metrics = minibatch_epochs(step, carry, batch, config, key)
    (actor, actor_state), (critic, critic_state) = carry
    adapted = adapt_learning_rate(config, actor_state, metrics["policy/kl"][-1].mean())
    state = replace(
        state,
        actor=actor,
        actor_ema=optax.incremental_update(actor, state.actor_ema, 1 - config.actor_ema),
        critic=critic,
        # an actor that has not moved says nothing about its learning rate
        actor_optimiser=jax.tree.map(lambda new, old: jnp.where(actor_learns > 0, new, old), adapted, actor_state),
        critic_optimiser=critic_state,
        normaliser=normaliser.update(state.normaliser, rollout.observation),
    )
    last_epoch = {name: values[-1].mean() for name, values in metrics.items()}
    return state, last_epoch | {
        "policy/learning_rate": optax.tree.get(state.actor_optimiser, "learning_rate"),
        "value/explained_variance": 1 - (batch.target - batch.value).var() / (batch.target.var() + 1e-8),
        "value/mean": denormalise(state.value_scale, batch.value.mean()),
    }
