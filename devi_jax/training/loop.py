"""A run on the host: plan, then iterate, log, show progress and save checkpoints until a limit is reached.

Several seeds that learn in one program have a record each; a run of one seed has one.
"""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

import jax

from agents import Learner, TrainState
from agents.multi_seed import Seeds
from devi_jax.core.errors import RunError
from devi_jax.evaluation.evaluate import judge
from devi_jax.runs.checkpoint import Checkpoints
from devi_jax.runs.devices import peak_memory_mb
from devi_jax.runs.hosts import agree, leads, wait_for_all
from devi_jax.runs.json_io import write_json
from devi_jax.runs.loggers import JsonlLogger, Loggers, TensorboardLogger
from devi_jax.runs.progress import Row, RunProgress
from devi_jax.runs.run_dir import RunDir
from devi_jax.systems import System
from devi_jax.systems.build import Assembly
from devi_jax.training.best import BestPolicy, slowed
from devi_jax.training.planning import SEARCH, load_plans, merge_plans, plan, save_plan
from devi_jax.training.report import glance
from devi_jax.training.run_config import RunConfig, plan_files, trained_policy, with_learner
from devi_jax.training.run_setup import RunRecord


def plan_first(records: Sequence[RunRecord], config: RunConfig, assembly: Assembly) -> Assembly:
    """Plan, keep the plan in the run folders with `planning.json`, and return the assembly with its targets.

    Of several processes one plans; the others wait, and read what it has written.
    """
    first = records[0]
    if not leads():
        wait_for_all("plan")
        return load_plans(plan_files(first.run, assembly), assembly)
    # judged through the policy that training will judge, so that one compilation serves both
    learner = with_learner(assembly, config)
    policy = trained_policy(learner, learner.init(jax.random.key(config.seed)))
    key, began = jax.random.key(config.seed + 1), first.milestones.minutes
    rows: list[dict[str, Any]] = []
    planned: list[Assembly] = []
    with RunProgress() as show:

        def watch(share: float, score: float) -> None:
            show.update(share, [] if math.isnan(score) else [Row("reward ahead, worst condition", score, "")])

        replayed = partial(judge, policy=policy, replay=True)
        for i, clip in enumerate(assembly.clips):
            if len(assembly.clips) > 1:
                show.announce(f"clip {i + 1} of {len(assembly.clips)}: {clip.name}")
            own_key = key if i == 0 else jax.random.fold_in(key, i)
            one, its = plan(assembly.only(i), config.system.planner, replayed, own_key, show.announce, watch)
            planned.append(one)
            rows += its if len(assembly.clips) == 1 else [{"clip": clip.name, **row} for row in its]
    found = [row for row in rows if row["success"] and row["stage"].startswith(SEARCH)]
    for record in records:
        for path, one in zip(plan_files(record.run, assembly), planned, strict=True):
            save_plan(path, one.environment)
        write_json(record.run.path / "planning.json", rows)
        if found:
            record.milestones.reach("plan", 0, began + found[0]["minutes"], attempt=found[0]["stage"])
    wait_for_all("plan")
    return merge_plans(assembly, planned)


def train(
    records: Sequence[RunRecord],
    config: RunConfig,
    assembly: Assembly,
    learner: Learner,
    state: TrainState,
    spent_s: float = 0.0,
    seeds: Seeds | None = None,
) -> list[TrainState]:
    """Iterate until a limit is reached. `spent_s`: seconds of training before a resume.

    Of several processes one judges, logs and says when it is enough. `state` is donated. `seeds`: that of several
    policies, of which `learner` is one and `state` holds all; without it there is one record.
    """
    began = time.monotonic() - spent_s
    with ExitStack() as opened, RunProgress() as show:
        checkpoints = [opened.enter_context(Checkpoints(record.run.checkpoints)) for record in records]
        kept = [opened.enter_context(BestPolicy(record.run)) for record in records]
        original, learner = learner, learner if seeds else slowed(learner, kept[0].setbacks)
        update, unstack = (seeds.update, seeds.unstack) if seeds else (learner.update, lambda tree: [tree])
        first = iteration = int(unstack(state.iteration)[0])
        logs = [_loggers(record.run, first) for record in records]
        if first == 0:
            for log, best, own in zip(logs, kept, unstack(state), strict=True):
                judged = glance(assembly, learner, own) if leads() else {}
                log.log(0, judged)
                best.offer(0, judged, own)
        done = agree(_finished(config, first, spent_s))
        while not done:
            tick = time.monotonic()
            if iteration == first:
                with show.compiling("physics, policy and update"):
                    state, metrics = jax.block_until_ready(update(state))
                began += time.monotonic() - tick  # compilation is not training
            else:
                state, metrics = jax.block_until_ready(update(state))
            iteration, spent, steps = iteration + 1, time.monotonic() - began, learner.environment_steps(iteration + 1)
            rate = len(records) * learner.environment_steps(1) / (time.monotonic() - tick)
            scalars = [{k: float(v) for k, v in own.items()} for own in unstack(jax.device_get(metrics))]
            for record, own in zip(records, scalars, strict=True):
                _refuse_divergence(record.run, own, iteration)
                own |= {"time/steps_per_s": rate, "time/spent_s": spent, "steps": steps}
            done = _finished(config, iteration, spent)
            if leads() and (iteration % config.checkpoint_every == 0 or done):
                for own, policy in zip(scalars, unstack(state), strict=True):
                    own |= glance(assembly, learner, policy)
                enough = [_look(r, own, config, show.announce) for r, own in zip(records, scalars, strict=True)]
                done = done or all(enough)
            for log, own in zip(logs, scalars, strict=True):
                log.log(iteration, own)
            show.update(_share(config, iteration, spent), _rows(config.system, _mean(scalars), iteration, rate))
            done = agree(done)
            if iteration % config.checkpoint_every == 0 or done:
                if not _is_warming(config, scalars[0]):
                    for best, judged, own in zip(kept, scalars, unstack(state), strict=True):
                        best.offer(iteration, judged, own)
                # several seeds are one program, of which none goes back alone
                if not done and seeds is None and kept[0].lost(iteration, scalars[0]):
                    state = kept[0].go_back(learner, iteration)
                    learner = slowed(original, kept[0].setbacks)
                    update = learner.update
                    show.announce(_setback(kept[0], iteration))
                for folder, own in zip(checkpoints, unstack(state), strict=True):
                    folder.save(iteration, own)
    for log in logs:
        log.close()
    print(
        f"trained: {iteration} iterations, {learner.environment_steps(iteration)} environment steps, "
        f"peak memory {peak_memory_mb():.0f} MB"
    )
    return unstack(state)


def _look(record: RunRecord, scalars: dict[str, float], config: RunConfig, announce: Callable[[str], None]) -> bool:
    """Record the milestones that a policy reaches for the first time; true if it is good enough to stop."""
    if _is_warming(config, scalars):
        return False
    steps = int(scalars["steps"])
    for stage in record.milestones.judge(scalars, steps):
        announce(f"{record.name}: {stage} after {record.milestones.minutes:.1f} min, {steps} steps")
    return _good_enough(config, scalars)


def _is_warming(config: RunConfig, scalars: dict[str, float]) -> bool:
    """Whether the actor has not moved yet, so that what is judged is a replay."""
    ppo = config.system.ppo
    return int(scalars["steps"]) <= ppo.critic_warmup * ppo.environments * ppo.horizon


def _setback(kept: BestPolicy, iteration: int) -> str:
    assert kept.first is not None and kept.best is not None
    return (
        f"iteration {iteration}: the policy fell below the targets it began with ({kept.first.rate:.0%} of starts); "
        f"learning goes back to iteration {kept.best.iteration} ({kept.best.rate:.0%}) and on in smaller steps"
    )


def _mean(scalars: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The mean over policies of the metrics that all of them have."""
    common = set.intersection(*map(set, scalars))
    return {name: sum(own[name] for own in scalars) / len(scalars) for name in common}


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
            valid="finite losses; the last checkpoint is from before",
            fix="train again into a new folder with a smaller --ppo.actor-learning-rate or --ppo.critic-learning-rate",
        )


def _finished(config: RunConfig, iteration: int, spent_s: float) -> bool:
    return _share(config, iteration, spent_s) >= 1.0


def _good_enough(config: RunConfig, scalars: dict[str, float]) -> bool:
    rate = scalars.get("evaluation/perturbed_success", 0.0)
    return config.until is not None and scalars.get("evaluation/success", 0.0) == 1.0 and rate >= config.until


def _share(config: RunConfig, iteration: int, spent_s: float) -> float:
    """Share of the limit that is used up, of the one that ends first."""
    by_count = iteration / config.iterations if config.iterations else 0.0
    by_time = spent_s / 60 / config.minutes if config.minutes else 0.0
    return min(1.0, max(by_count, by_time))


def _rows(system: System, metrics: dict[str, float], iteration: int, rate: float) -> list[Row]:
    rows = [
        Row("iteration", iteration, ""),
        Row("steps/s", rate, ""),
        Row("reward", metrics["episode/reward"], ""),
        Row("episode", metrics["episode/length"], "frames"),
    ]
    return rows + [
        Row(name, metrics[f"environment/{name}"], row.measure.unit)
        for name, row in system.rewards.items()
        if f"environment/{name}" in metrics
    ]
