"""`python -m devi_jax.bench.speed.worker JSON`: one measurement in a process of its own, whose result is its last line.

What sets up JAX (devices, cores) or is judged by the process (memory) cannot be measured beside anything else.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

Result = dict[str, Any]


def run_worker(timeout_s: float, task: str, **settings: Any) -> Result:
    """Run a task in a new process; what went wrong, if anything did, is in the result's `error`."""
    command = [sys.executable, "-m", "devi_jax.bench.speed.worker", json.dumps({"task": task, **settings})]
    began = time.perf_counter()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=max(timeout_s, 1.0))
    except subprocess.TimeoutExpired:
        return {"error": f"not done in {timeout_s:.0f} s"}
    spent = {"wall_s": round(time.perf_counter() - began, 1)}
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        return {"error": "\n".join(done.stderr.strip().splitlines()[-4:]) or f"exit code {done.returncode}", **spent}
    return {**json.loads(lines[-1]), **spent}


def main(arguments: list[str] | None = None) -> None:
    """Entry point."""
    given = json.loads((sys.argv[1:] if arguments is None else arguments)[0])
    print(json.dumps(TASKS[given.pop("task")](**given)), flush=True)


def environment(clip: str, engine: str, root: str, environments: int, steps: int, repeats: int, preset: str) -> Result:
    """Environment steps a second on one engine, and what they cost before and beside."""
    import jax

    from devi_jax.bench.speed.jobs import environment_steps, medians, timed

    system, assembly, built_s = _assembled(clip, engine, root, preset)
    job = environment_steps(assembly.environment, environments, steps)
    first = timed(job)
    spent = medians({"environment": job}, repeats)["environment"]
    return {
        "rate": environments * steps / spent.wall,
        "cpu_rate": environments * steps / spent.cpu,
        "compile_s": round(first.wall - spent.wall, 2),
        "built_s": round(built_s, 2),
        "device": jax.devices()[0].device_kind,
        "device_peak_bytes": (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use"),
        "room": [assembly.environment.physics.settings.contacts, assembly.environment.physics.settings.rows],
    }


def iteration(clip: str, engine: str, root: str, devices: int, repeats: int, preset: str) -> Result:
    """Whole iterations a second on so many devices; on a CPU each has one core of its own."""
    os.environ.setdefault("JAX_NUM_CPU_DEVICES", str(devices))
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:devices])
    import jax

    from agents import Learner
    from agents.sharding import env_mesh
    from devi_jax.bench.speed.jobs import medians

    system, assembly, _ = _assembled(clip, engine, root, preset)
    mesh = env_mesh(jax.devices()[:devices]) if devices > 1 else None
    learner = Learner(assembly.environment, system.ppo, system.network, mesh)
    state = learner.init(jax.random.key(0))
    after, rollout = learner.collect(state)
    jobs: dict[str, Callable[[], Any]] = {
        "collect": lambda: learner.collect(state),
        "learn": lambda: learner.learn(after, rollout),
    }
    spent, samples = medians(jobs, repeats), system.ppo.environments * system.ppo.horizon
    wall, cpu = (sum(getattr(s, clock) for s in spent.values()) for clock in ("wall", "cpu"))
    return {"rate": samples / wall, "cpu_rate": samples / cpu, **{name: s.wall for name, s in spent.items()}}


def memory(clip: str, root: str, environments: int, raw: bool) -> Result:
    """Largest resident memory of a process that steps so many environments, or the raw engine alone."""
    import jax

    from devi_jax.bench.speed.jobs import environment_steps, raw_batch_steps

    _, assembly, _ = _assembled(clip, "c", root, "cpu")
    steps = raw_batch_steps if raw else environment_steps
    jax.block_until_ready(steps(assembly.environment, environments, 2)())
    return {"peak_bytes": _peak_bytes()}


def _peak_bytes() -> int:
    """Largest resident memory of this process. What `getrusage` says on Linux may still be its parent's."""
    from devi_jax.runs.devices import peak_memory_mb

    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((1024 * int(x.split()[1]) for x in lines if x.startswith("VmHWM")), int(1e6 * peak_memory_mb()))


def other_library(**settings: Any) -> Result:
    """What a user would take instead: `devi_jax.bench.speed.other_libraries`, without JAX."""
    from devi_jax.bench.speed import other_libraries

    return other_libraries.measure(**settings)


def _assembled(clip: str, engine: str, root: str, preset: str):
    from devi_jax.datasets.load import resolve
    from devi_jax.runs.devices import enable_compilation_cache, ignore_fork_warning
    from devi_jax.systems import assemble, devi

    enable_compilation_cache()
    ignore_fork_warning()
    system, began = devi("paper" if preset == "paper" else "cpu"), time.perf_counter()
    if preset == "tiny":
        system = replace(system, ppo=replace(system.ppo, environments=4, horizon=2, minibatch=4, epochs=1))
    assembly = assemble(system, resolve(clip), engine, root)  # type: ignore[arg-type]
    return system, assembly, time.perf_counter() - began


TASKS: dict[str, Callable[..., Result]] = {
    "environment": environment,
    "iteration": iteration,
    "memory": memory,
    "other_library": other_library,
}


if __name__ == "__main__":
    main()
