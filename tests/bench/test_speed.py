"""What `bench speed` says of its figures, what it counts, and what it compares with."""

import json
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from agents import NetworkConfig
from devi_jax.bench.speed import run as speed
from devi_jax.bench.speed.jobs import STEPS, Phases, medians, raw_batch_steps
from devi_jax.bench.speed.memory import size_row, tree_bytes
from devi_jax.bench.speed.page import growth, page, sb3_rate
from devi_jax.bench.speed.worker import run_worker
from devi_jax.datasets.load import resolve
from devi_jax.systems import assemble, devi


@pytest.fixture(scope="module")
def environment():
    """The bundled clip with a pinned pelvis."""
    return assemble(devi("cpu"), resolve("lift_can"), "c", "pinned").environment


@pytest.fixture
def report() -> dict:
    """A machine whose raw engine makes 1,000 steps a second."""
    cpu = {"raw": 0.2 * STEPS, "environment": 0.25 * STEPS, "collect": 1.6, "learn": 0.9}
    phases = Phases(100, 800, raw=0.1 * STEPS, environment=0.125 * STEPS, collect=1.0, learn=0.6, cpu=cpu)
    return {
        "command": "python -m devi_jax.bench speed",
        "date": "2026-01-02",
        "machine": "1 x cpu",
        "git": None,
        "cores": 2,
        "engine": "c",
        "epochs": 2,
        "phases": phases.__dict__,
        "rates": phases.rates,
        "ratios": phases.ratios,
        "cpu_rates": phases.cpu_rates,
        "peak_memory_mb": 512.0,
        "devices": [{"devices": 1, "rate": 400.0}, {"devices": 2, "rate": 720.0}, {"devices": 4, "error": "one\ntwo"}],
        "memory": [
            {"environments": 100, "raw": 300_000_000, "environment": 400_000_000},
            {"environments": 300, "raw": 500_000_000, "environment": 620_000_000},
        ],
        "sizes": [],
        "rivals": {
            "sb3-dummy": {"environments": 8, "rate": 100.0, "cpu_rate": 80.0},
            "sb3-subproc": {"environments": 8, "rate": 200.0},
            "mjx": {"environments": 16, "rate": 20.0},
        },
        "load": {"before": [1.0, 2.0, 3.0], "after": [4.0, 5.0, 6.0]},
    }


def test_ratios_are_of_the_raw_engine(report):
    """800 of 1,000 steps a second; 800 steps in 1 s of acting, and in 1.6 s with learning."""
    assert report["rates"] == pytest.approx({"raw": 1000, "environment": 800, "rollout": 800, "iteration": 500})
    assert report["cpu_rates"] == pytest.approx({"raw": 500, "environment": 400, "iteration": 320})
    assert report["ratios"] == pytest.approx({"environment": 0.8, "rollout": 0.8, "iteration": 0.5})


def test_the_page_says_what_is_met_and_what_is_extrapolated(report):
    said = page(report, "speed.png")
    assert ">= 0.9: missed" in said and ">= 0.5: met" in said and "(speed.png)" in said
    assert "| 100 steps/s | 5.0 | 4.0 |" in said
    assert sb3_rate(report) == 200 and "measured 2.5: missed" in said and "measured 40: met" in said
    assert "| 2 | 720 steps/s | 1.80 | 90% |" in said and "| 4 | failed: two |" in said
    assert "1.0/2.0/3.0, 4.0/5.0/6.0" in said
    busy = page({**report, "cores": 1})
    assert "Extrapolated" not in busy and "busier than it has cores" in busy
    extrapolated = said[said.index("Extrapolated, not measured") :]
    assert f"| 8 | {400 * 8 * 0.9**3:,.0f} steps/s | 73% |" in extrapolated
    assert "two devices over one: >= 1.7 times; measured 1.8: met" in said and "over one" not in busy
    lucky = page({**report, "devices": [{"devices": 1, "rate": 400.0}, {"devices": 2, "rate": 900.0}]})
    assert f"| 8 | {400 * 8:,.0f} steps/s | 100% |" in lucky and "measured 2.25: met" in lucky


def test_an_environments_memory_is_told_from_its_engines(report):
    """(500 - 300) MB over 200 environments is the engine; (220 - 200) MB is beside it."""
    assert growth(report) == pytest.approx({"engine": 1e6, "beside": 1e5})
    assert "100 kB beside it; target < 60 kB: missed" in page(report)
    assert growth({**report, "memory": report["memory"][:1]}) is None


def test_files_are_written_as_asked(report, tmp_path):
    speed.write(report, tmp_path / "new" / "speed.json", tmp_path / "speed.md")
    assert json.loads((tmp_path / "new" / "speed.json").read_text())["rates"]["raw"] == pytest.approx(1000)
    assert "![Rates" in (tmp_path / "speed.md").read_text()
    assert (tmp_path / "speed.png").read_bytes()[:4] == b"\x89PNG"


def test_a_page_is_renewed_between_its_marks_and_its_prose_stays():
    first, last = speed.MARKS
    assert speed.renewed(f"a\n{first}\nold\n{last}\nb\n", "new") == f"a\n{first}\n\nnew\n{last}\nb\n"
    assert speed.renewed("without marks", "new") == "new"


def test_medians_are_of_runs_after_the_first():
    runs: list[str] = []
    jobs = {name: lambda name=name: runs.append(name) for name in ("a", "b")}
    assert medians(jobs, 3).keys() == jobs.keys()
    assert runs == ["a", "b"] * 4


def test_the_raw_engine_steps_the_environments_own_model(environment):
    run = raw_batch_steps(environment, 3, steps=1)
    assert run() is None and run() is None


def test_bytes_are_those_of_the_arrays():
    assert tree_bytes({"a": jnp.zeros((3, 2)), "b": (jnp.zeros(5, jnp.int8), 1.0)}) == 24 + 5 + 4
    assert tree_bytes(jax.random.split(jax.random.key(0), 3)) == 3 * 8


@pytest.mark.slow
def test_an_environments_bytes_are_its_states_and_its_observations(environment):
    system, net = devi("cpu"), NetworkConfig(8, 1, 0, 1, 8, (8,), (8,))
    system = replace(system, network=net, ppo=replace(system.ppo, environments=4, horizon=2, minibatch=4))
    row = size_row(system, "lift_can", resolve("lift_can"), "pinned")
    state = environment.start(jnp.zeros((), jnp.int32))
    each = sum(x.nbytes for x in jax.tree.leaves((state, environment.observe(state))))
    assert row["environment_bytes"] == pytest.approx(each + 16)  # and four numbers of its episode
    assert row["environment_bytes"] < 60_000 and row["frames"] == environment.reference.frames
    assert row["step_bytes"] > sum(jax.tree.leaves(environment.observation_sizes)) * 4


def test_a_measurement_that_fails_says_why():
    assert "KeyError" in run_worker(60, "no such task")["error"]


def test_the_environment_to_compare_with_passes_gymnasiums_checker(environment, tmp_path):
    pytest.importorskip("gymnasium")
    from gymnasium.utils.env_checker import check_env

    from devi_jax.bench.speed.other_libraries import MujocoTracking, measure

    speed.write_for_other_libraries(environment, tmp_path)
    env = MujocoTracking(tmp_path)
    check_env(env, skip_render_check=True)
    env.reset(seed=1)
    for _ in range(10):
        _, reward, failed, _, _ = env.step(np.zeros(env.action_space.shape))
        # the targets that carry the object here hold the pose there: a mean joint error under 2 cm
        assert reward > np.exp(-20 * 0.02) and not failed
    assert measure(str(tmp_path), "sync", 2, 2, {})["rate"] > 0


def test_residual_targets_turn_as_rotation_vectors_do(rng):
    from devi_jax.bench.speed.other_libraries import _turned

    start, turns = Rotation.random(6, random_state=0), rng.normal(size=(6, 3))
    turns[0] = 0
    found = Rotation.from_quat(_turned(start.as_quat(scalar_first=True), turns), scalar_first=True)
    np.testing.assert_allclose((found.inv() * start * Rotation.from_rotvec(turns)).magnitude(), 0, atol=1e-7)
