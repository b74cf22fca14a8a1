"""What a run folder's configuration means: how to build its environment and learner again, and read its policy."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from jax.sharding import Mesh

from agents import Learner, TrainState
from agents.sharding import to_local
from agents.state import RENAMED
from devi_jax.core.clip import Clip
from devi_jax.core.clip_io import load_clip
from devi_jax.core.errors import RunError
from devi_jax.core.policy import Policy
from devi_jax.runs.checkpoint import Checkpoints
from devi_jax.runs.run_dir import RunDir
from devi_jax.systems.build import Assembly, assemble
from devi_jax.systems.system import System, from_json, to_json
from devi_jax.training.planning import load_plan
from envs.physics import EngineName, Root

Planning = Literal["first", "only", "none"]
"""Plan before learning, instead of it, or not at all."""


@dataclass(frozen=True)
class RunConfig:
    """All that decides a run's outcome. The clip itself lies beside it as `clip.npz`."""

    system: System
    clip: str
    engine: EngineName
    root: Root
    seed: int
    preset: str
    iterations: int | None
    minutes: float | None
    checkpoint_every: int
    recipe: str = "fast"
    plan: Planning = "first"
    until: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON types, for `config.json`."""
        return {**self.__dict__, "system": to_json(self.system)}


def clip_file(run: RunDir) -> Path:
    """The run's own copy of its clip, so that a run can be judged where the source is gone."""
    return run.path / "clip.npz"


def read_config(run: RunDir) -> RunConfig:
    """The configuration in a run's `config.json`. Raises `RunError` if it does not fit this version."""
    return config_from_json(run.description()["config"], str(run.config_json))


def config_from_json(stored: Mapping[str, Any], where: str) -> RunConfig:
    """Inverse of `RunConfig.to_json`. Raises `RunError`, naming `where`, if it does not fit this version."""
    try:
        rest = {k: stored[k] for k in RunConfig.__dataclass_fields__ if k != "system"}
        return RunConfig(system=from_json(stored["system"], where), **rest)
    except (KeyError, TypeError) as error:
        raise RunError(
            f"the run's configuration lacks {error}",
            where=where,
            valid="a config.json written by the same version",
            fix="train again into a new folder with --out",
        ) from error


def make_learner(config: RunConfig, clip: Clip, mesh: Mesh | None = None) -> tuple[Assembly, Learner]:
    """Environment and learner of a run, the environment as it is before planning."""
    assembly = assemble(config.system, clip, config.engine, config.root)
    return assembly, with_learner(assembly, config, mesh)


def with_learner(assembly: Assembly, config: RunConfig, mesh: Mesh | None = None) -> Learner:
    """The learner of an environment, whose targets may be a plan's, on the devices of a mesh."""
    return Learner(assembly.environment, config.system.ppo, config.system.network, mesh)


def plan_file(run: RunDir) -> Path:
    """Targets and states of the run's plan; absent where nothing was planned."""
    return run.path / "plan.npz"


def load_run(run: RunDir, mesh: Mesh | None = None) -> tuple[RunConfig, Assembly, Learner]:
    """Configuration, environment and learner of an existing run; with the plan's targets, if it has one."""
    config = read_config(run)
    assembly = assemble(config.system, load_clip(clip_file(run)), config.engine, config.root)
    if plan_file(run).exists():
        assembly = load_plan(plan_file(run), assembly)
    return config, assembly, with_learner(assembly, config, mesh)


def load_state(run: RunDir, learner: Learner) -> TrainState:
    """The latest checkpointed state. Raises `RunError` if there is none, or it is of another system or size."""
    config = read_config(run)
    if config.plan == "only":
        raise RunError(
            "the run planned only: it has no policy",
            where=str(run.path),
            valid="a run that learned; the plan's own judgement is in evaluation.json",
            fix=f"python -m devi_jax.train --clip={config.clip} --plan=first",
        )
    with Checkpoints(run.checkpoints) as checkpoints:
        return checkpoints.restore(None, learner.shapes(), RENAMED)


def trained_policy(learner: Learner, state: TrainState) -> Policy:
    """The deterministic policy, on one device of this process."""
    policy = learner.policy(state)
    return policy if learner.mesh is None else replace(policy, parameters=to_local(policy.parameters))
