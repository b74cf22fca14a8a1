"""`python -m devi_jax.train --clip=...`: from a clip to a trained, evaluated, filmed policy in one run folder."""

import sys
from dataclasses import replace
from pathlib import Path

import jax
from jax.sharding import Mesh

from agents.multi_seed import Seeds, keys
from agents.sharding import env_mesh
from devi_jax.cli import with_new_flags
from devi_jax.core.errors import ConfigError, exit_on_error
from devi_jax.datasets.clip_quality import extraction_doubts
from devi_jax.datasets.load import resolve_all
from devi_jax.evaluation.table import side_by_side
from devi_jax.runs.checkpoint import Checkpoints
from devi_jax.runs.devices import (
    choose_devices,
    describe,
    enable_compilation_cache,
    ignore_fork_warning,
    offer_cpus,
)
from devi_jax.runs.hosts import agree, agree_text, join, leads, only_the_leader_prints
from devi_jax.runs.job_abort import end_together
from devi_jax.runs.loggers import read_jsonl, truncate_after
from devi_jax.runs.run_dir import RunDir, next_run_folder
from devi_jax.systems.build import Assembly
from devi_jax.systems.requirements import require_residual
from devi_jax.systems.stored import RENAMED
from devi_jax.training.loop import plan_first, train
from devi_jax.training.milestones import Milestones
from devi_jax.training.report import dry_run, report, report_plan
from devi_jax.training.run_config import load_policy_state, load_run, load_state, make_learner, with_learner, with_limit
from devi_jax.training.run_setup import RunRecord, create
from devi_jax.training.train_options import (
    EarlyOptions,
    TrainOptions,
    decided_preset,
    new_limits,
    read_early,
    read_options,
)
from envs.physics import choose_engine


def main(arguments: list[str] | None = None) -> None:
    """Entry point."""
    with end_together(), exit_on_error():
        arguments = with_new_flags(sys.argv[1:] if arguments is None else arguments, RENAMED)
        early = read_early(arguments)
        offer_cpus(early.devices)
        join(early.hosts)
        options = read_options(arguments, early)
        enable_compilation_cache()
        ignore_fork_warning()
        with only_the_leader_prints():
            print(f"device: {describe()}")
            if options.call.resume is not None:
                _resume(options, options.call.resume)
            else:
                _tell_choices(early)
                _begin(options)


def _tell_choices(early: EarlyOptions) -> None:
    (preset, why), (engine, because) = decided_preset(early), choose_engine(early.physics)
    print(f"preset: {preset} ({why}), system: {early.method}, recipe: {early.recipe}")
    print(f"physics: {engine} ({because})")


def _begin(options: TrainOptions) -> None:
    config = with_limit(options.run)
    if config.plan != "none":
        require_residual(config.system)
    clips = resolve_all(config.clip, mesh=options.call.mesh)
    for clip in clips:
        for doubt in extraction_doubts(clip):
            print(f"warning: {clip.name}: extracted from a film: {doubt}", file=sys.stderr)
    if len(clips) > 1 and options.call.seeds > 1:
        raise ConfigError(
            f"{options.call.seeds} seeds of {len(clips)} clips at once",
            where="--seeds, --clip",
            valid="several seeds of one clip, or one seed of several clips",
            fix="train each seed by itself with --seed",
        )
    mesh = _mesh(options)
    assembly, learner = make_learner(config, clips, mesh if options.call.seeds == 1 else None)
    if options.call.dry_run:
        print(dry_run(assembly, learner, config.seed))
        return
    seeds = None if options.call.seeds == 1 else Seeds(learner, options.call.seeds, mesh)
    out = Path(agree_text(str(options.call.out or next_run_folder(config.clip))))
    records = create(out, config, clips, options.call.seeds)
    if config.plan != "none":
        assembly = plan_first(records, config, assembly)
    if config.plan == "only":
        _report_plan(records[0].run, assembly, options, config.seed)
        return
    learner = with_learner(assembly, config, mesh if seeds is None else None)
    if seeds is None:
        state = learner.init(jax.random.key(config.seed))
    else:
        seeds = replace(seeds, learner=learner)
        state = seeds.init(keys(config.seed + i for i in range(seeds.count)))
    train(records, config, assembly, learner, state, seeds=seeds)
    best = [load_policy_state(record.run, learner) for record in records]
    if leads():
        results = [
            report(r.run, assembly, learner, s, options.call.film, config.seed + i)
            for i, (r, s) in enumerate(zip(records, best, strict=True))
        ]
        if seeds is not None:
            print(side_by_side({r.name: result for r, result in zip(records, results, strict=True)}))


def _mesh(options: TrainOptions) -> Mesh | None:
    devices = choose_devices(options.early.devices)
    if len(devices) == 1:
        return None
    what = "environments" if options.call.seeds == 1 else "seeds"
    print(f"devices: {what} shared among {len(devices)} devices of {jax.process_count()} process(es)")
    return env_mesh(devices)


def _report_plan(run: RunDir, assembly: Assembly, options: TrainOptions, seed: int) -> None:
    if leads():
        report_plan(run, assembly, options.call.film, seed)


def _resume(options: TrainOptions, folder: Path) -> None:
    run, mesh = RunDir.open(folder), _mesh(options)
    config, assembly, learner = load_run(run, mesh)
    record = RunRecord(run, Milestones(run.path))
    if config.plan != "none" and not agree(assembly.raw is not None):
        # stopped while planning: plan again, from the same seed
        assembly = plan_first([record], config, assembly)
        learner = with_learner(assembly, config, mesh)
    if config.plan == "only":
        _report_plan(run, assembly, options, config.seed)
        return
    with Checkpoints(run.checkpoints) as checkpoints:
        started = checkpoints.latest() is not None
    state = load_state(run, learner) if started else learner.init(jax.random.key(config.seed))
    done = int(state.iteration)
    if leads():
        truncate_after(run.metrics_jsonl, done if started else -1)
    rows = read_jsonl(run.metrics_jsonl) if done and leads() else []
    config = replace(config, **new_limits(options.run))
    print(f"run: {run.path}, resumed after iteration {done}")
    spent_s = rows[-1]["time/spent_s"] if rows else 0.0
    train([record], config, assembly, learner, state, spent_s)
    best = load_policy_state(run, learner)
    if leads():
        report(run, assembly, learner, best, options.call.film, config.seed)


if __name__ == "__main__":
    main()
