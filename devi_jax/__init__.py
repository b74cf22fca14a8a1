"""DeVI in JAX and MuJoCo: dexterous human-object interaction learned by imitating videos."""

import os
from importlib import metadata


def _compile_in_half_the_time() -> None:
    """Have XLA emit fusions on CPUs by its older emitters, where `$XLA_FLAGS` says nothing of them.

    The newer ones took half of all compilation (an environment's step: 17.5 s, 8.5 s without) and made no program
    faster (`bench speed`: the same iterations per second). Only for versions that were tried: XLA ends a process that
    gives a flag it does not know. It must be set before JAX compiles anything.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_cpu_use_fusion_emitters" in flags:
        return
    major, minor = metadata.version("jaxlib").split(".")[:2]
    if (0, 8) <= (int(major), int(minor)) <= (0, 10):
        os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_use_fusion_emitters=false".strip()


_compile_in_half_the_time()
