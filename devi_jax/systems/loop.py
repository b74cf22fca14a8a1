"""The host's side of a run: plan, then iterate, log, show, keep checkpoints, until a limit is reached."""

import math
import time
from functools import partial

import jax

from agents import Learner, TrainState
from devi_jax.core.errors import RunError
from devi_jax.runtime.checkpoint import Checkpoints
from devi_jax.runtime.devices import peak_memory_mb
from devi_jax.runtime.files import write_json
from devi_jax.runtime.hosts import agree, leads, wait_for_all
from devi_jax.runtime.loggers import JsonlLogger, Loggers, TensorboardLogger
from devi_jax.runtime.progress import Row, progress
from devi_jax.runtime.rundir import RunDir
from devi_jax.systems.assemble import Assembly
from devi_jax.systems.evaluation import judge
from devi_jax.systems.planning import load_plan, plan, save_plan
from devi_jax.systems.report import glance
from devi_jax.systems.runs import RunConfig, plan_file, trained_policy, with_learner
from devi_jax.systems.stages import Stages
from devi_jax.systems.terms import TERMS


def plan_first(run: RunDir, config: RunConfig, assembly: Assembly, stages: Stages) -> Assembly:
    """Plan, keep the plan in the run folder with `planning.json`, and return the assembly with its targets.

    Of several processes one plans; the others wait, and read what it has written.
    """
    if not leads():
        wait_for_all("plan")
        return load_plan(plan_file(run), assembly)
    # judged through the policy that training will judge, so that one compilation serves both
    learner = with_learner(assembly, config)
    policy = trained_policy(learner, learner.init(jax.random.key(config.seed)))
    key, began = jax.random.key(config.seed + 1), stages.minutes
    with progress() as show:

        def watch(share: float, score: float) -> None:
            show.update(share, [] if math.isnan(score) else [Row("reward ahead, worst condition", score, "")])

        replayed = partial(judge, policy=policy, replay=True)
        assembly, rows = plan(assembly, config.system.planner, replayed, key, show.announce, watch)
    save_plan(plan_file(run), assembly.environment)
    write_json(run.path / "planning.json", rows)
    found = [row for row in rows if row["success"]]
    if found:
        stages.reach("plan", 0, began + found[0]["minutes"], attempt=found[0]["stage"])
    wait_for_all("plan")
    return assembly


def train(
    run: RunDir,
    config: RunConfig,
    assembly: Assembly,
    learner: Learner,
    state: TrainState,
    stages: Stages,
    spent_s: float = 0.0,
) -> TrainState:
    """Iterate until a limit is reached. `spent_s`: seconds of training before a resume.

    Of several processes one judges, logs and says when it is enough. `state` is used up.
    """
    first = int(state.iteration)
    loggers = _loggers(run, first)
    if first == 0 and leads():
        loggers.log(0, glance(assembly, learner, state))
    began = time.monotonic() - spent_s
    with Checkpoints(run.checkpoints) as checkpoints, progress() as show:
        done = agree(_finished(config, first, spent_s))
        while not done:
            tick = time.monotonic()
            if int(state.iteration) == first:
                with show.compiling("physics, policy and update"):
                    state, metrics = jax.block_until_ready(learner.update(state))
                began += time.monotonic() - tick  # compilation is not training
            else:
                state, metrics = jax.block_until_ready(learner.update(state))
            iteration, spent, steps = int(state.iteration), time.monotonic() - began, learner.environment_steps(state)
            rate = config.system.ppo.environments * config.system.ppo.horizon / (time.monotonic() - tick)
            scalars = {k: float(v) for k, v in jax.device_get(metrics).items()}
            _refuse_divergence(run, scalars, iteration)
            scalars |= {"time/steps_per_s": rate, "time/spent_s": spent, "steps": steps}
            done = _finished(config, iteration, spent)
            if leads() and (iteration % config.checkpoint_every == 0 or done):
                scalars |= glance(assembly, learner, state)
                # until the actor has moved, what is judged is a replay
                if iteration > config.system.ppo.critic_warmup:
                    for stage in stages.judge(scalars, steps):
                        show.announce(f"policy: {stage} after {stages.minutes:.1f} min, {steps} steps")
                    done = done or _good_enough(config, scalars)
            loggers.log(iteration, scalars)
            show.update(_share(config, iteration, spent), _rows(scalars, iteration, rate))
            done = agree(done)
            if iteration % config.checkpoint_every == 0:
                checkpoints.save(iteration, state)
        checkpoints.save(int(state.iteration), state)
    loggers.close()
    print(
        f"trained: {int(state.iteration)} iterations, {learner.environment_steps(state)} environment steps, "
        f"peak memory {peak_memory_mb():.0f} MB"
    )
    return state


def _loggers(run: RunDir, first: int) -> Loggers:
    if not leads():
        return Loggers([])
    return Loggers([JsonlLogger(run.metrics_jsonl), TensorboardLogger(run.tensorboard, first or None)])


def _refuse_divergence(run: RunDir, scalars: dict[str, float], iteration: int) -> None:
    """Raise `RunError` when a loss is not finite: from there on every step would only fail."""
    broken = [name for name, value in scalars.items() if name.startswith("loss/") and not math.isfinite(value)]
    if broken:
        raise RunError(
            f"training diverged at iteration {iteration}: {', '.join(broken)} is not finite",
            where=str(run.path),
            valid="finite losses; the last checkpoint still has them",
            mend="train again into a new folder with a smaller --ppo.actor-rate and --ppo.critic-rate",
        )


def _finished(config: RunConfig, iteration: int, spent_s: float) -> bool:
    return _share(config, iteration, spent_s) >= 1.0


def _good_enough(config: RunConfig, scalars: dict[str, float]) -> bool:
    rate = scalars.get("evaluation/perturbed_success", 0.0)
    return config.until is not None and scalars.get("evaluation/success", 0.0) == 1.0 and rate >= config.until


def _share(config: RunConfig, iteration: int, spent_s: float) -> float:
    """How much of the tighter limit is used up."""
    by_count = iteration / config.iterations if config.iterations else 0.0
    by_time = spent_s / 60 / config.minutes if config.minutes else 0.0
    return min(1.0, max(by_count, by_time))


def _rows(metrics: dict[str, float], iteration: int, rate: float) -> list[Row]:
    rows = [
        Row("iteration", iteration, ""),
        Row("steps/s", rate, ""),
        Row("reward", metrics["episode/reward"], ""),
        Row("episode", metrics["episode/length"], "frames"),
    ]
    return rows + [
        Row(n, metrics[f"environment/{n}"], t.unit) for n, t in TERMS.items() if f"environment/{n}" in metrics
    ]
