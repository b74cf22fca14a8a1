"""Learning: algorithms on any environment that keeps the protocol in `devi_jax.core.environment`."""

from agents.algorithm import Algorithm, Decision, Metrics, Rollout
from agents.behaviour_cloning import BehaviourCloning
from agents.learner import Learner
from agents.networks import PAPER, SMALL, Network, NetworkConfig, Networks
from agents.ppo import Ppo
from agents.state import Episodes, TrainState

__all__ = [
    "PAPER",
    "SMALL",
    "Algorithm",
    "BehaviourCloning",
    "Decision",
    "Episodes",
    "Learner",
    "Metrics",
    "Network",
    "NetworkConfig",
    "Networks",
    "Ppo",
    "Rollout",
    "TrainState",
]
