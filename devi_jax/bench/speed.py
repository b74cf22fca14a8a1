"""`python -m devi_jax.bench speed`: how fast physics, environment and learning run here, measured in one process."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import tyro

from agents import Learner
from devi_jax.core.clip import Clip
from devi_jax.core.errors import exit_on_error
from devi_jax.runtime.devices import cpu_count, describe, enable_compilation_cache, ignore_fork_warning, peak_memory_mb
from devi_jax.runtime.provenance import provenance
from devi_jax.sources.resolve import resolve
from devi_jax.systems import Assembly, System, assemble, devi
from envs.physics import EngineChoice, choose_engine

STEPS = 32
"""Control steps of one measurement."""

MJX_ENVIRONMENTS = 16
"""Batch for MJX-JAX, whose rate on a CPU hardly grows with it: more would take many minutes."""


@dataclass(frozen=True)
class Options:
    """Measure on one clip and print a table."""

    clip: str = "lift_can"
    """Clip whose scene is simulated."""
    environments: int = 256
    """Batch size."""
    repeats: int = 5
    """Measurements of each figure; the median counts. Alternated, so that a busy machine slows all alike."""
    mjx: bool = False
    """Measure MJX-JAX too (a minute of compilation on a CPU)."""
    physics: EngineChoice = "auto"
    """Engine of environment and learner; the raw baseline is C MuJoCo's batch."""
    out: Path | None = None
    """Write the table to this Markdown file as well."""


def main(arguments: list[str]) -> None:
    """Entry point."""
    with exit_on_error():
        options = tyro.cli(Options, args=arguments, prog="python -m devi_jax.bench speed")
        enable_compilation_cache()
        ignore_fork_warning()
        text = report(options)
        print(text)
        if options.out:
            options.out.parent.mkdir(parents=True, exist_ok=True)
            options.out.write_text(text + "\n")


def report(options: Options) -> str:
    """The whole table as Markdown."""
    system, clip = devi("cpu"), resolve(options.clip)
    engine, _ = choose_engine(options.physics)
    assembly = assemble(system, clip, engine, "free")
    learner = Learner(assembly.environment, system.ppo, system.network)
    state = jax.block_until_ready(learner.init(jax.random.key(0)))
    after, rollout = jax.block_until_ready(learner.collect(state))
    environment = environment_steps(assembly, options.environments)
    jobs: dict[str, Callable[[], Any]] = {
        "raw": raw_batch_steps(assembly, options.environments),
        "environment": environment,
        "collect": lambda: learner.collect(state),
        "learn": lambda: learner.learn(after, rollout),
    }
    seconds = medians(jobs, options.repeats)
    count = options.environments * STEPS
    mjx = _mjx(system, clip) if options.mjx else None
    return _table(options, seconds, count, system, mjx, engine)


def raw_batch_steps(assembly: Assembly, count: int) -> Callable[[], None]:
    """`STEPS` control steps of `mujoco.batch` on the same model, batch and threads, with nothing around it."""
    from mujoco import batch

    physics = assembly.environment.physics
    settings = physics.settings
    start = jax.vmap(lambda _: assembly.environment.start(jnp.zeros((), jnp.int32)))(jnp.arange(count))
    qpos, qvel = np.asarray(start.physics.qpos), np.asarray(start.physics.qvel)
    sims = batch.Batch(physics.model, count, cpu_count())
    spring = sims.expand("qpos_spring")
    sims.bind("sensordata")

    def run() -> None:
        sims.reset()
        sims.qpos, sims.qvel = qpos, qvel
        for _ in range(STEPS):
            spring[:] = qpos
            sims.step(nstep=settings.substeps)

    return run


def environment_steps(assembly: Assembly, count: int) -> Callable[[], Any]:
    """`STEPS` steps of the whole environment: physics, kinematics, observation, reward, termination."""
    environment = assembly.environment

    @jax.jit
    def run(state, action):
        def step(state, _):
            state, transition = jax.vmap(environment.step)(state, action)
            tokens = [x.sum() for x in transition.observation.values()]
            return state, (transition.reward, transition.terminated, tokens)

        return jax.lax.scan(step, state, None, length=STEPS)

    start = jax.vmap(lambda _: environment.start(jnp.zeros((), jnp.int32)))(jnp.arange(count))
    return lambda: run(start, jnp.zeros((count, environment.action_size)))


def medians(jobs: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Median wall seconds of each job, after one run that compiles it; the jobs take turns."""
    for job in jobs.values():
        jax.block_until_ready(job())
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(repeats):
        for name, job in jobs.items():
            began = time.perf_counter()
            jax.block_until_ready(job())
            times[name].append(time.perf_counter() - began)
    return {name: float(np.median(values)) for name, values in times.items()}


def _mjx(system: System, clip: Clip) -> tuple[float, float]:
    """Environment steps a second on MJX-JAX, and the seconds its compilation took."""
    job = environment_steps(assemble(system, clip, "mjx", "free"), MJX_ENVIRONMENTS)
    began = time.perf_counter()
    jax.block_until_ready(job())
    first = time.perf_counter() - began
    seconds = medians({"mjx": job}, 1)["mjx"]
    return MJX_ENVIRONMENTS * STEPS / seconds, first - seconds


def _table(options: Options, seconds: dict[str, float], count: int, system: System, mjx, engine: str) -> str:
    raw, environment = seconds["raw"], seconds["environment"]
    iteration = seconds["collect"] + seconds["learn"]
    samples = system.ppo.environments * system.ppo.horizon
    share = raw * samples / count / iteration
    rows = [
        ("raw `mujoco.batch`", f"{count / raw:,.0f} control steps/s", "baseline"),
        (f"environment on `{engine}`", f"{count / environment:,.0f} steps/s", f"{raw / environment:.2f} of raw"),
        ("PPO iteration, `cpu` preset", f"{samples / iteration:,.0f} steps/s", f"physics {share:.0%} of the time"),
        ("  acting", f"{seconds['collect']:.2f} s", f"{samples:,} steps"),
        ("  learning", f"{seconds['learn']:.2f} s", f"{system.ppo.epochs} epochs"),
    ]
    if mjx is not None:
        rate, compiled = mjx
        share_of_c = rate * environment / count
        rows.append(
            (
                "environment on `mjx`",
                f"{rate:,.0f} steps/s",
                f"{share_of_c:.3f} of `{engine}`, compiled in {compiled:.0f} s",
            )
        )
    rows.append(("peak memory", f"{peak_memory_mb():,.0f} MB", "whole process"))
    git = provenance()["git"]
    busy = os.getloadavg()[1] if hasattr(os, "getloadavg") else float("nan")
    load = f"load average over five minutes {busy:.1f}, so on a busy machine read the ratios"
    head = [
        f"`python -m devi_jax.bench speed --clip={options.clip} --environments={options.environments} "
        f"--repeats={options.repeats}{' --mjx' if options.mjx else ''}`, {date.today().isoformat()}, {describe()}, "
        f"commit {git['commit'][:10] if git else 'unknown'}. Medians; {load}.",
        "",
        "| what | rate | |",
        "|---|---|---|",
    ]
    return "\n".join(head + [f"| {a} | {b} | {c} |" for a, b, c in rows])
