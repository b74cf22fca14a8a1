"""Two processes train one run together; one is killed, the other says so and ends; a single one goes on."""

import json
import signal
import time
from pathlib import Path

import pytest

from tests.agents.test_together import free_port
from tests.commands.unjudged import SMALL, finish, start


def rows(run: Path) -> list[dict]:
    """Whole lines of the metrics, none before there are any."""
    file = run / "metrics.jsonl"
    text = file.read_text() if file.exists() else ""
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


@pytest.mark.slow
def test_two_processes_make_one_run_which_one_process_ends(tmp_path):
    run, port = tmp_path / "run", free_port()
    hosts = (f"--hosts.coordinator=localhost:{port}", "--hosts.count=2", "--hosts.timeout-s=60")
    both = [start(*SMALL, "--iterations=1000", f"--out={run}", *hosts, f"--hosts.index={i}") for i in (0, 1)]
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
    assert "error: process 0 cannot continue: another has stopped" in errors and "--resume" in errors
    assert "environments shared among 2 devices of 2 process(es)" in told and "run:" not in silent
    assert len(list((run / "tensorboard").iterdir())) == 1

    told = finish(start(f"--resume={run}", "--iterations=6", "--no-film"))
    resumed_after = int(told.split("resumed after iteration ")[1].split()[0])
    assert resumed_after >= 2 and resumed_after % 2 == 0
    assert [row["iteration"] for row in rows(run)] == list(range(max(6, resumed_after) + 1))
    assert all(row.get("evaluation/here", 1.0) == 1.0 for row in rows(run)) and "evaluation/here" in rows(run)[0]
