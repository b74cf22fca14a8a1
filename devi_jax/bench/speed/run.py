"""`python -m devi_jax.bench speed`: how fast this machine is, as ratios measured in one run, and against what else.

The raw engine is the unit. A page, a plot and a JSON come of it; docs/performance.md is one.
"""

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import mujoco
import numpy as np
import tyro

from devi_jax.bench.speed.jobs import measure_phases
from devi_jax.bench.speed.memory import size_row
from devi_jax.bench.speed.page import page
from devi_jax.bench.speed.plot import plot
from devi_jax.bench.speed.worker import run_worker
from devi_jax.core.clip import Clip
from devi_jax.core.errors import exit_on_error
from devi_jax.core.files import write_text
from devi_jax.core.skeleton import JOINTS
from devi_jax.datasets.load import resolve
from devi_jax.runs.devices import cpu_count, describe, enable_compilation_cache, ignore_fork_warning, peak_memory_mb
from devi_jax.runs.json_io import jsonable
from devi_jax.runs.provenance import provenance
from devi_jax.systems import System, assemble, devi
from envs.physics import EngineChoice, HumanRoot, choose_engine
from envs.physics.engine import Coordinates
from envs.tracking.env import TrackingEnvironment

MARKS = ("<!-- measured -->", "<!-- /measured -->")
"""Between these a page is renewed; the rest of it is prose."""
LONG_S = 900.0
"""Longest that one measurement in a process of its own may take."""


@dataclass(frozen=True)
class BenchSpeedOptions:
    """Measure on one clip and print a table."""

    clip: str = "lift_can"
    """Clip whose scene is simulated."""
    root: HumanRoot = "free"
    """Pelvis free or pinned."""
    repeats: int = 7
    """Measurements of each figure; the median counts. They take turns, so that a busy machine slows all alike."""
    physics: EngineChoice = "auto"
    """Engine of environment and learner; the raw baseline is C MuJoCo's batch."""
    devices: tuple[int, ...] = ()
    """Numbers of devices to measure whole iterations on, each in a process of its own, say 1 2."""
    memory: tuple[int, ...] = ()
    """Numbers of environments to measure memory at, each in processes of their own, say 256 1024."""
    sizes: tuple[str, ...] = ()
    """Clips whose bytes are counted, say lift_can pick_place."""
    against: int = 0
    """Environments of gymnasium and Stable-Baselines3 on the same model, to compare with; 0 leaves them out."""
    mjx: int = 0
    """Environments of MJX-JAX to compare with (a minute of compilation on a CPU); 0 leaves it out."""
    json: Path | None = None
    """Write all figures to this file as well."""
    out: Path | None = None
    """Write the page to this Markdown file, between its marks if it has them, and the plot beside it."""


def main(arguments: list[str]) -> None:
    """Entry point."""
    with exit_on_error():
        options = tyro.cli(BenchSpeedOptions, args=arguments, prog="python -m devi_jax.bench speed")
        enable_compilation_cache()
        ignore_fork_warning()
        report = measure(options, devi("cpu"), resolve(options.clip), arguments)
        print(page(report))
        write(report, options.json, options.out)


def write(report: dict[str, Any], as_json: Path | None, as_page: Path | None) -> None:
    """The report's files, whichever are asked for."""
    if as_json is not None:
        write_text(as_json, json.dumps(jsonable(report), indent=1) + "\n")
    if as_page is not None:
        plot(as_page.with_suffix(".png"), report)
        told = page(report, as_page.with_suffix(".png").name)
        write_text(as_page, renewed(as_page.read_text(), told) if as_page.exists() else told)


def renewed(text: str, told: str) -> str:
    """A page with what it says between the two `MARKS` replaced, or all of it if it has none."""
    parts = [text.partition(MARKS[0]), text.partition(MARKS[1])]
    if not all(mark for _, mark, _ in parts):
        return told
    return f"{parts[0][0]}{MARKS[0]}\n\n{told}\n{MARKS[1]}{parts[1][2]}"


def measure(options: BenchSpeedOptions, system: System, clip: Clip, arguments: list[str]) -> dict[str, Any]:
    """All figures that the options ask for, as JSON types."""
    engine, _ = choose_engine(options.physics)
    before = load()
    phases = measure_phases(system, clip, engine, options.root, options.repeats)
    common = {"clip": options.clip, "root": options.root}
    report: dict[str, Any] = {
        "command": " ".join(["python -m devi_jax.bench speed", *arguments]),
        "date": date.today().isoformat(),
        "machine": describe(),
        "cores": cpu_count(),
        "git": provenance()["git"],
        "engine": engine,
        "phases": asdict(phases),
        "rates": phases.rates,
        "ratios": phases.ratios,
        "cpu_rates": phases.cpu_rates,
        "epochs": system.ppo.epochs,
        "peak_memory_mb": peak_memory_mb(),
        "devices": [_devices(n, engine, options.repeats, common) for n in options.devices],
        "memory": [_memory(n, common) for n in options.memory],
        "sizes": [size_row(system, name, resolve(name), options.root) for name in options.sizes],
        "rivals": _other_libraries(options, system, clip, common),
        "load": {"before": before, "after": load()},
    }
    return report


def load() -> list[float] | None:
    """Load averages over 1, 5 and 15 minutes."""
    return [round(x, 2) for x in os.getloadavg()] if hasattr(os, "getloadavg") else None


def _devices(count: int, engine: str, repeats: int, common: dict[str, Any]) -> dict[str, Any]:
    given = {"engine": engine, "devices": count, "repeats": repeats, "preset": "cpu"}
    return {"devices": count, **run_worker(LONG_S, "iteration", **common, **given)}


def _memory(count: int, common: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {"environments": count}
    for name, raw in (("raw", True), ("environment", False)):
        found = run_worker(LONG_S, "memory", **common, environments=count, raw=raw)
        out[name] = found.get("peak_bytes", found.get("error"))
    return out


def _other_libraries(options: BenchSpeedOptions, system: System, clip: Clip, common: dict[str, Any]) -> dict[str, Any]:
    """Rates of what a user would take instead; `error` where one failed."""
    out: dict[str, Any] = {}
    if options.against:
        count, ppo = options.against, system.ppo
        settings = {
            "n_steps": ppo.environments * ppo.horizon // count,
            "batch_size": ppo.minibatch,
            "n_epochs": ppo.epochs,
            "net_arch": list(system.network.actor_widths),
        }
        with tempfile.TemporaryDirectory() as folder:
            write_for_other_libraries(assemble(system, clip, "c", options.root).environment, Path(folder))
            for kind in ("sync", "async", "sb3-dummy", "sb3-subproc"):
                given = {"folder": folder, "kind": kind, "environments": count, "steps": 64, "ppo": settings}
                out[kind] = {"environments": count, **run_worker(LONG_S, "other_library", **given)}
    if options.mjx:
        given = {"engine": "mjx", "environments": options.mjx, "steps": 4, "repeats": 1, "preset": "cpu"}
        out["mjx"] = {"environments": options.mjx, **run_worker(LONG_S, "environment", **common, **given)}
    return out


def write_for_other_libraries(environment: TrackingEnvironment, folder: Path) -> None:
    """What `other_libraries.MujocoTracking` reads: the model, and the clip in its coordinates."""
    physics, reference = environment.physics, environment.reference

    def show_spring(now: Coordinates, spring, variation):
        return Coordinates(spring, now.qvel, now.warmstart), jnp.zeros(physics.model.nsensordata)

    shown: Callable = replace(physics, advance=show_spring).step

    def at(t):
        state = environment.start(t)
        spring = shown(state.physics, environment.control(state, jnp.zeros(environment.action_size))).qpos
        return state.physics.qpos, state.physics.qvel, spring

    qpos, qvel, spring = jax.jit(jax.vmap(at))(jnp.arange(reference.frames))
    thing = physics.layout.object()
    mujoco.mj_saveModel(physics.model, str(folder / "model.mjb"))
    np.savez(
        folder / "clip.npz",
        qpos=qpos,
        qvel=qvel,
        spring=spring,
        position=reference.position,
        bodies=[physics.model.body(name).id for name in JOINTS],
        substeps=physics.substeps,
        joints=physics.layout.rotation_qpos[1:],
        thing_qpos=np.arange(physics.layout.nq)[thing.qpos],
        thing_qvel=np.arange(physics.layout.nv)[thing.qvel],
    )
