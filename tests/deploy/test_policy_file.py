"""A policy file acts as its run did, without the run; it is small, and whatever does not fit is refused by name."""

import json
import shutil
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents import NetworkConfig
from devi_jax import export, play
from devi_jax.core.clip_io import save_clip
from devi_jax.core.errors import ConfigError, RunError
from devi_jax.deploy import policy_file
from devi_jax.deploy.policy_file import find_policy, read_policy, shipped, write_policy
from devi_jax.rendering.film import FILM_HEIGHT
from devi_jax.runs.checkpoint import Checkpoints
from devi_jax.runs.run_dir import RunDir
from devi_jax.systems import devi
from devi_jax.training.run_config import RunConfig, clip_file, load_run, load_state, make_learner, trained_policy
from perception.video.video import write

NETWORK = NetworkConfig(
    token_width=8, transformer_layers=1, heads=2, feedforward_width=8, actor_widths=(8,), critic_widths=(8,)
)


@pytest.fixture(scope="module")
def run(lift_can, tmp_path_factory) -> RunDir:
    """A run folder with the checkpoint of a tiny learner, whose actor is not at its start."""
    system = devi("cpu")
    system = replace(system, network=NETWORK, ppo=replace(system.ppo, environments=2, horizon=2, minibatch=4))
    config = RunConfig(
        system=system,
        clip="lift_can",
        engine="c",
        root="pinned",
        seed=4,
        preset="cpu",
        iterations=1,
        minutes=None,
        checkpoint_every=20,
    )
    folder = RunDir.create(tmp_path_factory.mktemp("runs") / "tiny", config.to_json(), system="devi", seed=4)
    save_clip(lift_can, clip_file(folder))
    _, learner = make_learner(config, lift_can)
    state = learner.init(jax.random.key(4))
    moved = jax.tree.map(lambda x: x + 0.1 * jax.random.normal(jax.random.key(1), x.shape), state.algorithm.actor_ema)
    with Checkpoints(folder.checkpoints) as checkpoints:
        checkpoints.save(7, replace(state, algorithm=replace(state.algorithm, actor_ema=moved)))
    folder.evaluation_json.write_text(json.dumps({"perturbed": {"success_rate": 0.75}}))
    return folder


@pytest.fixture(scope="module")
def loaded(run):
    """The run as it is read from its own folder."""
    return load_run(run)


@pytest.fixture
def assembled(loaded, monkeypatch):
    """Assemble no more: what is assembled is that already."""
    monkeypatch.setattr(policy_file, "make_learner", lambda config, clip: loaded[1:])
    monkeypatch.setattr(policy_file, "with_learner", lambda assembly, config: loaded[2])


@pytest.fixture(scope="module")
def file(run, tmp_path_factory):
    return write_policy(run, tmp_path_factory.mktemp("policies") / "tiny.npz")


def test_a_policy_file_acts_as_the_run_did_bit_for_bit(run, loaded, file, tmp_path):
    _, assembly, learner = loaded
    policy = trained_policy(learner, load_state(run, learner))
    alone = shutil.copy(file, tmp_path / "moved.npz")
    read = read_policy(alone)
    state = jax.vmap(assembly.environment.start)(jnp.array([0, 50]))
    observation = jax.vmap(assembly.environment.observe)(state)
    here, there = (p.act(p.parameters, p.carry, observation, jax.random.key(0))[1] for p in (policy, read.policy))
    assert (here == there).all() and float(jnp.abs(here).max()) > 0.01
    again = jax.vmap(read.assembly.environment.observe)(jax.vmap(read.assembly.environment.start)(jnp.array([0, 50])))
    assert all(jax.tree.leaves(jax.tree.map(lambda a, b: (a == b).all(), again, observation)))
    assert read.assembly.environment.physics.scene.embodiment.root == "pinned" and read.assembly.raw is None


def test_it_carries_where_it_comes_from(run, loaded, file, assembled):
    read = read_policy(file)
    assert read.config == loaded[0]
    told = run.description()
    assert {k: read.card[k] for k in ("git", "versions", "created", "seed")} == {
        k: told[k] for k in ("git", "versions", "created", "seed")
    }
    assert read.card["evaluation"] == {"perturbed": {"success_rate": 0.75}} and read.card["stages"] is None


def test_a_plans_targets_travel_with_it(run, loaded, assembled, monkeypatch, tmp_path):
    config, assembly, learner = loaded
    raw = assembly.environment
    target = jnp.roll(raw.reference.target, 5, axis=0)
    planned = replace(assembly, environment=raw.with_targets(target), raw=raw)
    monkeypatch.setattr(policy_file, "load_run", lambda _: (config, planned, learner))
    read = read_policy(write_policy(run, tmp_path / "planned.npz"))
    np.testing.assert_array_equal(read.assembly.environment.reference.target, target)
    assert read.assembly.raw is not None
    np.testing.assert_array_equal(read.assembly.raw.reference.target, raw.reference.target)


def changed(file, tmp_path, **arrays):
    with np.load(file) as whole:
        kept = {**{k: whole[k] for k in whole.files}, **arrays}
    path = tmp_path / "changed.npz"
    np.savez(path, **{k: v for k, v in kept.items() if v is not None})
    return path


def test_what_does_not_fit_is_refused_by_name(file, assembled, tmp_path):
    with np.load(file) as whole:
        name = next(k for k in whole.files if k.startswith("parameters/"))
        wider, told = np.append(whole[name].ravel(), 0.0), json.loads(str(whole["policy"]))
    newer = np.array(json.dumps({**told, "policy_format": 99}))
    for arrays, said in (
        ({name: wider}, name.removeprefix("parameters/")),
        ({name: None}, name.removeprefix("parameters/")),
        ({"policy": newer}, "99"),
        ({"clip": None}, "clip"),
        ({"target": np.zeros((3, 52, 4))}, "(3, 52, 4)"),
    ):
        with pytest.raises(RunError, match=said.replace("(", r"\(").replace(")", r"\)")) as caught:
            read_policy(changed(file, tmp_path, **arrays))
        assert "changed.npz" in caught.value.where


def test_nothing_in_it_is_unpickled(file, assembled, tmp_path):
    with pytest.raises(RunError, match="pickle"):
        read_policy(changed(file, tmp_path, clip=np.array([{"a": 1}], dtype=object)))


def test_a_policy_is_told_from_a_clip_and_from_a_run(run, file):
    assert find_policy(str(file)) == file
    assert find_policy(str(clip_file(run))) is None and find_policy(str(run.path)) is None
    assert find_policy("no such thing") is None


def test_export_never_overwrites_unasked(run, file, capsys):
    before = file.read_bytes()
    with pytest.raises(SystemExit) as leaving:
        export.main([str(run.path), f"--out={file}"])
    assert leaving.value.code == 2 and "--overwrite" in capsys.readouterr().err and file.read_bytes() == before


def test_playing_with_the_other_root_is_refused(file, assembled, capsys):
    with pytest.raises(SystemExit) as leaving:
        play.main([str(file), "--root=free"])
    assert leaving.value.code == 2 and "pinned" in capsys.readouterr().err


def test_play_prepares_a_policy_file_and_says_what_it_is_worth(file, assembled, capsys):
    assembly, policy, film = play._prepare(play.PlayOptions(target=file))
    assert film.name == "tiny-policy.mp4" and assembly.environment.physics.scene.embodiment.root == "pinned"
    told = capsys.readouterr().out
    assert "pinned pelvis" in told and "75% of perturbed starts" in told


def test_play_takes_a_video_of_as_many_frames_as_the_clip_and_no_other(file, assembled, tmp_path):
    assembly, _, _ = play._prepare(play.PlayOptions(target=file))
    frames = assembly.environment.reference.frames
    grey = [np.full((72, 128, 3), t, np.uint8) for t in range(frames)]
    video = write(tmp_path / "film.mp4", grey, 30.0).path
    assert play._footage(video, assembly).shape == (frames, FILM_HEIGHT, 640, 3)
    shorter = write(tmp_path / "shorter.mp4", grey[1:], 30.0).path
    with pytest.raises(ConfigError, match=f"the video has {frames - 1} frames, the clip {frames}"):
        play._footage(shorter, assembly)


@pytest.mark.parametrize("name", list(shipped()))
def test_shipped_policies_are_small_and_fit_this_version(name):
    path = shipped()[name]
    assert path.stat().st_size < 2e6
    read = read_policy(path)
    assert read.card["git"] and read.card["evaluation"]["exact"]["success"]


def test_a_run_that_only_planned_has_no_policy_and_says_how_to_get_one(run, loaded, tmp_path):
    planned = RunDir(shutil.copytree(run.path, tmp_path / "planned"))
    config = json.loads(planned.config_json.read_text())
    config["config"]["plan"] = "only"
    planned.config_json.write_text(json.dumps(config))
    with pytest.raises(RunError, match="only planned") as caught:
        load_state(planned, loaded[2])
    assert "--clip=lift_can --plan=first" in str(caught.value.fix)
