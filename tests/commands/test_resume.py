"""A training killed at a random moment goes on and ends in the same bits as one that was left alone."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

from devi_jax.runtime.rundir import RunDir
from devi_jax.systems.runs import load_run, load_state

SMALL = [
    "--clip=lift_can",
    "--root=pinned",
    "--physics=c",
    "--preset=cpu",
    "--iterations=8",
    "--checkpoint-every=2",
    "--ppo.environments=8",
    "--ppo.horizon=4",
    "--ppo.minibatch=16",
    "--environment.object-points=16",
    "--no-film",
]
WALL_CLOCK = "time/"


def train(*flags: str) -> subprocess.Popen:
    """A training in a process of its own."""
    environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-m", "devi_jax.train", *flags]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen) -> None:
    """Wait for success."""
    _, errors = process.communicate(timeout=400)
    assert process.returncode == 0, errors[-3000:]


def final(path: Path):
    """Final state as a list of arrays, and the metrics without wall-clock times."""
    run = RunDir.open(path)
    _, _, learner = load_run(run)
    leaves = [
        np.asarray(jax.random.key_data(x) if jax.numpy.issubdtype(x.dtype, jax.dtypes.prng_key) else x)
        for x in jax.tree.leaves(load_state(run, learner))
    ]
    rows = [json.loads(line) for line in run.metrics_jsonl.read_text().splitlines()]
    rows = [{k: v for k, v in row.items() if not k.startswith(WALL_CLOCK)} for row in rows]
    return leaves, rows


@pytest.mark.slow
def test_killed_run_resumes_bit_identically(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    finish(train(*SMALL, f"--out={whole}"))

    process = train(*SMALL, f"--out={killed}")
    wanted = random.Random(os.getpid()).randint(1, 7)  # a moment chosen anew each time
    metrics = killed / "metrics.jsonl"
    while process.poll() is None and (not metrics.exists() or len(metrics.read_text().splitlines()) < wanted):
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = len(metrics.read_text().splitlines())
    assert done < 9, "the run ended before it could be killed"
    finish(train(f"--resume={killed}", "--no-film"))

    (expected, expected_rows), (leaves, rows) = final(whole), final(killed)
    assert [r["iteration"] for r in rows] == list(range(9))
    assert rows == expected_rows
    for a, b in zip(expected, leaves, strict=True):
        np.testing.assert_array_equal(a, b)
