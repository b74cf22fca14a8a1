"""The deterministic policy of a Gaussian actor behind an observation normaliser, which all algorithms here learn."""

from dataclasses import dataclass
from typing import Any

from jaxtyping import Array, Float, PRNGKeyArray

from agents.networks import Networks, Parameters
from agents.normaliser import Normaliser, normalise, of_group
from devi_jax.core.environment import Observation, group
from devi_jax.core.policy import Policy


@dataclass(frozen=True)
class MeanAction:
    """Acts by the mean, without noise, so that the key is not used.

    Equal for equal networks, so that policies which differ in parameters share what is compiled.
    """

    networks: Networks

    def __call__(
        self, parameters: tuple[Parameters, Normaliser], carry: Any, observation: Observation, key: PRNGKeyArray
    ) -> tuple[Any, Float[Array, "*B A"]]:
        """Mean actions for raw observations, of which only what the actor sees is used."""
        actor, statistics = parameters
        carry, gaussian = self.networks.actor(actor, carry, normalise(statistics, group(observation, "actor")))
        return carry, gaussian.mean


def mean_policy(networks: Networks, actor: Parameters, statistics: Normaliser) -> Policy:
    """The policy of an actor; its parameters are `(actor, normaliser)`, as policy files hold them."""
    return Policy(MeanAction(networks), (actor, of_group(statistics, "actor")), networks.initial_carry()[0])
