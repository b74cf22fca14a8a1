"""Two seeds in one command make two whole run folders."""

import json

import jax
import numpy as np
import pytest

from devi_jax.runs.run_dir import RunDir
from devi_jax.training.run_config import load_run, load_state
from tests.commands.unjudged import SMALL, finish, start


@pytest.mark.slow
def test_two_seeds_make_two_runs(tmp_path):
    told = finish(start(*SMALL, "--iterations=2", "--seed=3", "--seeds=2", f"--out={tmp_path}/both"))
    assert told.rstrip().endswith("seed 3, seed 4")
    runs = [RunDir.open(tmp_path / "both" / name) for name in ("seed-3", "seed-4")]
    states = [load_state(run, load_run(run)[2]) for run in runs]
    actors = [np.concatenate([np.ravel(x) for x in jax.tree.leaves(state.algorithm.actor)]) for state in states]
    assert [int(state.iteration) for state in states] == [2, 2] and not np.allclose(*actors)

    rows = [[json.loads(line) for line in run.metrics_jsonl.read_text().splitlines()] for run in runs]
    assert [[row["iteration"] for row in of] for of in rows] == [[0, 1, 2]] * 2
    assert rows[0][1]["episode/reward"] != rows[1][1]["episode/reward"]
