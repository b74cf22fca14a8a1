"""`python -m devi_jax.train --clip=...`: from a clip to a trained, evaluated, filmed policy in one run folder."""

import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

import jax
import tyro

from agents import Learner, Metrics, TrainState
from devi_jax.core.clip import Clip
from devi_jax.core.clipfile import save_clip
from devi_jax.core.errors import ConfigError, RunError, exit_on_error
from devi_jax.runtime.checkpoint import Checkpoints
from devi_jax.runtime.devices import describe, enable_compilation_cache, ignore_fork_warning, peak_memory_mb
from devi_jax.runtime.loggers import JsonlLogger, Loggers, TensorboardLogger, read_jsonl, truncate_after
from devi_jax.runtime.progress import Row, progress
from devi_jax.runtime.rundir import RunDir, next_run_folder
from devi_jax.sources.resolve import resolve
from devi_jax.systems import TERMS, Assembly, Preset, System, choose_preset, devi
from devi_jax.systems.report import dry_run, glance, report
from devi_jax.systems.runs import Plan, clip_file, load_run, load_state, make_learner
from envs.physics import EngineChoice, Root, choose_engine


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
    seed: int = 0
    """Seed of networks, exploration and resets."""
    preset: Literal["auto", "paper", "cpu"] = "auto"
    """Sizes: the paper's, or small ones for a laptop; auto picks by device and says so."""
    physics: EngineChoice = "auto"
    """Engine: C MuJoCo, MJX in JAX, MJX on Warp; auto picks by device and says so."""
    root: Root = "free"
    """free: the human stands on its own feet; pinned: its pelvis follows the clip through stiff springs."""
    resume: Path | None = None
    """Go on with this run, with its own clip and settings; only --minutes and --iterations may be new."""
    dry_run: bool = False
    """Build everything, print shapes and memory, take two steps, write nothing."""
    mesh: Path | None = None
    """Object mesh for a .pt whose mesh does not lie beside it."""
    film: bool = True
    """Film the trained policy."""
    checkpoint_every: int = 20
    """Iterations between checkpoints, and between glances at the deterministic policy."""
    system: Annotated[System, tyro.conf.arg(name="")] = devi("cpu")
    """The recipe; every reward weight and setting is a flag of its own."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point."""
    with exit_on_error():
        arguments = sys.argv[1:] if arguments is None else arguments
        preset, why = _preset(arguments)
        options = tyro.cli(Options, args=arguments, default=Options(system=devi(preset)))
        enable_compilation_cache()
        ignore_fork_warning()
        print(f"device: {describe()}")
        if options.resume is not None:
            _resume(options)
        else:
            print(f"preset: {preset} ({why})")
            _begin(options, preset)


def _preset(arguments: list[str]) -> tuple[Preset, str]:
    """The preset decides the defaults of all other flags, so it is read before them."""
    given = "auto"
    for i, word in enumerate(arguments):
        if word == "--preset" and i + 1 < len(arguments):
            given = arguments[i + 1]
        elif word.startswith("--preset="):
            given = word.split("=", 1)[1]
    if given in get_args(Preset):
        return given, "asked for"  # type: ignore[return-value]
    return choose_preset(jax.default_backend())


def _begin(options: Options, preset: str) -> None:
    engine, why = choose_engine(options.physics)
    print(f"physics: {engine} ({why})")
    if options.checkpoint_every < 1 or (options.iterations or 1) < 1 or (options.minutes or 1) <= 0:
        raise ConfigError(
            "--checkpoint-every, --iterations and --minutes must be positive", valid="for example --minutes=3"
        )
    clip = resolve(options.clip, mesh=options.mesh)
    minutes = options.minutes if options.minutes or options.iterations else 10.0
    plan = Plan(
        system=options.system,
        clip=options.clip,
        engine=engine,
        root=options.root,
        seed=options.seed,
        preset=preset,
        iterations=options.iterations,
        minutes=minutes,
        checkpoint_every=options.checkpoint_every,
    )
    assembly, learner = make_learner(plan, clip)
    if options.dry_run:
        print(dry_run(assembly, learner, plan.seed))
        return
    run = _create(options, plan, clip)
    state = learner.init(jax.random.key(plan.seed))
    state = _train(run, plan, assembly, learner, state, spent_s=0.0)
    report(run, assembly, learner, state, film=options.film)


def _create(options: Options, plan: Plan, clip: Clip) -> RunDir:
    out = options.out or next_run_folder(options.clip)
    run = RunDir.create(out, plan.to_json(), system=plan.system.name, seed=plan.seed)
    save_clip(clip, clip_file(run))
    print(f"run: {run.path}")
    return run


def _resume(options: Options) -> None:
    run = RunDir.open(options.resume or Path())
    plan, assembly, learner = load_run(run)
    with Checkpoints(run.checkpoints) as checkpoints:
        started = checkpoints.latest() is not None
    state = load_state(run, learner) if started else learner.init(jax.random.key(plan.seed))
    done = int(state.iteration)
    truncate_after(run.metrics_jsonl, done if started else -1)
    rows = read_jsonl(run.metrics_jsonl) if done else []
    plan = Plan(**{**plan.__dict__, **_new_limits(options)})
    print(f"run: {run.path}, resumed after iteration {done}")
    state = _train(run, plan, assembly, learner, state, spent_s=rows[-1]["time/spent_s"] if rows else 0.0)
    report(run, assembly, learner, state, film=options.film)


def _new_limits(options: Options) -> dict[str, float | int | None]:
    """The limits given with --resume replace the run's own, both at once."""
    given = {"minutes": options.minutes, "iterations": options.iterations}
    return given if any(v is not None for v in given.values()) else {}


def _train(
    run: RunDir, plan: Plan, assembly: Assembly, learner: Learner, state: TrainState, spent_s: float
) -> TrainState:
    """The host loop: iterate, log, show, keep checkpoints, until a limit is reached."""
    first = int(state.iteration)
    loggers = Loggers([JsonlLogger(run.metrics_jsonl), TensorboardLogger(run.tensorboard, first or None)])
    if first == 0:
        loggers.log(0, glance(assembly, learner, state))
    began = time.monotonic() - spent_s
    with Checkpoints(run.checkpoints) as checkpoints, progress() as show:
        while not _finished(plan, int(state.iteration), time.monotonic() - began):
            tick = time.monotonic()
            if int(state.iteration) == first:
                with show.compiling("physics, policy and update"):
                    state, metrics = jax.block_until_ready(learner.update(state))
                began += time.monotonic() - tick  # compilation is not training
            else:
                state, metrics = jax.block_until_ready(learner.update(state))
            iteration, spent = int(state.iteration), time.monotonic() - began
            rate = plan.system.ppo.environments * plan.system.ppo.horizon / (time.monotonic() - tick)
            scalars = {k: float(v) for k, v in metrics.items()}
            _refuse_divergence(run, scalars, iteration)
            scalars |= {"time/steps_per_s": rate, "time/spent_s": spent, "steps": learner.environment_steps(state)}
            if iteration % plan.checkpoint_every == 0 or _finished(plan, iteration, spent):
                scalars |= glance(assembly, learner, state)
            loggers.log(iteration, scalars)
            show.update(_share(plan, iteration, spent), _rows(metrics, iteration, rate))
            if iteration % plan.checkpoint_every == 0:
                checkpoints.save(iteration, state)
        checkpoints.save(int(state.iteration), state)
    loggers.close()
    print(
        f"trained: {int(state.iteration)} iterations, {learner.environment_steps(state)} environment steps, "
        f"peak memory {peak_memory_mb():.0f} MB"
    )
    return state


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


def _finished(plan: Plan, iteration: int, spent_s: float) -> bool:
    return _share(plan, iteration, spent_s) >= 1.0


def _share(plan: Plan, iteration: int, spent_s: float) -> float:
    """How much of the tighter limit is used up."""
    by_count = iteration / plan.iterations if plan.iterations else 0.0
    by_time = spent_s / 60 / plan.minutes if plan.minutes else 0.0
    return min(1.0, max(by_count, by_time))


def _rows(metrics: Metrics, iteration: int, rate: float) -> list[Row]:
    rows = [
        Row("iteration", iteration, ""),
        Row("steps/s", rate, ""),
        Row("reward", float(metrics["episode/reward"]), ""),
        Row("episode", float(metrics["episode/length"]), "frames"),
    ]
    return rows + [
        Row(n, float(metrics[f"environment/{n}"]), t.unit) for n, t in TERMS.items() if f"environment/{n}" in metrics
    ]


if __name__ == "__main__":
    main()
