"""What a run folder's configuration means: how to build its environment and learner again, and read its policy."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax

from agents import Learner, TrainState
from devi_jax.core.clip import Clip
from devi_jax.core.clipfile import load_clip
from devi_jax.core.errors import RunError
from devi_jax.runtime.checkpoint import Checkpoints
from devi_jax.runtime.rundir import RunDir
from devi_jax.systems.assemble import Assembly, assemble
from devi_jax.systems.rollouts import Policy
from devi_jax.systems.system import System, from_json, to_json
from envs.physics import EngineName, Root


@dataclass(frozen=True)
class Plan:
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

    def to_json(self) -> dict[str, Any]:
        """As JSON types, for `config.json`."""
        return {**self.__dict__, "system": to_json(self.system)}


def clip_file(run: RunDir) -> Path:
    """The run's own copy of its clip, so that a run can be judged where the source is gone."""
    return run.path / "clip.npz"


def read_plan(run: RunDir) -> Plan:
    """The plan in a run's `config.json`. Raises `RunError` if it does not fit this version."""
    config: Mapping[str, Any] = run.description()["config"]
    where = str(run.config_json)
    try:
        rest = {k: config[k] for k in Plan.__dataclass_fields__ if k != "system"}
        return Plan(system=from_json(config["system"], where), **rest)
    except (KeyError, TypeError) as error:
        raise RunError(
            f"the run's configuration lacks {error}",
            where=where,
            valid="a config.json written by the same version",
            mend="train again into a new folder with --out",
        ) from error


def make_learner(plan: Plan, clip: Clip) -> tuple[Assembly, Learner]:
    """Environment and learner of a plan."""
    assembly = assemble(plan.system, clip, plan.engine, plan.root)
    return assembly, Learner(assembly.environment, plan.system.ppo, plan.system.network)


def load_run(run: RunDir) -> tuple[Plan, Assembly, Learner]:
    """Plan, environment and learner of an existing run."""
    plan = read_plan(run)
    return plan, *make_learner(plan, load_clip(clip_file(run)))


def load_state(run: RunDir, learner: Learner) -> TrainState:
    """The latest checkpointed state. Raises `RunError` if there is none, or it is of another system or size."""
    with Checkpoints(run.checkpoints) as checkpoints:
        return checkpoints.restore(None, jax.eval_shape(learner.init, jax.random.key(0)))


def trained_policy(learner: Learner, state: TrainState) -> Policy:
    """The policy's mean action."""
    return Policy(learner.act, (state.actor, state.normaliser))
