"""Two processes of two devices each learn what one device learns and save it; when one is killed the other ends."""

import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from devi_jax.runs.checkpoint import Checkpoints
from tests.agents.test_sharding import learner, numbers, trained
from tests.agents.together import SAVED


def free_port() -> int:
    with socket.socket() as at:
        at.bind(("localhost", 0))
        return at.getsockname()[1]


@pytest.mark.slow
def test_four_devices_of_two_processes_learn_what_one_learns_and_neither_outlives_the_other(tmp_path):
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "tests.agents.together", str(tmp_path), str(free_port())]
    both = [
        subprocess.Popen([*command, str(index)], env=environment, stderr=subprocess.PIPE, text=True) for index in (0, 1)
    ]
    leader, follower = both
    patience = time.monotonic() + 900
    try:
        while not all((tmp_path / f"saved-{index}").exists() for index in (0, 1)):
            assert all(p.poll() is None for p in both), [p.communicate()[1][-3000:] for p in both if p.poll()]
            assert time.monotonic() < patience
            time.sleep(0.05)
        leader.send_signal(signal.SIGKILL)
        _, errors = follower.communicate(timeout=90)
    finally:
        for process in both:
            process.kill()
    assert follower.returncode == 2, errors[-3000:]
    assert "error: process 1 cannot continue: another has stopped" in errors and "--resume" in errors

    with Checkpoints(tmp_path / "checkpoints") as checkpoints:
        assert checkpoints.latest() == SAVED
        resumed = checkpoints.restore(None, learner(2).shapes())
    for a, b in zip(numbers(trained(0)[0]), numbers(resumed), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)
    onward, _ = learner(2).update(resumed)
    assert onward.iteration == SAVED + 1
