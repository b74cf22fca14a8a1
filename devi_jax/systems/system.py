"""A system: environment, rewards and learner of one method, as frozen data a user can change flag by flag."""

import copy
import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from agents import NetworkConfig, Ppo
from devi_jax.core.errors import ConfigError, RunError, did_you_mean
from devi_jax.systems.reward_terms import TERMS
from devi_jax.systems.trajectory_search import PlanConfig
from envs.rewards import Weighting
from envs.tracking.config import EnvironmentConfig


@dataclass(frozen=True)
class System:
    """Everything that defines what is learned; a run folder keeps it whole."""

    name: str
    """Which recipe this is."""
    environment: EnvironmentConfig
    """Actions, resets, termination, goal."""
    rewards: dict[str, Weighting]
    """Weight and sharpness of each reward term; weight 0 switches a term off."""
    combine: Literal["product", "sum"]
    """How the terms' factors make a reward."""
    ppo: Ppo
    """The learner."""
    network: NetworkConfig
    """Actor and critic."""
    planner: PlanConfig = PlanConfig()
    """What is searched before learning, where planning is asked for."""

    def validate(self) -> None:
        """Raise `ConfigError` for terms that do not exist, and for weights without meaning."""
        for name, weighting in self.rewards.items():
            if name not in TERMS:
                raise ConfigError(
                    f"no reward term '{name}'{did_you_mean(name, TERMS)}",
                    where=f"--rewards.{name.replace('_', '-')}",
                    valid=", ".join(TERMS),
                )
            if not (weighting.weight >= 0 and weighting.sharpness >= 0):
                raise ConfigError(
                    f"reward {name} has weight {weighting.weight} and sharpness {weighting.sharpness}",
                    where=f"--rewards.{name.replace('_', '-')}",
                    valid="numbers that are not negative",
                )


ADDED: dict[str, Any] = {
    "planner.search.assist": 0.0,
    "network.precision": "float32",
    "environment.action.footing": 0.0,
    "environment.goal_object": False,
    "environment.termination.pelvis_m": -math.inf,
    "environment.termination.object_m": math.inf,
    "environment.termination.interaction": math.inf,
    "environment.termination.silent_steps": math.inf,
}
"""Fields that files of older versions lack, and what those runs did without them."""

RENAMED: dict[str, str] = {
    "ppo.actor_rate": "ppo.actor_learning_rate",
    "ppo.critic_rate": "ppo.critic_learning_rate",
    "ppo.average": "ppo.actor_ema",
    "planner.search.knot": "planner.search.knot_spacing",
    "planner.search.floor": "planner.search.min_std",
}
"""Fields that files of older versions, and flags, know by another name: old to new."""


def to_json(system: System) -> dict[str, Any]:
    """The system as JSON types; infinities, which JSON has no numbers for, as words."""
    return _worded(asdict(system))


def from_json(data: Any, where: str) -> System:
    """Inverse of `to_json`; what was `ADDED` or `RENAMED` since has its old meaning.

    Raises `RunError` naming the field that does not fit, is unknown, or is missing.
    """
    data = _with_added(_with_renamed(data))
    try:
        system = TypeAdapter(System).validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise _misfit(first["msg"], ".".join(str(p) for p in first["loc"]), where) from error
    # a field of another version must not become a default unseen
    different = sorted(_fields(data) ^ _fields(to_json(system)))
    if different:
        raise _misfit("a field is unknown or missing", different[0], where)
    return system


def _with_added(data: Any) -> Any:
    data = copy.deepcopy(data)
    for path, value in ADDED.items():
        node, name = _parent(data, path)
        if isinstance(node, dict):
            node.setdefault(name, value)
    return data


def _with_renamed(data: Any) -> Any:
    data = copy.deepcopy(data)
    for old, new in RENAMED.items():
        (source, before), (target, after) = _parent(data, old), _parent(data, new)
        if isinstance(source, dict) and isinstance(target, dict) and before in source and after not in target:
            target[after] = source.pop(before)
    return data


def _parent(data: Any, path: str) -> tuple[Any, str]:
    """The dictionary that holds a dotted path, None if there is none, and the path's last name."""
    *parents, name = path.split(".")
    for parent in parents:
        data = data.get(parent) if isinstance(data, dict) else None
    return data, name


def _misfit(what: str, field: str, where: str) -> RunError:
    return RunError(
        f"the stored configuration does not fit this version: {what}",
        where=f"{where}: system.{field}",
        valid="a config.json written by the same version",
        fix="train again, or check out the commit named in config.json",
    )


def _worded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _worded(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_worded(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _fields(data: dict[str, Any], path: str = "") -> set[str]:
    """Dotted names of all fields of nested dictionaries."""
    nested = [_fields(v, f"{path}{k}.") for k, v in data.items() if isinstance(v, dict)]
    return {path + key for key in data}.union(*nested)
