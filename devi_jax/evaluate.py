"""`python -m devi_jax.evaluate RUN|POLICY`: judge a trained policy again, from exact and perturbed starts."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from devi_jax.core.clip_io import load_clip
from devi_jax.core.errors import ConfigError, exit_on_error
from devi_jax.deploy.policy_file import find_policy, read_policy
from devi_jax.evaluation.evaluate import ROLLOUTS, by_truth, evaluate
from devi_jax.evaluation.mpc import control_online
from devi_jax.evaluation.rollouts import Rollouts
from devi_jax.evaluation.table import table
from devi_jax.runs.devices import enable_compilation_cache, ignore_fork_warning
from devi_jax.runs.json_io import write_json
from devi_jax.runs.run_dir import RunDir
from devi_jax.systems.build import Assembly
from devi_jax.training.report import UNSEEN
from devi_jax.training.run_config import RunConfig, load_run, load_state, trained_policy


@dataclass(frozen=True)
class Options:
    """Evaluate a policy over its whole clip; nothing is cut off after a fall."""

    run: Annotated[Path, tyro.conf.Positional]
    """Run folder written by devi_jax.train (its latest checkpoint), a shipped policy's name, or a policy file."""
    rollouts: int = ROLLOUTS
    """Perturbed rollouts."""
    seed: int = UNSEEN
    """Seed of the perturbations."""
    online: int = 0
    """Also control so many perturbed starts by the planner online: model-predictive control, minutes for each."""
    truth: Path | None = None
    """Compare with this clip as well: the one that a video was drawn from, where the policy imitates what was seen."""
    json: bool = False
    """Print evaluation.json instead of the table."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point."""
    with exit_on_error():
        options = tyro.cli(Options, args=sys.argv[1:] if arguments is None else arguments)
        if options.rollouts < 1 or options.online < 0:
            raise ConfigError("nothing to evaluate", where="--rollouts, --online", valid="at least 1; 0 or more")
        enable_compilation_cache()
        ignore_fork_warning()
        policy = None if options.run.is_dir() else find_policy(str(options.run))
        result = _of_run(options) if policy is None else _of_policy(options, policy)
        print(json.dumps(result, indent=2) if options.json else table(result))


def _of_run(options: Options) -> dict[str, Any]:
    """Judge a run's latest checkpoint, and renew its evaluation.json."""
    run = RunDir.open(options.run)
    config, assembly, learner = load_run(run)
    state = load_state(run, learner)
    result, rollouts = evaluate(assembly, trained_policy(learner, state), options.seed, options.rollouts)
    iterations = int(state.iteration)
    steps = {"iterations": iterations, "environment_steps": learner.environment_steps(iterations)}
    result = {**result, "training": steps}
    result |= _online(options, assembly, config) | _by_truth(options, assembly, rollouts)
    write_json(run.evaluation_json, result)
    return result


def _of_policy(options: Options, path: Path) -> dict[str, Any]:
    """Judge a policy file, which stays as it is."""
    file = read_policy(path)
    result, rollouts = evaluate(file.assembly, file.policy, options.seed, options.rollouts)
    return result | _online(options, file.assembly, file.config) | _by_truth(options, file.assembly, rollouts)


def _online(options: Options, assembly: Assembly, config: RunConfig) -> dict[str, Any]:
    """The planner's own scores from perturbed starts, where asked for."""
    if not options.online:
        return {}
    return {"online": control_online(assembly.environment, config.system.planner, options.seed, options.online)}


def _by_truth(options: Options, assembly: Assembly, rollouts: Rollouts) -> dict[str, Any]:
    """The same rollouts by the truth, where one is given."""
    return {"truth": by_truth(assembly, rollouts, load_clip(options.truth))} if options.truth else {}


if __name__ == "__main__":
    main()
