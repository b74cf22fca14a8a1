"""Learning: PPO on any environment that keeps the protocol in `devi_jax.core.environment`."""

from agents.learner import Learner
from agents.networks import PAPER, SMALL, NetworkConfig, Networks, build
from agents.ppo import PpoConfig
from agents.rollout import Rollout
from agents.state import Episodes, TrainState
from agents.update import Metrics

__all__ = [
    "PAPER",
    "SMALL",
    "Episodes",
    "Learner",
    "Metrics",
    "NetworkConfig",
    "Networks",
    "PpoConfig",
    "Rollout",
    "TrainState",
    "build",
]
