"""The only file of the golden tests that imports the project: when modules move, it alone follows.

Everything it gives is plain: arrays, JSON, or functions of arrays.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from agents import Learner
from devi_jax.core.clip_io import load_clip
from devi_jax.core.environment import group
from devi_jax.datasets.load import resolve
from devi_jax.deploy.policy_file import read_policy
from devi_jax.rendering import gl
from devi_jax.runs.run_dir import RunDir
from devi_jax.systems import assemble, devi
from devi_jax.systems.trajectory_search import PlanConfig, fold, search, with_states
from devi_jax.training.run_config import load_run, load_state, trained_policy

DATA = Path(__file__).parent / "data"

LEARNT = {
    "actor": "actor",
    "average": "actor_ema",
    "critic": "critic",
    "actor_optimiser": "actor_optimiser",
    "critic_optimiser": "critic_optimiser",
    "normaliser": "normaliser",
}
"""The parts of PPO's state that are recorded, by the names they had then."""
METRICS = {"policy/learning_rate": "policy/rate"}
"""Metrics that had another name when they were recorded."""

PLAIN = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": True}
"""Compiler options under which each operation is rounded by itself.

Optimised, a program's last bits follow from how its parts are put together: the same steps by `vmap`, by `map` or one
by one differ by 1e-7 at once, and after 64 steps in contact by 10 mm. Like this they are the same bits. Fusions are
emitted as they were when the numbers were recorded, whatever `$XLA_FLAGS` says: otherwise they round otherwise.
"""


def can_render() -> bool:
    """Whether this machine has offscreen OpenGL."""
    return gl.available()


def command(name: str, *arguments: object) -> str:
    """`python -m devi_jax.NAME ARGUMENTS`, in a process whose programs are all compiled as `PLAIN` says; its output."""
    return _apart(f"devi_jax.{name}", *arguments)


def planned_apart(path: Path) -> dict[str, np.ndarray]:
    """`planned`, in such a process: the planner compiles its own programs."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "planned.npz"
        _apart("tests.golden.entry", path, out)
        with np.load(out) as file:
            return {k: file[k] for k in file.files}


def _apart(module: str, *arguments: object) -> str:
    flags = [os.environ.get("XLA_FLAGS", ""), *(f"--{k}={v}".lower() for k, v in PLAIN.items())]
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": " ".join(flags).strip()}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    words = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def unpacked(name: str, folder: Path) -> Path:
    """A run folder of `data`, unpacked into `folder`."""
    with zipfile.ZipFile(DATA / f"{name}.zip") as file:
        file.extractall(folder / name)
    return folder / name


def acts_of_run(path: Path, starts: list[int]) -> dict[str, np.ndarray]:
    """Observations where a run folder's episodes start, and its latest policy's actions."""
    run = RunDir.open(path)
    _, assembly, learner = load_run(run)
    return _acts(assembly.environment, trained_policy(learner, load_state(run, learner)), starts)


def acts_of_policy(path: Path, starts: list[int]) -> dict[str, np.ndarray]:
    """The same of a policy file."""
    file = read_policy(path)
    return _acts(file.assembly.environment, file.policy, starts)


def clip_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of a clip file as it is loaded, by their place in the clip."""
    return dict(_arrays(load_clip(path), ""))


def steps(clip: str, root: str, starts: list[int], count: int, seed: int) -> dict[str, np.ndarray]:
    """`count` steps of the default task on the C engine, from frames `starts` of a clip, in small random actions.

    Rewards (count, N), qpos and qvel (count, N, ·) and each of the tokens that the critic sees (count, N, ·).
    """
    environment = assemble(devi("cpu"), resolve(clip), "c", root).environment  # type: ignore[arg-type]
    size = (count, len(starts), environment.action_size)
    actions = (0.1 * np.random.default_rng(seed).standard_normal(size)).astype(np.float32)

    def advance(state: Any, action: jax.Array) -> tuple[Any, dict[str, jax.Array]]:
        state, seen = environment.step(state, action)
        shown = {"reward": seen.reward, "qpos": state.physics.qpos, "qvel": state.physics.qvel}
        return state, {**shown, **{f"observation_{name}": x for name, x in group(seen.observation, "critic").items()}}

    def play(start_and_actions: tuple[jax.Array, jax.Array]) -> dict[str, jax.Array]:
        start, actions = start_and_actions
        return jax.lax.scan(advance, environment.start(start), actions)[1]

    together = jax.jit(lambda *x: jax.lax.map(play, x), compiler_options=PLAIN)
    played = together(jnp.asarray(starts), actions.swapaxes(0, 1))
    return {name: np.asarray(x).swapaxes(0, 1) for name, x in played.items()}


def iteration(clip: str, root: str) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """One iteration of the default learner, made small, on the C engine: arrays by place, and metrics."""
    system = devi("cpu")
    environment = assemble(system, resolve(clip), "c", root).environment  # type: ignore[arg-type]
    ppo = replace(system.ppo, environments=4, horizon=8, minibatch=16, epochs=2, critic_warmup=0)
    network = replace(system.network, token_width=8, feedforward_width=8, actor_widths=(16,), critic_widths=(16,))
    learner = Learner(environment, ppo, network)
    update = jax.jit(learner.update, compiler_options=PLAIN)
    state, metrics = update(learner.init(jax.random.key(3)))
    parts = {name: getattr(state.algorithm, today) for name, today in LEARNT.items()}
    leaves = jax.tree_util.tree_leaves_with_path({**parts, "observation": state.observation})
    scalars = {METRICS.get(k, k): float(x) for k, x in metrics.items()}
    return {jax.tree_util.keystr(k): np.asarray(x) for k, x in leaves}, scalars


def planned(path: Path) -> dict[str, np.ndarray]:
    """Targets that a search of few samples finds for a clip file with a pinned pelvis, and the states they lead to."""
    environment = assemble(devi("cpu"), load_clip(path), "c", "pinned").environment
    sizes = dict(window=12, commit=6, knot_spacing=6, samples=8, iterations=2, elites=3, variants=2, retries=0)
    config = PlanConfig(search=replace(PlanConfig().search, **sizes))
    found = search(environment, config, jax.random.key(5))
    led = with_states(fold(environment, found), config, jax.random.key(6))
    states = led.planned
    assert states is not None
    return {k: np.asarray(x) for k, x in (("target", led.reference.target), ("qpos", states.states.qpos[0]))}


def _acts(environment: Any, policy: Any, starts: list[int]) -> dict[str, np.ndarray]:
    act: Callable = jax.jit(policy.act)
    observation = jax.vmap(environment.observe)(jax.vmap(environment.start)(jnp.asarray(starts)))
    _, action = act(policy.parameters, policy.initial_carry(len(starts)), observation, jax.random.key(0))
    return {"action": np.asarray(action), **{f"observation_{k}": np.asarray(x) for k, x in observation.items()}}


def _arrays(value: Any, at: str):
    if isinstance(value, np.ndarray):
        yield at, value
    elif is_dataclass(value):
        for field in fields(value):
            yield from _arrays(getattr(value, field.name), f"{at}/{field.name}")
    elif isinstance(value, (tuple, list)):
        for i, part in enumerate(value):
            yield from _arrays(part, f"{at}/{i}")


if __name__ == "__main__":
    np.savez(sys.argv[2], **planned(Path(sys.argv[1])))  # type: ignore[arg-type]
