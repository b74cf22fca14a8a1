"""Whether a clip holds what a system compares with; asked before anything is built or written."""

from devi_jax.core.clip import Clip
from devi_jax.core.errors import ConfigError
from devi_jax.systems.system import System
from envs.rewards import measure_info

POSES, LABELS = "object_position", "contact"
"""What a measure may need of the reference: the object's 6-DoF pose, or contact labels."""


def require(system: System, clip: Clip) -> None:
    """Raise `ConfigError` naming what the clip lacks. A clip without an object is imitated without object terms."""
    if clip.scene.object is None:
        return
    if clip.object_poses is None and (asking := _asking(system, POSES)):
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


def require_residual(system: System) -> None:
    """Raise `ConfigError` for absolute actions, which cannot turn around a plan's targets."""
    if system.action.mode == "absolute":
        raise ConfigError(
            "a plan needs residual actions: absolute ones do not act around its targets",
            where="--plan, --action.mode",
            valid="--plan=none with absolute actions; or residual actions",
            fix="add --plan=none",
        )


def _asking(system: System, need: str) -> list[str]:
    """Flags of the rows in force that need it."""
    rows = [f"rewards.{n}" for n, row in system.rewards.items() if row.weight and row.measure.needs == need]
    bounds = {f"terminations.{n}": row.measure for n, row in system.terminations.items() if row.on}
    goals = {f"goal.{n}": row.read for n, row in system.goal.items() if row.on}
    rows += [name for name, measure in (bounds | goals).items() if measure_info(measure).needs == need]
    return [f"--{row.replace('_', '-')}" for row in rows]
