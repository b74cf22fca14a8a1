"""Which engine `--physics=auto` takes on this machine, and why."""

from importlib.util import find_spec
from typing import Literal

import jax

from envs.physics.solver import EngineName

EngineChoice = Literal["auto", "c", "mjx", "warp"]


def choose_engine(choice: EngineChoice = "auto", platform: str | None = None) -> tuple[EngineName, str]:
    """The engine and the reason in one sentence. `platform`: as `jax.default_backend()` says it."""
    platform = platform or jax.default_backend()
    if choice != "auto":
        return choice, f"asked for by --physics={choice}"
    if platform in ("gpu", "cuda") and find_spec("warp") is None:
        return "mjx", "MJX-Warp would be faster on this GPU, but warp-lang is not installed: pip install -e '.[gpu]'"
    if platform in ("gpu", "cuda"):
        return "warp", "MJX-Warp is the fastest engine on an NVIDIA GPU"
    if platform == "tpu":
        return "mjx", "MJX-JAX is the only engine that runs on a TPU"
    return "c", "C MuJoCo is 20 to 60 times faster than MJX on a CPU"
