"""`bench gpu` keeps to its budget, keeps what it has measured, and goes on after what fails."""

import json

import pytest

from devi_jax.bench.speed import gpu
from devi_jax.bench.speed.gpu import BenchGpuOptions


def test_what_fails_costs_only_itself_and_the_file_holds_all(tmp_path, capsys):
    asked = []

    def worker(timeout_s, task, **given):
        asked.append((task, given["engine"], given.get("environments")))
        stored = json.loads((tmp_path / "gpu.json").read_text())["stages"]
        assert len(stored) == len(asked)  # the training, and all before this one
        if given["engine"] == "warp" and given.get("environments") == 8:
            return {"error": "Traceback\nout of memory"}
        return {"rate": 1000.0, "wall_s": 1.0}

    options = BenchGpuOptions(tmp_path / "gpu.json", environments=(4, 8, 16))
    report = gpu.measure(options, worker, lambda options, timeout_s: {"wall_s": 2.0})
    assert asked == [
        ("iteration", "warp", None),
        *[("environment", "warp", n) for n in (4, 8)],
        *[("environment", "mjx", n) for n in (4, 8, 16)],
    ]
    assert json.loads(options.json.read_text())["stages"] == json.loads(json.dumps(report["stages"]))
    assert "environment warp 8: out of memory" in capsys.readouterr().out


def test_it_ends_in_time(tmp_path, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(gpu.time, "monotonic", lambda: clock[0])
    given = []

    def worker(timeout_s, task, **settings):
        given.append(timeout_s)
        clock[0] += 40
        return {"rate": 1.0, "wall_s": 40.0}

    def trainer(options, timeout_s):
        assert timeout_s == 195 < 60 * options.train_minutes + gpu.AROUND_TRAINING_S
        clock[0] += 100
        return {"wall_s": 100.0}

    report = gpu.measure(BenchGpuOptions(tmp_path / "gpu.json", budget_s=200), worker, trainer)
    assert given == [90.0, 60.0, 20.0] and clock[0] == 220  # the last one would have been stopped at 200
    assert [s["task"] for s in report["stages"]] == ["train", "iteration", "environment", "environment"]


@pytest.mark.slow
def test_the_whole_script_runs_on_a_cpu(tmp_path, capsys):
    path = tmp_path / "gpu.json"
    flags = ["--engines", "c", "--environments", "2", "--steps=1", "--repeats=1", "--preset=tiny", "--train-minutes=0"]
    gpu.main([f"--json={path}", *flags, "--engine-s=300"])
    stages = json.loads(path.read_text())["stages"]
    assert [s["task"] for s in stages] == ["iteration", "environment"]
    assert all(s["rate"] > 0 for s in stages), capsys.readouterr().out
