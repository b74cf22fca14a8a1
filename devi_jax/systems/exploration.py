"""How far a policy tries things out: the initial standard deviation of its actions, by class of joints.

A tenth of a radian in a finger moves its tip by some millimetres, in a shoulder by as many centimetres: what leaves an
episode alive for fingers ends it for arms.
"""

import math
from dataclasses import dataclass, fields, replace

from agents import NetworkConfig
from devi_jax.core.errors import ConfigError
from envs.tracking.actions import JointAbsolute, JointResidual
from envs.tracking.env import TrackingEnvironment


@dataclass(frozen=True)
class Exploration:
    """Initial standard deviation of the noise on the targets of each class of joints; all 0: `network.log_std`."""

    finger: float = 0.0
    """Fingers, radians about each axis."""
    wrist: float = 0.0
    """Wrists, radians about each axis."""
    arm: float = 0.0
    """Collars, shoulders and elbows, and the joints of a robot's arm, radians about each axis."""
    spine: float = 0.0
    """Spine, neck and head, radians about each axis."""
    leg: float = 0.0
    """Hips, knees, ankles and toes, radians about each axis."""
    gripper: float = 0.0
    """Fingers of a gripper, metres."""

    @property
    def on(self) -> bool:
        """Whether any class has its own."""
        return any(getattr(self, f.name) != 0 for f in fields(self))


def explore(exploration: Exploration, network: NetworkConfig, environment: TrackingEnvironment) -> NetworkConfig:
    """The network with the log standard deviation of each number of an action, in the action's own unit.

    Raises:
        ConfigError: if a class that acts has none, or actions are not of joints.
    """
    if not exploration.on:
        return network
    numbers = _numbers(environment)
    deviations = [getattr(exploration, part) for part, _ in numbers]
    if missing := sorted({part for (part, _), d in zip(numbers, deviations, strict=True) if not d > 0}):
        raise _misfit(f"nothing is tried with {', '.join(missing)}", "above 0 for every class that acts, or all 0")
    log_std = tuple(math.log(d / unit) for (_, unit), d in zip(numbers, deviations, strict=True))
    return replace(network, log_std=log_std)


def _numbers(environment: TrackingEnvironment) -> list[tuple[str, float]]:
    """Of each number of an action, the class of its joint and how far a one moves it, rad or m."""
    joints, action = environment.physics.scene.embodiment.joints, environment.action
    balls = [joint.part for joint in joints if joint.kind == "ball"]
    if isinstance(action, JointAbsolute):
        return [(part, math.pi) for part in balls for _ in range(3)]
    if not isinstance(action, JointResidual):
        raise _misfit("actions are not of joints", "all 0, and --network.log-std")
    scalars = [joint.part for joint in joints if joint.kind in ("hinge", "slide")]
    turns = [(balls[i], reach) for i, reach in zip(action.balls, action.reach, strict=True) for _ in range(3)]
    return turns + list(zip(scalars, action.scalar_reach, strict=True))


def _misfit(what: str, valid: str) -> ConfigError:
    return ConfigError(what, where="--exploration", valid=valid, fix="set --exploration.CLASS, or leave all away")
