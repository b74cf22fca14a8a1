"""Whether a clip holds what a system compares with; asked before anything is built or written."""

import math

from devi_jax.core.clip import Clip
from devi_jax.core.errors import ConfigError
from devi_jax.systems.reward_terms import LABELS, POSES, TERMS
from devi_jax.systems.system import System


def require(system: System, clip: Clip) -> None:
    """Raise `ConfigError` naming what the clip lacks. A clip without an object is imitated without object terms."""
    if clip.scene.object is None:
        return
    if clip.object_poses is None and (asking := _asking(system, POSES) or _bounds(system)):
        raise ConfigError(
            f"{clip.name} knows its object only in 2D, and {system.name} compares its 6-DoF pose ({', '.join(asking)})",
            where="--system, --clip",
            valid="a clip with object poses; or a system that needs none, such as devi",
            fix="python -m devi_jax.clips show CLIP says what a clip holds",
        )
    if clip.onset == clip.frames and (asking := _asking(system, LABELS)):
        raise ConfigError(
            f"{clip.name} has no contact labels, and {system.name} compares them ({', '.join(asking)})",
            where="--system, --clip",
            valid="a clip that says when hands touch the object",
            fix="python -m devi_jax.clips check CLIP says what to do about it",
        )


def _asking(system: System, need: str) -> list[str]:
    """Flags of the rewards in force that need it."""
    names = [name for name, weighting in system.rewards.items() if weighting.weight and TERMS[name].needs == need]
    return [f"--rewards.{name.replace('_', '-')}" for name in names]


def _bounds(system: System) -> list[str]:
    """Flags of goal and termination that need the object's pose."""
    environment = system.environment
    bounds = {"object-m": environment.termination.object_m, "interaction": environment.termination.interaction}
    flags = [f"--environment.termination.{name}" for name, bound in bounds.items() if math.isfinite(bound)]
    return flags + (["--environment.goal-object"] if environment.goal_object else [])
