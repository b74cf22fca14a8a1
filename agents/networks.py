"""Actor and critic: a transformer over observation tokens, and an MLP over their concatenation (DeVI, A.8).

`flax.nnx` modules stay inside this file; outside there are pure functions and parameter dictionaries.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float, PRNGKeyArray

from agents.distribution import Gaussian
from agents.modules import EncoderLayer, Mlp, TokenEncoder
from devi_jax.core.environment import Observation, ObservationSizes, Tokens, group
from devi_jax.core.errors import ConfigError

_LOG_STD_GAIN = 64.0
# Adam moves every parameter by its rate, and so an output of a hidden layer of 256 by up to 256 times that: at the same
# rate a lone parameter would learn two orders of magnitude slower than the mean beside it

Parameters = dict[str, Any]
"""Nested dictionary of arrays."""


@dataclass(frozen=True)
class Networks:
    """Actor and critic as pure functions of parameters, carry and normalised observations with any leading dimensions.

    The carry is the recurrent state of a network with memory, and `()` for a feed-forward one. A part of an actor that
    is not to be trained goes through `jax.lax.stop_gradient`.
    """

    init: Callable[[PRNGKeyArray], tuple[Parameters, Parameters]]
    """Initial parameters of actor and critic."""
    actor: Callable[[Parameters, Any, Observation], tuple[Any, Gaussian]]
    """The carry after this observation, and the distribution of actions."""
    critic: Callable[[Parameters, Any, Observation], tuple[Any, Float[Array, "*B"]]]
    """The carry after this observation, and the value."""
    initial_carry: Callable[[], tuple[Any, Any]] = lambda: ((), ())
    """Carries of actor and critic at the beginning of one episode."""
    rescale_critic: Callable[[Parameters, Array, Array], Parameters] | None = None
    """The critic's parameters with which it says `a v + b` where it said v, for numbers a and b. Without it, values
    jump by as much as the statistics move by which they are normalised."""

    @property
    def recurrent(self) -> bool:
        """Whether actor or critic has memory."""
        return bool(jax.tree.leaves(jax.eval_shape(self.initial_carry)))


@runtime_checkable
class Network(Protocol):
    """Settings of networks, from which they are built for an environment."""

    def build(self, observation_sizes: ObservationSizes, action_size: int) -> Networks:
        """Actor and critic for these observations and actions."""
        ...


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes of actor and critic; the defaults are the paper's where it states them (A.8)."""

    token_width: int = 256
    """Hidden and output width of each token's own MLP, and width of the transformer."""
    token_layers: int = 2
    """Layers of each token's own MLP."""
    transformer_layers: int = 2
    """Pre-norm encoder layers over the tokens; the paper does not state their number. 0 leaves an MLP policy."""
    heads: int = 4
    """Attention heads; must divide `token_width`. Not stated in the paper."""
    feedforward_width: int = 512
    """Hidden width of the encoder layers' MLPs. Not stated in the paper."""
    actor_widths: tuple[int, ...] = (1024, 1024, 1024)
    """Hidden widths of the MLP from the encoded tokens to the action mean."""
    critic_widths: tuple[int, ...] = (1024, 1024, 1024, 1024)
    """Hidden widths of the MLP from the concatenated tokens to the value."""
    output_scale: float = 0.01
    """Standard deviation of the initial weights of the action mean; 0 starts with a mean of exactly zero."""
    log_std: float | tuple[float, ...] = -2.9
    """Log standard deviation of the actions, one number for all or one for each (-2.9: InterMimic, MaskedMimic)."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of the arithmetic within the networks; parameters, outputs, losses and optimisers are float32 in either case.
    bfloat16 pays on an accelerator, and is slower than float32 on a CPU."""
    learn_log_std: bool = False
    """Whether the log standard deviation is a parameter or stays as given."""
    log_std_range: float = math.inf
    """How far a learned log standard deviation gets from the given one, either way; inf: as far as it likes."""

    def __post_init__(self):
        for name in ("token_width", "token_layers", "heads"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}", where=name, valid="1 or more")
        if not self.log_std_range > 0:
            raise ConfigError(f"log_std_range is {self.log_std_range}", where="log_std_range", valid="above 0, or inf")
        if self.token_width % self.heads:
            valid = [h for h in range(1, self.token_width + 1) if self.token_width % h == 0]
            raise ConfigError(
                f"{self.heads} attention heads do not divide a token width of {self.token_width}",
                where="heads",
                valid=", ".join(map(str, valid)),
            )

    def build(self, observation_sizes: ObservationSizes, action_size: int) -> Networks:
        """Feed-forward actor and critic, each for the tokens that it sees.

        Raises:
            ConfigError: if `log_std` has a length other than 1 or the number of actions.
        """
        return _build(self, group(observation_sizes, "actor"), group(observation_sizes, "critic"), action_size)


PAPER = NetworkConfig()
"""Paper-size networks: 4.6 M and 4.4 M parameters for DeVI's observation; 90 % of an iteration on two CPU cores."""

SMALL = NetworkConfig(
    token_width=64,
    transformer_layers=1,
    heads=2,
    feedforward_width=128,
    actor_widths=(256, 256),
    critic_widths=(256, 256),
)
"""Networks whose update takes less time than the simulation on a CPU."""


class _Actor(nnx.Module):
    def __init__(self, config: NetworkConfig, sizes: dict[str, int], action_size: int, rngs: nnx.Rngs):
        width = config.token_width
        layers = [
            EncoderLayer(width, config.heads, config.feedforward_width, rngs, config.precision)
            for _ in range(config.transformer_layers)
        ]
        self.encoder = TokenEncoder(sizes, (width,) * config.token_layers, layers, rngs, config.precision)
        widths = (width * len(sizes), *config.actor_widths, action_size)
        self.head = Mlp(widths, rngs, config.precision, nnx.initializers.normal(config.output_scale))

    def __call__(self, observation: Tokens) -> Float[Array, "*B A"]:
        return self.head(self.encoder(observation)).astype(jnp.float32)


class _Critic(nnx.Module):
    def __init__(self, config: NetworkConfig, sizes: dict[str, int], rngs: nnx.Rngs):
        self.mlp = Mlp((sum(sizes.values()), *config.critic_widths, 1), rngs, config.precision)

    def __call__(self, observation: Tokens) -> Float[Array, "*B"]:
        flat = jnp.concatenate([observation[name] for name in sorted(observation)], axis=-1)
        return self.mlp(flat)[..., 0].astype(jnp.float32)


def _build(
    config: NetworkConfig, actor_sizes: dict[str, int], critic_sizes: dict[str, int], action_size: int
) -> Networks:
    log_std = _log_std(config, action_size)

    def make(key: PRNGKeyArray) -> tuple[_Actor, _Critic]:
        actor_key, critic_key = jax.random.split(key)
        actor = _Actor(config, actor_sizes, action_size, nnx.Rngs(actor_key))
        return actor, _Critic(config, critic_sizes, nnx.Rngs(critic_key))

    abstract = nnx.eval_shape(lambda: make(jax.random.key(0)))
    actor_graph, critic_graph = (nnx.graphdef(module) for module in abstract)

    def init(key: PRNGKeyArray) -> tuple[Parameters, Parameters]:
        mean, critic = (nnx.to_pure_dict(nnx.state(module)) for module in make(key))
        return {"mean": mean} | ({"log_std": jnp.asarray(log_std)} if config.learn_log_std else {}), critic

    def actor(parameters: Parameters, carry: Any, observation: Observation) -> tuple[Any, Gaussian]:
        mean = nnx.merge(actor_graph, parameters["mean"])(group(observation, "actor"))
        learned = _within(config.log_std_range, parameters.get("log_std", log_std), log_std)
        return carry, Gaussian(mean, jnp.broadcast_to(learned, mean.shape))

    def critic(parameters: Parameters, carry: Any, observation: Observation) -> tuple[Any, Float[Array, "*B"]]:
        return carry, nnx.merge(critic_graph, parameters)(group(observation, "critic"))

    def rescale_critic(parameters: Parameters, factor: Array, shift: Array) -> Parameters:
        last = parameters["mlp"]["output"]
        last = {"kernel": factor * last["kernel"], "bias": factor * last["bias"] + shift}
        return {**parameters, "mlp": {**parameters["mlp"], "output": last}}

    return Networks(init, actor, critic, rescale_critic=rescale_critic)


def _within(reach: float, parameter: Array | np.ndarray, given: np.ndarray) -> Array | np.ndarray:
    """The log standard deviation (A,) of a parameter, softly bounded: a hard bound would have no gradient to return."""
    if math.isinf(reach):
        return parameter
    return given + reach * jnp.tanh(_LOG_STD_GAIN / reach * (parameter - given))


def _log_std(config: NetworkConfig, action_size: int) -> np.ndarray:
    given = np.asarray(config.log_std, np.float32)
    if given.ndim and given.shape != (action_size,):
        raise ConfigError(
            f"{given.size} log standard deviations for {action_size} actions",
            where="log_std",
            valid=f"one number, or {action_size} of them",
        )
    return np.broadcast_to(given, (action_size,))
