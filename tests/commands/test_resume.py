"""A training killed at a random moment goes on and ends in the same bits as one that was left alone."""

import json
import os
import random
import signal
import time
from pathlib import Path

import jax
import numpy as np
import pytest

from devi_jax.runs.run_dir import RunDir
from devi_jax.training.run_config import load_run, load_state
from tests.commands.unjudged import SMALL, finish, start

WALL_CLOCK = "time/"


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
    finish(start(*SMALL, "--iterations=8", f"--out={whole}"))

    process = start(*SMALL, "--iterations=8", f"--out={killed}")
    wanted = random.Random(os.getpid()).randint(1, 7)  # a moment chosen anew each time
    metrics = killed / "metrics.jsonl"
    while process.poll() is None and (not metrics.exists() or len(metrics.read_text().splitlines()) < wanted):
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = len(metrics.read_text().splitlines())
    assert done < 9, "the run ended before it could be killed"
    finish(start(f"--resume={killed}", "--no-film"))

    (expected, expected_rows), (leaves, rows) = final(whole), final(killed)
    assert [r["iteration"] for r in rows] == list(range(9))
    assert rows == expected_rows
    for a, b in zip(expected, leaves, strict=True):
        np.testing.assert_array_equal(a, b)
