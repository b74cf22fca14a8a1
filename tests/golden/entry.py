"""The only file of the golden tests that imports the project: when modules move, it alone follows.

Everything it gives is plain: arrays, JSON, or functions of arrays.
"""

import contextlib
import importlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from devi_jax.core.clip_io import load_clip
from devi_jax.datasets.load import resolve
from devi_jax.deploy.policy_file import read_policy
from devi_jax.runs.run_dir import RunDir
from devi_jax.systems import assemble, devi
from devi_jax.training.run_config import load_run, load_state, trained_policy

DATA = Path(__file__).parent / "data"

PLAIN = {"xla_backend_optimization_level": 0, "xla_disable_hlo_passes": "fusion"}
"""Compiler options under which each operation is rounded by itself, so that a program means its mathematics, not how
its parts happen to be put together. It also compiles in a third of the time."""


def command(name: str, *arguments: object) -> str:
    """Run `python -m devi_jax.NAME ARGUMENTS` in this process; what it printed."""
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        importlib.import_module(f"devi_jax.{name}").main([str(a) for a in arguments])
    return told.getvalue()


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

    Rewards (count, N), qpos and qvel (count, N, ·) and each observation token (count, N, ·).
    """
    environment = assemble(devi("cpu"), resolve(clip), "c", root).environment  # type: ignore[arg-type]
    size = (count, len(starts), environment.action_size)
    actions = (0.1 * np.random.default_rng(seed).standard_normal(size)).astype(np.float32)

    def advance(state: Any, action: jax.Array) -> tuple[Any, dict[str, jax.Array]]:
        state, seen = jax.vmap(environment.step)(state, action)
        shown = {"reward": seen.reward, "qpos": state.physics.qpos, "qvel": state.physics.qvel}
        return state, {**shown, **{f"observation_{name}": x for name, x in seen.observation.items()}}

    def play(starts: jax.Array, actions: jax.Array) -> dict[str, jax.Array]:
        return jax.lax.scan(advance, jax.vmap(environment.start)(starts), actions)[1]

    played = jax.jit(play, compiler_options=PLAIN)(jnp.asarray(starts), jnp.asarray(actions))
    return {name: np.asarray(x) for name, x in played.items()}


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
