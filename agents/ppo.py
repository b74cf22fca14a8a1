"""Proximal policy optimisation: its settings and its losses (DeVI, A.10, Eq. 23-27), as pure functions of arrays.

Where the paper is silent the defaults are InterMimic's, whose set-up it shares.
"""

import math
from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array, Float

from devi_jax.core.errors import ConfigError

_LARGEST_LOG_RATIO = 20.0


@dataclass(frozen=True)
class PpoConfig:
    """Settings of the learner; the defaults are the paper's where it states them (A.10)."""

    environments: int = 4096
    """Environments stepped together."""
    horizon: int = 32
    """Steps of each environment in one iteration."""
    minibatch: int = 1024
    """Samples of one gradient step; must divide environments x horizon."""
    epochs: int = 6
    """Passes over the samples of one iteration. Not stated in the paper."""
    gamma: float = 0.99
    """Discount of a step. Not stated in the paper."""
    gae_lambda: float = 0.95
    """Decay of generalised advantage estimation. Not stated in the paper."""
    clip: float = 0.2
    """Clipping constant epsilon of the likelihood ratio (Eq. 23)."""
    value_clip: float | None = 0.2
    """Largest change of the value in one iteration, in scaled return (Eq. 26, which reuses epsilon); None: no limit."""
    actor_rate: float = 2e-5
    """Adam's learning rate of the actor."""
    critic_rate: float = 1e-4
    """Adam's learning rate of the critic."""
    target_kl: float | None = None
    """KL divergence of an iteration that the actor's rate is steered to: divided by 1.5 above twice of it, multiplied
    by 1.5 below half of it, within a factor of 10 of `actor_rate`. None: the rate stays."""
    critic_warmup: int = 0
    """First iterations in which only the critic learns: an untrained critic degrades an actor that starts good."""
    average: float = 0.0
    """Decay, an iteration, of the averaged actor that is judged; 0 judges the last one."""
    max_grad_norm: float = 1.0
    """Global norm to which the gradients of actor and critic are clipped, each on its own."""
    bound_weight: float = 1.0
    """Weight of the bound loss (Eq. 24) beside the policy loss (Eq. 25)."""
    entropy_weight: float = 0.0
    """Weight of the entropy bonus; has an effect only on a learned standard deviation."""
    normalise_advantage: bool = True
    """Whether the advantages of an iteration are brought to zero mean and unit variance."""
    reward_scale: float = 1.0
    """Factor on rewards before learning; 1 - gamma keeps returns within the range of a single reward."""

    @property
    def groups(self) -> int:
        """Groups of neighbouring environments of which every minibatch has equally many samples; as many as can be."""
        return math.gcd(self.environments, self.minibatch)

    def __post_init__(self):
        for name in ("environments", "horizon", "minibatch", "epochs"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}", where=f"--ppo.{name}", valid="1 or more")
        samples = self.environments * self.horizon
        if samples % self.minibatch:
            raise ConfigError(
                f"{self.environments} environments x {self.horizon} steps do not divide into minibatches "
                f"of {self.minibatch}",
                where="--ppo.minibatch",
                valid=f"a divisor of {samples}, such as {', '.join(map(str, _divisors_near(samples, self.minibatch)))}",
            )


def _divisors_near(number: int, wanted: int, count: int = 5) -> list[int]:
    divisors = (d for d in range(1, number + 1) if number % d == 0)
    return sorted(sorted(divisors, key=lambda d: abs(math.log(d / wanted)))[:count])


def ppo_loss(log_ratio: Float[Array, " B"], advantage: Float[Array, " B"], clip: float) -> Float[Array, ""]:
    """-E[min(r A, clip(r, 1 - clip, 1 + clip) A)], r = exp(log_ratio) (Eq. 23, with A on both terms)."""
    # exp overflows float32 from 88 on; e^20 already lies far outside any trust region.
    ratio = jnp.exp(jnp.minimum(log_ratio, _LARGEST_LOG_RATIO))
    return -jnp.minimum(ratio * advantage, jnp.clip(ratio, 1 - clip, 1 + clip) * advantage).mean()


def bound_loss(mean: Float[Array, "B A"]) -> Float[Array, ""]:
    """Sum over actions of ReLU(mu - 1)^2 + ReLU(-mu - 1)^2, mean over the batch (Eq. 24)."""
    return (jnp.maximum(jnp.abs(mean) - 1, 0) ** 2).sum(-1).mean()


def value_loss(
    value: Float[Array, " B"], old_value: Float[Array, " B"], target: Float[Array, " B"], value_clip: float | None
) -> Float[Array, ""]:
    """1/2 E[max((V - R)^2, (V_clip - R)^2)], V_clip = clip(V, V_old - value_clip, V_old + value_clip) (Eq. 26, 27)."""
    error = (value - target) ** 2
    if value_clip is not None:
        clipped = old_value + jnp.clip(value - old_value, -value_clip, value_clip)
        error = jnp.maximum(error, (clipped - target) ** 2)
    return 0.5 * error.mean()
