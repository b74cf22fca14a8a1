"""A run's configuration, and how to build its environment and learner and read its policy from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from jax.sharding import Mesh

from agents import Learner, TrainState
from agents.sharding import to_local
from agents.state import RENAMED
from devi_jax.core.clip import Clip
from devi_jax.core.clip_io import load_clip, save_clip
from devi_jax.core.errors import RunError
from devi_jax.core.policy import Policy
from devi_jax.runs.checkpoint import Checkpoints, OlderPaths
from devi_jax.runs.run_dir import RunDir
from devi_jax.systems.build import Assembly, assemble
from devi_jax.systems.exploration import explore
from devi_jax.systems.stored import from_json, to_json
from devi_jax.systems.system import System
from devi_jax.training.best import load_best
from devi_jax.training.planning import load_plans
from envs.physics import EngineName, HumanRoot

Planning = Literal["first", "only", "none"]
"""Plan before learning, instead of it, or not at all."""
DEFAULT_MINUTES = 10.0
"""How long a run trains for which no limit is given."""


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """All that decides a run's outcome: flags of `devi_jax.train`, and its `config.json`.

    `engine`, `preset` and `recipe` are decided before the other flags are read. The clip itself lies beside the file as
    `clip.npz`.
    """

    clip: str = "lift_can"
    """Name of a bundled clip (`python -m devi_jax.clips list`), or a clip or recording's file; A,B, a set's name or a
    folder for several that are learned together."""
    minutes: Annotated[float | None, tyro.conf.arg(metavar="FLOAT", help_behavior_hint="(default: 10)")] = None
    """Minutes to train for, not counting compilation, planning, evaluation and film."""
    iterations: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="(default: no limit)")] = None
    """Iterations to train for, instead of minutes; with both, the first limit reached ends the training."""
    until: Annotated[float | None, tyro.conf.arg(metavar="FLOAT", help_behavior_hint="(default: never)")] = None
    """Stop early once the policy succeeds from the exact start and from this share of perturbed starts, e.g. 0.9."""
    seed: int = 0
    """Random seed of networks, exploration and resets."""
    plan: Planning = "first"
    """first: search for joint targets that do the task, then learn around them; only: search, do not learn; none."""
    root: HumanRoot = "free"
    """Of a human. free: it balances on its own feet; pinned: stiff springs pull its pelvis along the clip."""
    checkpoint_every: int = 20
    """Iterations between checkpoints, each with a quick evaluation of the policy."""
    engine: tyro.conf.SuppressFixed[tyro.conf.Fixed[EngineName]]
    preset: tyro.conf.SuppressFixed[tyro.conf.Fixed[str]]
    recipe: tyro.conf.SuppressFixed[tyro.conf.Fixed[str]] = "fast"
    system: Annotated[System, tyro.conf.arg(name="")]
    """The whole task and how it is learned: each of its settings is a flag."""

    def to_json(self) -> dict[str, Any]:
        """As JSON types, for `config.json`."""
        return {**self.__dict__, "system": to_json(self.system)}


def with_limit(config: RunConfig) -> RunConfig:
    """The configuration, with `DEFAULT_MINUTES` where nothing else limits it."""
    return config if config.minutes or config.iterations else replace(config, minutes=DEFAULT_MINUTES)


OLDER = OlderPaths(
    beginnings=RENAMED,
    parts={
        "ankles": "commands/ankle_balance",
        "legs": "commands/ground_reaction",
        "silent": "untouched",
        "leniency": "termination_scale",
        "own": "visited",
        "own_score": "visited_score",
    },
    added=("clip",),
)
"""What training states of older versions have elsewhere: the learner's parts and the environments'."""


def clip_file(run: RunDir) -> Path:
    """The run's own copy of its only clip, so that a run can be evaluated where the source is gone."""
    return run.path / "clip.npz"


def save_clips(run: RunDir, clips: Sequence[Clip]) -> None:
    """Keep a run's clips: `clip.npz`, or of several a folder `clips`, in their order."""
    if len(clips) == 1:
        save_clip(clips[0], clip_file(run))
        return
    folder = run.path / "clips"
    folder.mkdir()
    for i, clip in enumerate(clips):
        save_clip(clip, folder / f"{i:03}-{clip.name}.npz")


def load_clips(run: RunDir) -> tuple[Clip, ...]:
    """The run's own copies of its clips."""
    folder = run.path / "clips"
    files = sorted(folder.glob("*.npz")) if folder.is_dir() else [clip_file(run)]
    return tuple(load_clip(file) for file in files)


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


def make_learner(config: RunConfig, clips: Clip | Sequence[Clip], mesh: Mesh | None = None) -> tuple[Assembly, Learner]:
    """Environment and learner of a run, the environment as it is before planning."""
    assembly = assemble(config.system, clips, config.engine, config.root)
    return assembly, with_learner(assembly, config, mesh)


def with_learner(assembly: Assembly, config: RunConfig, mesh: Mesh | None = None) -> Learner:
    """The learner of an environment, whose targets may be a plan's, on the devices of a mesh."""
    system, environment = config.system, assembly.environment
    return Learner(environment, system.ppo, explore(system.exploration, system.network, environment), mesh)


def plan_files(run: RunDir, assembly: Assembly) -> list[Path]:
    """Targets and states of the plan of each of the run's clips; absent where nothing was planned."""
    names = [clip.name for clip in assembly.clips]
    return [run.path / "plan.npz"] if len(names) == 1 else [run.path / f"plan-{name}.npz" for name in names]


def load_run(run: RunDir, mesh: Mesh | None = None) -> tuple[RunConfig, Assembly, Learner]:
    """Configuration, environment and learner of an existing run; with the plan's targets, if it has one."""
    config = read_config(run)
    assembly = assemble(config.system, load_clips(run), config.engine, config.root)
    if all(file.exists() for file in plan_files(run, assembly)):
        assembly = load_plans(plan_files(run, assembly), assembly)
    return config, assembly, with_learner(assembly, config, mesh)


def load_state(run: RunDir, learner: Learner) -> TrainState:
    """The latest checkpointed state. Raises `RunError` if there is none, or it is of another system or size."""
    config = read_config(run)
    if config.plan == "only":
        raise RunError(
            "the run only planned: it has no policy",
            where=str(run.path),
            valid="a run that learned; the evaluation of its plan is in evaluation.json",
            fix=f"python -m devi_jax.train --clip={config.clip} --plan=first",
        )
    with Checkpoints(run.checkpoints) as checkpoints:
        return checkpoints.restore(None, learner.shapes(), OLDER)


def load_policy_state(run: RunDir, learner: Learner) -> TrainState:
    """The state of the policy that the run keeps: its best judged one, in older runs the latest. Raises `RunError` as
    `load_state` does."""
    if read_config(run).plan == "only":
        return load_state(run, learner)
    return load_best(run, learner, OLDER) or load_state(run, learner)


def training_steps(run: RunDir, learner: Learner, state: TrainState) -> dict[str, int]:
    """How long a run has trained, and after how many iterations it had the policy that it keeps."""
    iterations = max(int(path.name) for path in run.checkpoints.iterdir() if path.name.isdigit())
    return {
        "iterations": iterations,
        "environment_steps": learner.environment_steps(iterations),
        "kept_iteration": int(state.iteration),
    }


def trained_policy(learner: Learner, state: TrainState) -> Policy:
    """The deterministic policy, on one device of this process."""
    policy = learner.policy(state)
    return policy if learner.mesh is None else replace(policy, parameters=to_local(policy.parameters))
