"""A system: environment, rewards and learner of one method, as frozen data a user can change flag by flag."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from agents import NetworkConfig, PpoConfig
from devi_jax.core.errors import ConfigError, RunError
from envs.config import EnvironmentConfig
from envs.terms import Weighting


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
    ppo: PpoConfig
    """The learner."""
    network: NetworkConfig
    """Actor and critic."""

    def validate(self) -> None:
        """Raise `ConfigError` for weights without meaning."""
        for name, weighting in self.rewards.items():
            if not (weighting.weight >= 0 and weighting.sharpness >= 0):
                raise ConfigError(
                    f"reward {name} has weight {weighting.weight} and sharpness {weighting.sharpness}",
                    where=f"--rewards.{name.replace('_', '-')}",
                    valid="numbers that are not negative",
                )


def to_json(system: System) -> dict[str, Any]:
    """The system as JSON types."""
    return asdict(system)


def from_json(data: Any, where: str) -> System:
    """Inverse of `to_json`. Raises `RunError` naming the field that does not fit."""
    try:
        return TypeAdapter(System).validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(p) for p in first["loc"])
        raise RunError(
            f"the stored configuration does not fit this version: {first['msg']}",
            where=f"{where}: system.{field}",
            valid="a config.json written by the same version",
            mend="train again, or check out the commit named in config.json",
        ) from error
