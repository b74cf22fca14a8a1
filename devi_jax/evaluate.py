"""`python -m devi_jax.evaluate RUN|POLICY`: evaluate a trained policy again, from exact and perturbed starts."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from devi_jax.cli import parse
from devi_jax.core.clip_io import load_clip
from devi_jax.core.errors import ConfigError, exit_on_error
from devi_jax.deploy.policy_file import find_policy, read_policy
from devi_jax.evaluation.evaluate import GLANCES, ROLLOUTS, evaluate, in_other_models
from devi_jax.evaluation.models import ENGINES, MODELS
from devi_jax.evaluation.mpc import control_online
from devi_jax.evaluation.rollouts import Policy, zero_policy
from devi_jax.evaluation.table import table
from devi_jax.runs.devices import enable_compilation_cache, ignore_fork_warning
from devi_jax.runs.json_io import write_json
from devi_jax.runs.run_dir import RunDir
from devi_jax.systems.build import Assembly
from devi_jax.training.report import targets_line, unlearned, unseen
from devi_jax.training.run_config import RunConfig, load_policy_state, load_run, trained_policy, training_steps

RENAMED = {"online": "mpc"}


@dataclass(frozen=True)
class EvaluateOptions:
    """Evaluate a policy over its whole clip, from exact and perturbed starts. A fall does not end a rollout."""

    run: Annotated[Path, tyro.conf.Positional]
    """Run folder of devi_jax.train (the policy it keeps is evaluated), name of a shipped policy, or policy file."""
    rollouts: int = ROLLOUTS
    """Number of rollouts from perturbed starts."""
    seed: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="(default: the run's own)")] = None
    """Random seed of the perturbed starts."""
    mpc: int = 0
    """Number of perturbed starts to control by the planner as well (model-predictive control), at minutes each."""
    models: Literal["none", "same-engine", "all"] = "none"
    """Also evaluate in other models of physics: timestep, solver and gains; `all`, another engine too. From C on a CPU
    that is MJX-JAX, which takes seven minutes or more."""
    truth: Path | None = None
    """Ground-truth clip to score the same rollouts against: the one that the imitated video was rendered from."""
    json: bool = False
    """Print the result as JSON instead of a table."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point."""
    with exit_on_error():
        arguments = sys.argv[1:] if arguments is None else arguments
        options = parse(EvaluateOptions, arguments, prog="python -m devi_jax.evaluate", renamed=RENAMED)
        if options.rollouts < 1 or options.mpc < 0:
            raise ConfigError(
                f"{options.rollouts} rollouts, {options.mpc} by MPC",
                where="--rollouts, --mpc",
                valid="--rollouts of 1 or more, --mpc of 0 or more",
            )
        enable_compilation_cache()
        ignore_fork_warning()
        policy = None if options.run.is_dir() else find_policy(str(options.run))
        result = _of_run(options) if policy is None else _of_policy(options, policy)
        print(json.dumps(result, indent=2) if options.json else _tables(result))


def _tables(result: dict[str, Any]) -> str:
    """The table of a result, or one below the other of several clips."""
    if "clips" not in result:
        return _table(result)
    return "\n".join(f"{name}\n{_table(one)}" for name, one in result["clips"].items())


def _table(result: dict[str, Any]) -> str:
    """The table of a policy's result; what there is to say of a run that only planned."""
    return table(result) if "exact" in result else targets_line(result)


def _of_run(options: EvaluateOptions) -> dict[str, Any]:
    """Evaluate the policy that a run keeps, and write its evaluation.json anew."""
    run = RunDir.open(options.run)
    config, assembly, learner = load_run(run)
    if config.plan == "only":
        return _of_plan(options, run, config, assembly)
    state = load_policy_state(run, learner)
    policy, count = trained_policy(learner, state), len(assembly.clips)
    _check_alone(options, assembly)
    each = [_evaluated(options, assembly.only(i), policy, config) for i in range(count)]
    result = each[0]
    if count > 1:
        result = {"clips": {clip.name: one for clip, one in zip(assembly.clips, each, strict=True)}}
    result = {**result, "training": training_steps(run, learner, state)}
    result |= _online(options, assembly, config)
    write_json(run.evaluation_json, result)
    return result


def _of_plan(options: EvaluateOptions, run: RunDir, config: RunConfig, assembly: Assembly) -> dict[str, Any]:
    """Evaluate the targets of a run that only planned, and write its evaluation.json anew."""
    if options.models != "none" or options.mpc:
        raise ConfigError(
            "the run only planned: other models, and the planner online, are compared with a policy",
            where="--models, --mpc",
            valid="a run that learned",
            fix=f"python -m devi_jax.train --clip={config.clip} --plan=first",
        )
    _check_alone(options, assembly)
    seed, truth = _seed(options, config), load_clip(options.truth) if options.truth else None
    each = [assembly.only(i) for i in range(len(assembly.clips))]
    results = [unlearned(evaluate(one, zero_policy(), seed, options.rollouts, truth=truth)[0]) for one in each]
    result = results[0] if len(each) == 1 else {"clips": {one["clip"]: one for one in results}}
    write_json(run.evaluation_json, result)
    return result


def _check_alone(options: EvaluateOptions, assembly: Assembly) -> None:
    """Raise `ConfigError` where what is of one clip is asked for of several."""
    if (count := len(assembly.clips)) > 1 and (options.truth or options.mpc):
        raise ConfigError(f"the run has {count} clips", where="--truth, --mpc", valid="a run of one clip")


def _of_policy(options: EvaluateOptions, path: Path) -> dict[str, Any]:
    """Evaluate a policy file, which is left as it is."""
    file = read_policy(path)
    result = _evaluated(options, file.assembly, file.policy, file.config)
    return result | _online(options, file.assembly, file.config)


def _evaluated(options: EvaluateOptions, assembly: Assembly, policy: Policy, config: RunConfig) -> dict[str, Any]:
    """The result of one clip's policy."""
    seed = _seed(options, config)
    truth = load_clip(options.truth) if options.truth else None
    result, _ = evaluate(assembly, policy, seed, options.rollouts, truth=truth)
    if options.models != "none":
        models = MODELS if options.models == "same-engine" else {**MODELS, **ENGINES}
        result["models"] = in_other_models(assembly, policy, seed, min(options.rollouts, GLANCES), models)
    return result


def _seed(options: EvaluateOptions, config: RunConfig) -> int:
    """The seed asked for, or that with which the run evaluated itself."""
    return unseen(config.seed) if options.seed is None else options.seed


def _online(options: EvaluateOptions, assembly: Assembly, config: RunConfig) -> dict[str, Any]:
    """The planner's own scores from perturbed starts, if asked for."""
    if not options.mpc:
        return {}
    return {"online": control_online(assembly.environment, config.system.planner, _seed(options, config), options.mpc)}


if __name__ == "__main__":
    main()
