"""What a learning algorithm promises its host, `agents.learner.Learner`: init, act, update, policy.

The host steps environments and owns their states; an algorithm owns parameters, optimisers and statistics, and never
sees a simulator. PPO and behaviour cloning are two of them; a policy may have memory, which the rollout carries.
"""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import jax
from jaxtyping import Array, Bool, Float, Int, Key, PRNGKeyArray

from agents.networks import Networks
from devi_jax.core.environment import Observation, ObservationSizes
from devi_jax.core.policy import Policy

Metrics = dict[str, Float[Array, ""]]
"""Named scalars of one iteration."""


@dataclass(frozen=True)
class Decision:
    """What an algorithm does in N environments in one step, with the policy's memory after it.

    `record`: whatever its `update` needs to know of this step, as a pytree with leaves (N, ...).
    """

    action: Float[Array, "N A"]
    carry: Any
    record: Any = ()


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Rollout:
    """T steps of N environments; `observation` is the raw one acted on, `carry` the policy's memory before it.

    `record` and `bootstrap` have leaves (T, N, ...) of the algorithm's own. `invalid` marks steps that led to
    non-finite numbers; `metrics` are the environment's, zero in those steps.
    """

    observation: Observation
    carry: Any
    action: Float[Array, "T N A"]
    record: Any
    bootstrap: Any
    reward: Float[Array, "T N"]
    terminated: Bool[Array, "T N"]
    truncated: Bool[Array, "T N"]
    invalid: Bool[Array, "T N"]
    metrics: dict[str, Float[Array, "T N"]]


@runtime_checkable
class Algorithm(Protocol):
    """Settings as frozen, hashable data, and pure functions of a state, which is a pytree of arrays.

    Every method gets the networks, as `networks` builds them; all but `init` also the algorithm's state.
    """

    @property
    def environments(self) -> int:
        """N, environments stepped together."""
        ...

    @property
    def horizon(self) -> int:
        """T, steps of each environment between two updates."""
        ...

    @property
    def groups(self) -> int:
        """Into how many equal parts environments can be divided; the number of devices must divide it."""
        ...

    def init(self, networks: Networks, observation_sizes: ObservationSizes, key: PRNGKeyArray) -> Any:
        """The state before the first iteration."""
        ...

    def act(
        self,
        networks: Networks,
        state: Any,
        carry: Any,
        observation: Observation,
        env_states: Any,
        index: Int[Array, " N"],
        keys: Key[Array, " N"],
    ) -> Decision:
        """Act in N environments while collecting; `keys` (N,). `env_states` are for teachers that see everything.

        `index` (N,): which of all environments these are, whatever device has them.
        """
        ...

    def bootstrap(self, networks: Networks, state: Any, carry: Any, observation: Observation) -> Any:
        """What `update` needs of the N observations that a step led to, before any reset, such as their values."""
        ...

    def update(
        self, networks: Networks, state: Any, rollout: Rollout, key: PRNGKeyArray, iteration: Int[Array, ""]
    ) -> tuple[Any, Metrics]:
        """Learn from a rollout that this state has collected; `iteration` counts updates from 0."""
        ...

    def policy(self, networks: Networks, state: Any) -> Policy:
        """The deterministic policy, which is evaluated, filmed and exported, for raw observations."""
        ...
