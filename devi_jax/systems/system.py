"""A system: the whole task and the learner of one method, in one table: frozen data that flags change leaf by leaf."""

import math
from dataclasses import dataclass
from typing import Literal

from tyro.conf import Fixed, SuppressFixed

from agents import NetworkConfig, Ppo
from devi_jax.core.errors import ConfigError
from devi_jax.systems.exploration import Exploration
from devi_jax.systems.trajectory_search import PlanConfig
from envs.control import Controller
from envs.physics import Timing
from envs.rewards import Combine, Reward
from envs.tracking.config import (
    STILL,
    ActionConfig,
    ArmReference,
    CurriculumConfig,
    ObjectPoints,
    ResetConfig,
    TaskConfig,
)
from envs.tracking.observations import Goal, Observations, Observe
from envs.tracking.randomization import Randomization
from envs.tracking.terminations import Termination

EmbodimentName = Literal["human", "capsule_arm"]


@dataclass(frozen=True)
class System:
    """Everything that defines what is learned; a run folder keeps it whole."""

    name: SuppressFixed[Fixed[str]]
    """Which system this is: `train --system`."""
    embodiment: SuppressFixed[Fixed[EmbodimentName]]
    """Who acts."""
    action: ActionConfig
    """What an action means."""
    observations: dict[str, dict[str, Observe]]
    """What actor and critic see: a row a token. An empty `critic` sees what the actor sees."""
    goal: dict[str, Goal]
    """What both see of the frames to come."""
    goal_frames: tuple[int, ...]
    """Frames ahead that the goal holds (the paper's k is not stated)."""
    rewards: dict[str, Reward]
    """An error, its shape and how much it counts: a row a reward; weight 0 switches it off."""
    combine: Combine
    """How the rows' factors make a reward."""
    terminations: dict[str, Termination]
    """What ends an episode early: a row a bound; an infinite one is off."""
    controllers: dict[str, Controller]
    """What adds to the PD targets, from the reference beforehand or in every step."""
    ppo: Ppo
    """The learner."""
    network: NetworkConfig
    """Actor and critic."""
    exploration: Exploration = Exploration()
    """Initial noise on the targets of each class of joints."""
    timing: Timing = Timing()
    """How often it simulates, drives its joints and asks its policy."""
    resets: ResetConfig = ResetConfig()
    """Where episodes start."""
    randomization: Randomization = STILL
    """How the object differs from the clip's in every episode; its place only where it still stands."""
    curriculum: CurriculumConfig = CurriculumConfig()
    """What episodes so far change in those to come."""
    object_points: ObjectPoints = ObjectPoints()
    """Points that stand for the object's 2D tracks in clips with 6-DoF poses."""
    arm_reference: ArmReference = "grip"
    """What an arm's reference knows: to `follow` the object's path, or only to `grip` the object where it stands. A
    human's is its clip."""
    planner: PlanConfig = PlanConfig()
    """What is searched before learning, where planning is asked for."""

    @property
    def task(self) -> TaskConfig:
        """What a tracking environment needs beside its tables."""
        return TaskConfig(self.resets, self.randomization, self.curriculum)

    @property
    def tables(self) -> Observations:
        """The tables of what is observed."""
        seen = self.observations
        return Observations(seen["actor"], seen["critic"], self.goal, self.goal_frames)

    def validate(self) -> None:
        """Raise `ConfigError` for numbers without meaning."""
        self.timing.validate()
        for name, row in self.rewards.items():
            if not (row.weight >= 0 and row.sharpness >= 0):
                raise ConfigError(
                    f"reward {name} has weight {row.weight} and sharpness {row.sharpness}",
                    where=f"--rewards.{name.replace('_', '-')}",
                    valid="numbers that are not negative",
                )
        for name, row in self.terminations.items():
            if math.isnan(row.bound):
                raise ConfigError(
                    f"termination {name} has no bound",
                    where=f"--terminations.{name.replace('_', '-')}.bound",
                    valid="a number, or inf for none",
                )
        for part, rows in self.observations.items():
            for name, row in rows.items():
                if not (row.noise >= 0 and row.history >= 1):
                    raise ConfigError(
                        f"observation {name} has noise {row.noise} and history {row.history}",
                        where=f"--observations.{part}.{name}",
                        valid="noise of 0 or more, and a history of 1 or more",
                    )
