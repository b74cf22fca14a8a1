"""For tests of what a simulation leads to: starts that may be jittered, and bounds whose use can be watched.

What contact does differs from one processor to the next, so a bound needs room. `make spread` (`tests/spread.py`) runs
the tests marked `simulated` under several instruction sets and from jittered starts, and shows how much there is.
"""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

JITTER = "DEVI_JAX_TEST_JITTER"
"""Environment variable: standard deviation of the noise on every coordinate of a start, m or a part of a quaternion."""
SEED = "DEVI_JAX_TEST_JITTER_SEED"
"""Environment variable: which noise."""
FIGURES = "DEVI_JAX_TEST_FIGURES"
"""Environment variable: a file that `within` adds a line of JSON to for every figure it looks at."""


def jittered(qpos):
    """Coordinates (..., nq) with the noise that `DEVI_JAX_TEST_JITTER` asks for, or as they are."""
    scale, seed = (float(os.environ.get(name) or 0) for name in (JITTER, SEED))
    noise = np.random.default_rng(int(seed)).normal(scale=scale, size=qpos.shape[-1])
    return qpos + noise.astype(qpos.dtype)


def jitter_starts() -> None:
    """Let all that begins with `Physics.init` begin there, whatever engine, rollout or search it is of.

    Compiled programs ask for the noise when they run, so that one of them serves all seeds.
    """
    from envs.physics import Physics
    from envs.physics.engines.host_callback import host_call

    exact, name = Physics.init, int.from_bytes(b"jitter", "big")

    def init(self, *args, **kwargs):
        state = exact(self, *args, **kwargs)
        (qpos,) = host_call(name, lambda qpos: (jittered(qpos),), state.qpos.shape[-1:], state.qpos)
        return replace(state, qpos=qpos)

    Physics.init = init


def within(what: str, value, low: float = -np.inf, high: float = np.inf) -> None:
    """Assert that a figure, or every number of an array, lies strictly between two bounds."""
    least, most = float(np.min(value)), float(np.max(value))
    if path := os.environ.get(FIGURES):
        test = os.environ["PYTEST_CURRENT_TEST"].removesuffix(" (call)")
        row = {"test": test, "what": what, "least": least, "most": most, "low": low, "high": high}
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
    assert low < least and most < high, f"{what}: {least:g} to {most:g}, not between {low:g} and {high:g}"
