"""`python -m devi_jax.train --clip=...`: from a clip to a trained, evaluated, filmed policy in one run folder."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import jax
import tyro
from jax.sharding import Mesh

from agents.multi_seed import Seeds, keys
from agents.sharding import env_mesh
from devi_jax.core.errors import ConfigError, exit_on_error
from devi_jax.datasets.load import resolve
from devi_jax.evaluation.table import side_by_side
from devi_jax.runs.checkpoint import Checkpoints
from devi_jax.runs.devices import (
    Wanted,
    choose_devices,
    describe,
    enable_compilation_cache,
    ignore_fork_warning,
    offer_cpus,
)
from devi_jax.runs.hosts import Hosts, agree, agree_text, join, leads, only_the_leader_prints
from devi_jax.runs.job_abort import end_together
from devi_jax.runs.loggers import read_jsonl, truncate_after
from devi_jax.runs.run_dir import RunDir, next_run_folder
from devi_jax.systems import NAMES, Preset, Recipe, System, SystemName, choose_preset, devi, make_system
from devi_jax.systems.build import Assembly
from devi_jax.training.loop import plan_first, train
from devi_jax.training.milestones import Stages
from devi_jax.training.report import dry_run, report, report_plan
from devi_jax.training.run_config import Planning, RunConfig, load_run, load_state, make_learner, with_learner
from devi_jax.training.run_setup import Record, create
from envs.physics import EngineChoice, Root, choose_engine


@dataclass(frozen=True)
class Place:
    """Where to compute, which is settled before anything else is."""

    devices: Wanted = "all"
    """Devices of each process among which environments are shared out; on a CPU, how many to make of it."""
    hosts: Hosts = Hosts()
    """Processes that train together."""


@dataclass(frozen=True)
class Options:
    """Learn to imitate a clip."""

    clip: str = "lift_can"
    """A bundled name, a clip .npz, or an InterMimic / PhysHOI .pt."""
    out: Path | None = None
    """Run folder; by default runs/CLIP-N. It must not exist."""
    minutes: float | None = None
    """Train for so long, beside compilation, evaluation and film; 10 if neither this nor --iterations is given."""
    iterations: int | None = None
    """Train for so many iterations."""
    until: float | None = None
    """Stop as soon as the policy succeeds from the exact start and from this share of perturbed ones, say 0.9."""
    seed: int = 0
    """Seed of networks, exploration and resets."""
    seeds: int = 1
    """Train so many policies at once, of seeds --seed and on, in one program: each has a run folder in --out."""
    which: Annotated[SystemName, tyro.conf.arg(name="system")] = "devi"
    """Rewards, termination and goal: DeVI's, a baseline's, or DeVI's with a 6-DoF object reward or with none."""
    recipe: Recipe = "fast"
    """fast: plan, residual actions, starts in the plan's states; paper: A.10 as printed, from scratch."""
    plan: Planning = "first"
    """Search targets that already do the task before learning, only that and no learning, or neither."""
    preset: Literal["auto", "paper", "cpu"] = "auto"
    """Sizes: the paper's, or small ones for a laptop; auto picks by device and says so."""
    physics: EngineChoice = "auto"
    """Engine: C MuJoCo, MJX in JAX, MJX on Warp; auto picks by device and says so."""
    root: Root = "free"
    """free: the human stands on its own feet; pinned: its pelvis follows the clip through stiff springs."""
    resume: Path | None = None
    """Go on with this run, with its own clip and settings; only --minutes, --iterations and --until may be new."""
    dry_run: bool = False
    """Build everything, print shapes and memory, take two steps, write nothing."""
    mesh: Path | None = None
    """Object mesh for a .pt whose mesh does not lie beside it."""
    film: bool = True
    """Film the trained policy."""
    checkpoint_every: int = 20
    """Iterations between checkpoints, and between glances at the deterministic policy."""
    place: Annotated[Place, tyro.conf.arg(name="")] = Place()
    """Devices and processes."""
    system: Annotated[System, tyro.conf.arg(name="")] = devi("cpu")
    """The recipe; every reward weight and setting is a flag of its own."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point."""
    with end_together(), exit_on_error():
        arguments = sys.argv[1:] if arguments is None else arguments
        place, _ = tyro.cli(Place, args=arguments, return_unknown_args=True, add_help=False)
        offer_cpus(place.devices)
        join(place.hosts)
        preset, why = _preset(arguments)
        recipe: Recipe = "paper" if _given(arguments, "recipe") == "paper" else "fast"
        # from scratch means from scratch: a plan has to be asked for
        system = make_system(_named(arguments), preset, recipe)
        defaults = Options(system=system, plan="first" if recipe == "fast" else "none")
        options = tyro.cli(Options, args=arguments, default=defaults)
        enable_compilation_cache()
        ignore_fork_warning()
        with only_the_leader_prints():
            print(f"device: {describe()}")
            if options.resume is not None:
                _resume(options)
            else:
                print(f"preset: {preset} ({why}), system: {options.which}, recipe: {recipe}")
                _begin(options, preset)


def _preset(arguments: list[str]) -> tuple[Preset, str]:
    given = _given(arguments, "preset")
    if given in get_args(Preset):
        return given, "asked for"  # type: ignore[return-value]
    return choose_preset(jax.default_backend())


def _named(arguments: list[str]) -> SystemName:
    given = _given(arguments, "system")
    return given if given in NAMES else "devi"  # type: ignore[return-value]


def _given(arguments: list[str], flag: str) -> str | None:
    """The value of a flag that decides the defaults of all others, and so is read before them."""
    for i, word in enumerate(arguments):
        if word == f"--{flag}" and i + 1 < len(arguments):
            return arguments[i + 1]
        if word.startswith(f"--{flag}="):
            return word.split("=", 1)[1]
    return None


def _begin(options: Options, preset: str) -> None:
    engine, why = choose_engine(options.physics)
    print(f"physics: {engine} ({why})")
    _check(options)
    clip = resolve(options.clip, mesh=options.mesh)
    minutes = options.minutes if options.minutes or options.iterations else 10.0
    config = RunConfig(
        system=options.system,
        clip=options.clip,
        engine=engine,
        root=options.root,
        seed=options.seed,
        preset=preset,
        recipe=options.recipe,
        plan=options.plan,
        until=options.until,
        iterations=options.iterations,
        minutes=minutes,
        checkpoint_every=options.checkpoint_every,
    )
    mesh = _mesh(options)
    assembly, learner = make_learner(config, clip, mesh if options.seeds == 1 else None)
    if options.dry_run:
        print(dry_run(assembly, learner, config.seed))
        return
    seeds = None if options.seeds == 1 else Seeds(learner, options.seeds, mesh)
    out = Path(agree_text(str(options.out or next_run_folder(options.clip))))
    records = create(out, config, clip, options.seeds)
    if config.plan != "none":
        assembly = plan_first(records, config, assembly)
    if config.plan == "only":
        _report_plan(records[0].run, assembly, options)
        return
    learner = with_learner(assembly, config, mesh if seeds is None else None)
    if seeds is None:
        state = learner.init(jax.random.key(config.seed))
    else:
        seeds = replace(seeds, learner=learner)
        state = seeds.init(keys(config.seed + i for i in range(seeds.count)))
    states = train(records, config, assembly, learner, state, seeds=seeds)
    if leads():
        results = [report(r.run, assembly, learner, s, options.film) for r, s in zip(records, states, strict=True)]
        if seeds is not None:
            print(side_by_side({r.name: result for r, result in zip(records, results, strict=True)}))


def _mesh(options: Options) -> Mesh | None:
    devices = choose_devices(options.place.devices)
    if len(devices) == 1:
        return None
    what = "environments" if options.seeds == 1 else "seeds"
    print(f"devices: {what} shared out among {len(devices)}, of {jax.process_count()} process(es)")
    return env_mesh(devices)


def _check(options: Options) -> None:
    if options.checkpoint_every < 1 or (options.iterations or 1) < 1 or (options.minutes or 1) <= 0:
        raise ConfigError(
            "--checkpoint-every, --iterations and --minutes must be positive", valid="for example --minutes=3"
        )
    if options.seeds < 1 or (options.seeds > 1 and (options.plan == "only" or jax.process_count() > 1)):
        raise ConfigError(
            f"{options.seeds} seeds at once",
            where="--seeds",
            valid="1 or more; more than one in a single process, and with learning",
        )
    if options.plan != "none" and options.system.environment.action.mode == "absolute":
        raise ConfigError(
            "absolute actions cannot turn around a plan's targets",
            where="--plan, --environment.action.mode",
            valid="--plan=none with absolute actions, or residual ones",
        )


def _report_plan(run: RunDir, assembly: Assembly, options: Options) -> None:
    if leads():
        report_plan(run, assembly, film=options.film)


def _resume(options: Options) -> None:
    run, mesh = RunDir.open(options.resume or Path()), _mesh(options)
    config, assembly, learner = load_run(run, mesh)
    record = Record(run, Stages(run.path))
    if config.plan != "none" and not agree(assembly.raw is not None):
        # stopped while planning: plan again, from the same seed
        assembly = plan_first([record], config, assembly)
        learner = with_learner(assembly, config, mesh)
    if config.plan == "only":
        _report_plan(run, assembly, options)
        return
    with Checkpoints(run.checkpoints) as checkpoints:
        started = checkpoints.latest() is not None
    state = load_state(run, learner) if started else learner.init(jax.random.key(config.seed))
    done = int(state.iteration)
    if leads():
        truncate_after(run.metrics_jsonl, done if started else -1)
    rows = read_jsonl(run.metrics_jsonl) if done and leads() else []
    config = replace(config, **_new_limits(options))
    print(f"run: {run.path}, resumed after iteration {done}")
    spent_s = rows[-1]["time/spent_s"] if rows else 0.0
    (state,) = train([record], config, assembly, learner, state, spent_s)
    if leads():
        report(run, assembly, learner, state, film=options.film)


def _new_limits(options: Options) -> dict[str, Any]:
    """The limits given with --resume replace the run's own, all at once."""
    given = {"minutes": options.minutes, "iterations": options.iterations, "until": options.until}
    return given if any(v is not None for v in given.values()) else {}


if __name__ == "__main__":
    main()
