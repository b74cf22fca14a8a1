"""Two processes train one run together; one is killed, the other says so and ends; a single one goes on."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

SMALL = [
    "--clip=lift_can",
    "--root=pinned",
    "--physics=c",
    "--preset=cpu",
    "--plan=none",
    "--iterations=1000",
    "--checkpoint-every=2",
    "--ppo.environments=8",
    "--ppo.horizon=4",
    "--ppo.minibatch=16",
    "--environment.object-points=16",
    "--no-film",
]


def start(*flags: str) -> subprocess.Popen:
    """A training in a process of its own, with one device."""
    environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-m", "devi_jax.train", *flags]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def free_port() -> int:
    with socket.socket() as at:
        at.bind(("localhost", 0))
        return at.getsockname()[1]


def rows(run: Path) -> list[dict]:
    """Whole lines of the metrics, none before there are any."""
    file = run / "metrics.jsonl"
    text = file.read_text() if file.exists() else ""
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


@pytest.mark.slow
def test_two_processes_make_one_run_which_one_process_ends(tmp_path):
    run, port = tmp_path / "run", free_port()
    both = [
        start(
            *SMALL,
            f"--out={run}",
            f"--hosts.coordinator=localhost:{port}",
            "--hosts.count=2",
            f"--hosts.index={index}",
            "--hosts.timeout-s=20",
        )
        for index in (0, 1)
    ]
    leader, follower = both
    patience = time.monotonic() + 900
    try:
        while len(rows(run)) < 6:  # the glance before learning, and five iterations: two checkpoints
            assert all(p.poll() is None for p in both), [p.communicate()[1][-3000:] for p in both if p.poll()]
            assert time.monotonic() < patience
            time.sleep(0.05)
        follower.send_signal(signal.SIGKILL)
        told, errors = leader.communicate(timeout=120)
        silent, _ = follower.communicate()
    finally:
        for process in both:
            process.kill()
    assert leader.returncode == 2, errors[-3000:]
    assert "error: process 0 cannot go on: another has stopped" in errors and "--resume" in errors
    assert "environments shared out among 2, of 2 process(es)" in told and "run:" not in silent
    assert len(list((run / "tensorboard").iterdir())) == 1

    alone = start(f"--resume={run}", "--iterations=8", "--no-film")
    told, errors = alone.communicate(timeout=900)
    assert alone.returncode == 0, errors[-3000:]
    resumed_after = int(told.split("resumed after iteration ")[1].split()[0])
    assert resumed_after >= 2 and resumed_after % 2 == 0
    assert [row["iteration"] for row in rows(run)] == list(range(max(8, resumed_after) + 1))
    assert json.loads((run / "evaluation.json").read_text())["training"]["iterations"] == max(8, resumed_after)
