"""docs/new_system.md, word for word: its file and its entry make a system that builds, steps, trains and evaluates."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from devi_jax.cli import parse
from devi_jax.core.clip import body_only
from devi_jax.core.errors import ConfigError
from devi_jax.core.skeleton import INDEX
from devi_jax.runs.json_io import jsonable
from devi_jax.systems import assemble, make_system, registry
from devi_jax.systems.flag_help import describe_row
from devi_jax.systems.requirements import require
from devi_jax.systems.stored import from_json, to_json
from devi_jax.training.loop import _rows
from devi_jax.training.run_config import RunConfig
from envs.rewards import shape_factor
from envs.tracking.config import ObjectPoints
from envs.tracking.terminations import OFF, Terminations

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "new_system.md").read_text()
(FILE,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
(ENTRY,) = re.findall(r"```diff\n(.*?)```", PAGE, flags=re.DOTALL)
COMMANDS = [line for block in re.findall(r"```bash\n(.*?)```", PAGE, flags=re.DOTALL) for line in block.splitlines()]
(NAME,) = re.findall(r"`devi_jax/systems/(\w+)\.py`:\n", PAGE)


def with_entry(text: str) -> str:
    """The registry with the lines that the page adds, each below the line that the page shows above it."""
    above = ""
    for line in filter(None, ENTRY.splitlines()):
        if line.startswith("+"):
            assert text.count(above) == 1, f"the registry has no single line {above!r}"
            text = text.replace(above, f"{above}{line[1:]}\n")
        above = f"{line[1:]}\n"
    return text


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    """The page's file, imported from where it was written, and registered by its name."""
    path = tmp_path_factory.mktemp("tutorial") / f"{NAME}.py"
    path.write_text(FILE)
    spec = importlib.util.spec_from_file_location(NAME, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry.SYSTEMS, NAME, getattr(module, NAME))
        yield module


@pytest.fixture(scope="module")
def system(module):
    return replace(make_system(NAME), object_points=ObjectPoints(16))


@pytest.fixture(scope="module")
def environment(system, lift_can):
    """The bundled clip; no bound but the new one, so that it is what ends an episode."""
    alone = {**OFF, "object_drop": system.terminations["object_drop"]}
    return assemble(replace(system, terminations=alone), lift_can, "c", "pinned").environment


@pytest.fixture(scope="module")
def scene(environment):
    """What the simulation shows at frame 20, and a reference whose object is in the same place."""
    frame = environment.frame(environment.start(jnp.asarray(20)))
    reference = environment.library.at(jnp.asarray(0), jnp.asarray(20))
    same = {name: getattr(frame, name) for name in ("object_position", "object_rotation")}
    return frame, replace(reference, **same)


def turned(q, rotvec):
    """A rotation followed by another in the object's own axes."""
    both = Rotation.from_quat(np.asarray(q, float), scalar_first=True) * Rotation.from_rotvec(rotvec)
    return jnp.asarray(both.as_quat(scalar_first=True), jnp.float32)


def test_the_file_is_short_and_passes_the_linter():
    assert len(FILE.splitlines()) < 60
    for check in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *check, f"--stdin-filename=devi_jax/systems/{NAME}.py", "-"]
        done = subprocess.run(command, input=FILE, capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_entry_is_an_import_and_a_line():
    added = {line[1:].strip() for line in ENTRY.splitlines() if line.startswith("+")}
    assert added == {f"from devi_jax.systems.{NAME} import {NAME}", f'"{NAME}": {NAME},'}
    assert all(line in with_entry((ROOT / "devi_jax/systems/registry.py").read_text()) for line in added)


@pytest.mark.parametrize("rotvec", [[0.3, 0, 0], [0, -1.2, 0], [0, 0, 2.0], [0.3, 0.4, 0], [3.0, 0, 0]])
def test_the_reward_is_the_angle_between_the_axes(rotvec, module, system, scene):
    frame, reference = scene
    tilted = replace(frame, object_rotation=turned(frame.object_rotation, rotvec))
    wanted = np.hypot(*rotvec[:2])
    error = module.object_tilt(tilted, reference)
    np.testing.assert_allclose(error, wanted, atol=1e-5)
    row = system.rewards["object_tilt"]
    np.testing.assert_allclose(shape_factor(row.shape, error, row.sharpness), np.exp(-4 * wanted**2), atol=1e-5)


def test_the_page_says_what_a_tilt_costs():
    assert "exp(-4 e²)" in PAGE and "0.85\n  at 0.2 rad" in PAGE
    assert round(np.exp(-4 * 0.2**2), 2) == 0.85


@pytest.mark.parametrize("turn", [0.0, 2.0])
def test_the_observation_is_direction_and_distance_as_the_human_sees_them(turn, module, scene):
    """Of a human that stands and faces elsewhere it is the same."""
    frame, _ = scene
    by, shift = Rotation.from_rotvec([0, 0, turn]), np.array([turn, -2 * turn, 0.0])
    place = {n: np.asarray(getattr(frame, n), float) for n in ("position", "object_position")}
    there = {n: jnp.asarray(by.apply(x) + shift, jnp.float32) for n, x in place.items()}
    rotation = by * Rotation.from_quat(np.asarray(frame.rotation, float), scalar_first=True)
    there["rotation"] = jnp.asarray(rotation.as_quat(scalar_first=True), jnp.float32)
    seen = np.asarray(module.palms_to_object(replace(frame, **there))).reshape(2, 4)
    w, _, _, z = np.asarray(frame.rotation[0], float)
    facing = Rotation.from_rotvec([0, 0, 2 * np.arctan2(z, w)])
    for side, token in zip(("left", "right"), seen, strict=True):
        way = place["object_position"] - place["position"][INDEX[f"{side}_middle1"]]
        np.testing.assert_allclose(token[3], np.linalg.norm(way), atol=1e-5)
        np.testing.assert_allclose(token[:3] * token[3], facing.inv().apply(way), atol=1e-5)


@pytest.mark.parametrize(("metres", "ends"), [(-0.5, False), (0.0, False), (0.099, False), (0.101, True)])
def test_the_termination_fires_where_the_object_is_too_low(metres, ends, system, scene):
    frame, reference = scene
    rows = Terminations({"object_drop": system.terminations["object_drop"]})
    low = replace(frame, object_position=frame.object_position - jnp.array([0.0, 0.0, metres]))
    assert bool(rows(low, reference)) is ends
    assert not rows(low, replace(reference, object_position=None))


def test_the_environment_has_the_rows(environment, system):
    assert system.name == NAME
    seen = {"object": 15, "palms": 8, "goal": 468}
    assert environment.observation_sizes == {"actor": seen, "critic": {**seen, "human": 778}}
    start, step = environment.start(jnp.asarray(20)), jax.jit(environment.step)
    after, transition = step(start, jnp.zeros(environment.action_size))
    assert not transition.terminated and set(transition.metrics) == set(system.rewards)
    frame, reference = environment.frame(after), environment.library.at(after.clip, after.t)
    axes = [
        Rotation.from_quat(np.asarray(x.object_rotation, float), scalar_first=True).apply([0, 0, 1])
        for x in (frame, reference)
    ]
    wanted = np.arctan2(np.linalg.norm(np.cross(*axes)), np.dot(*axes))
    np.testing.assert_allclose(transition.metrics["object_tilt"], wanted, atol=1e-4)
    factors = [
        shape_factor(row.shape, transition.metrics[name], row.sharpness) ** row.weight
        for name, row in system.rewards.items()
        if row.measure.gate is None
    ]
    # at frame 20 no hand is in contact, so that the gated rows count as 1
    assert not np.any(reference.contact) and transition.observation["actor"]["palms"].shape == (8,)
    np.testing.assert_allclose(transition.reward, np.prod(factors), rtol=1e-4)

    fallen = start.physics.qpos.at[-5].add(-0.3)
    start = replace(start, physics=replace(start.physics, qpos=fallen))
    assert step(start, jnp.zeros(environment.action_size))[1].terminated


def test_the_new_error_is_printed_in_its_unit(system):
    metrics = {f"environment/{name}": 0.5 for name in system.rewards}
    rows = _rows(system, metrics | {"episode/reward": 1.0, "episode/length": 2.0}, 1, 1.0)
    assert [(row.value, row.unit) for row in rows if row.label == "object_tilt"] == [(0.5, "rad")]


def test_the_long_help_has_the_rows(system, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    default = RunConfig(system=system, engine="c", preset="cpu")
    with pytest.raises(SystemExit):
        parse(RunConfig, ["--help-all"], prog="train", default=default, describe_row=describe_row)
    told = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for flag in re.findall(r"`--((?:rewards|terminations|observations)\S+)`", PAGE):
        assert f"--{flag} FLOAT" in told
    for sentence in re.findall(r"`((?:Error|An episode)[^`]*)`", PAGE):
        assert " ".join(sentence.split()) in told


def test_a_run_folder_keeps_it_and_a_clip_is_asked_for_what_it_needs(system, lift_can):
    ablated = {**system.rewards, "object_tilt": replace(system.rewards["object_tilt"], weight=0.0)}
    given = replace(system, rewards=ablated)
    assert from_json(json.loads(json.dumps(jsonable(to_json(given)))), "config.json") == given
    require(system, body_only(lift_can))
    with pytest.raises(ConfigError, match="--rewards.object-tilt, --terminations.object-drop"):
        require(system, replace(lift_can, object_poses=None))


def run(folder: Path, *command: str) -> str:
    """Run Python in a checkout; what it printed."""
    # compiled in a hurry: what is computed matters here, not how fast
    hurry = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "COLUMNS": "120", "XLA_FLAGS": hurry, "PYTHONPATH": ""}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
def test_one_file_and_one_entry_train_and_evaluate(tmp_path):
    """In a copy of the checkout, by the page's own commands with less of everything."""
    for package in ("devi_jax", "envs", "agents"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    systems = tmp_path / "devi_jax" / "systems"
    (systems / f"{NAME}.py").write_text(FILE)
    (systems / "registry.py").write_text(with_entry((systems / "registry.py").read_text()))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    run(tmp_path, "-m", "pyright", f"--pythonpath={sys.executable}", *map(str, systems.glob("[ru]*.py")))

    (command,) = [line.split() for line in COMMANDS if "--minutes=6" in line and line.endswith(f"runs/{NAME}")]
    small = ["--iterations=1", "--root=pinned", "--physics=c", "--preset=cpu", "--plan=none", "--no-film"]
    small += ["--ppo.environments=8", "--ppo.horizon=4", "--ppo.minibatch=16", "--object-points.count=16"]
    told = run(tmp_path, *command[1:], *small)
    assert f"system: {NAME}" in told and re.search(r"object_tilt\s+[\d.e-]+\s+rad", told)
    rows = [json.loads(line) for line in (tmp_path / "runs" / NAME / "metrics.jsonl").read_text().splitlines()]
    assert np.isfinite(rows[-1]["environment/object_tilt"])

    (command,) = [line.split() for line in COMMANDS if "devi_jax.evaluate" in line]
    result = json.loads(run(tmp_path, *command[1:], "--rollouts=4", "--json"))
    assert result["clip"] == "lift_can" and 0 <= result["exact"]["reward"] <= 1
