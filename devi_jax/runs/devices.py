"""What the machine offers: JAX devices, CPU cores, memory, and JAX's compilation cache on disk."""

import os
import resource
import sys
import warnings
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import jax

from devi_jax.core.errors import ConfigError, DeviceError

Wanted = Literal["all"] | int
"""How many devices of each process to use."""


@dataclass(frozen=True)
class Machine:
    """`platform` is JAX's (`cpu`, `gpu`, `tpu`), `device` the kind of its first device, `cpus` usable cores."""

    platform: str
    device: str
    devices: int
    cpus: int


def machine() -> Machine:
    """The machine this process runs on. Starts JAX's backend."""
    devices = jax.devices()
    return Machine(devices[0].platform, devices[0].device_kind, len(devices), cpu_count())


def cpu_count() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe() -> str:
    """The machine in a few words, e.g. `1 x NVIDIA H200 (gpu), 16 CPU cores`."""
    m = machine()
    return f"{m.devices} x {m.device} ({m.platform}), {m.cpus} CPU cores"


def offer_cpus(wanted: Wanted) -> None:
    """Make as many CPU devices as are asked for, where JAX has not started yet; accelerators are what they are.

    Raises:
        ConfigError: when fewer than one are asked for.
    """
    if wanted != "all":
        if wanted < 1:
            raise ConfigError(f"training on {wanted} devices", where="--devices", valid="all, or 1 or more")
        with suppress(RuntimeError):
            jax.config.update("jax_num_cpu_devices", wanted)


def choose_devices(wanted: Wanted) -> list[Any]:
    """All of JAX's devices, or the first so many of each process.

    Raises:
        DeviceError: when a process has fewer.
    """
    if wanted == "all":
        return jax.devices()
    of_process = [[d for d in jax.devices() if d.process_index == i] for i in range(jax.process_count())]
    least = min(map(len, of_process))
    if not 1 <= wanted <= least:
        raise DeviceError(
            f"{wanted} devices asked for, but there are {least}",
            where="--devices",
            valid=f"all, or 1 to {least}",
        )
    return [d for devices in of_process for d in devices[:wanted]]


def use_older_fusion_emitters() -> None:
    """Have XLA emit fusions on CPUs by its older emitters, where `$XLA_FLAGS` says nothing of them.

    The newer ones take half of all compilation and make programs no faster (BUILD.md, Tests, has the measurement). Only
    for versions that were tried: XLA ends a process that gives a flag it does not know. It does nothing once JAX has
    compiled something.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    tried = (0, 8) <= tuple(map(int, metadata.version("jaxlib").split(".")[:2])) <= (0, 10)
    if tried and "xla_cpu_use_fusion_emitters" not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_use_fusion_emitters=false".strip()


def enable_compilation_cache() -> Path:
    """Keep compiled programs on disk, so that a second run starts at once, and the first one soon; returns the folder.

    The folder is `$JAX_COMPILATION_CACHE_DIR`, by default `~/.cache/devi_jax/jax`.
    """
    use_older_fusion_emitters()
    folder = Path(os.environ.get("JAX_COMPILATION_CACHE_DIR") or Path.home() / ".cache" / "devi_jax" / "jax")
    folder.mkdir(parents=True, exist_ok=True)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    return folder


def ignore_fork_warning() -> None:
    """Silence JAX's warning about forking: the children here (git, ffmpeg) execute another program at once."""
    warnings.filterwarnings("ignore", message=r"os\.fork\(\) was called", category=RuntimeWarning)


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far, in MB (10^6 bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
