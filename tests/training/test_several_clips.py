"""Several clips with several things as one run: the library, draws, plans, run folder and reports, clip by clip."""

import json
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from devi_jax import evaluate, play, train
from devi_jax.core.clip import crop
from devi_jax.core.clip_io import save_clip
from devi_jax.core.environment import group
from devi_jax.core.errors import ClipError, ConfigError
from devi_jax.datasets.load import resolve, resolve_all
from devi_jax.systems import Assembly, assemble, devi
from envs.tracking import curriculum as curricula

NAMES = ("lift_can", "push_box", "lift_ball")
SMALL = ["--root=pinned", "--physics=c", "--plan=none", "--iterations=1", "--ppo.environments=8", "--ppo.horizon=4"]
SMALL += ["--ppo.minibatch=16", "--no-film", "--checkpoint-every=1"]


@pytest.fixture(scope="module")
def three() -> Assembly:
    return assemble(devi("cpu"), [resolve(name) for name in NAMES], "c", "pinned")


@pytest.fixture(scope="module")
def alone() -> list[Assembly]:
    return [assemble(devi("cpu"), resolve(name), "c", "pinned") for name in NAMES]


@pytest.fixture(scope="module")
def step():
    """A step of any environment, compiled once for those that differ in their arrays alone."""
    return jax.jit(lambda environment, state, action: environment.step(state, action))


def test_clips_are_padded_to_the_longest_and_keep_their_own_lengths(three, alone):
    library = three.environment.library
    assert library.length.tolist() == [one.environment.reference.frames for one in alone]
    assert library.frames == max(library.length) and library.thing.tolist() == [0, 1, 2]
    for k, one in enumerate(alone):
        np.testing.assert_allclose(library.single(k).position, one.environment.reference.position, atol=2e-4)


def test_another_clip_is_no_other_program(three):
    """One compiled step serves each clip of the set, alone or among the others."""
    step = jax.jit(lambda environment, state, action: environment.step(state, action))
    for clip in range(3):
        one = three.environment.only(clip).calm  # jit keeps no count of programs whose state holds a random key
        step(one, one.start(jnp.asarray(1)), jnp.zeros(one.action_size))
    assert step._cache_size() == 1


@pytest.mark.simulated
@pytest.mark.parametrize("clip", range(3))
def test_a_clip_of_several_moves_as_it_does_alone(clip, three, alone, step):
    """From its pre-contact frame under the same action: the object where it is alone, and nearly the same reward."""
    one, many = alone[clip].environment, three.environment
    t = jnp.asarray(int(one.library.pre_contact[0]))
    turns = 0.05 * jax.random.normal(jax.random.key(1), (51, 3))
    state, other = one.start(t), many.start(t, clip=clip)
    for _ in range(4):
        state, seen = step(one, state, one.action.from_turns(turns))
        other, shown = step(many, other, many.action.from_turns(turns))
    # bones of the clips differ by a fifth of a millimetre, and hands begin to touch: rates differ, places hardly
    np.testing.assert_allclose(*(group(x.observation, "actor")["object"][:3] for x in (shown, seen)), atol=3e-3)
    np.testing.assert_allclose(float(shown.reward), float(seen.reward), atol=0.1)


def test_every_clip_is_drawn_as_often_and_failures_draw_more(three):
    environment = three.environment
    curriculum = environment.first_curriculum()
    draw = jax.jit(jax.vmap(environment.reset, in_axes=(0, None)))
    clips = np.asarray(draw(jax.random.split(jax.random.key(0), 600), curriculum).clip)
    np.testing.assert_allclose(np.bincount(clips, minlength=3) / 600, 1 / 3, atol=4 * np.sqrt(2 / 9 / 600))
    config = replace(environment.config.curriculum, clips="failures", uniform=0.3)
    bins = curriculum.failures.shape[0] // 3
    failing = replace(curriculum, failures=curriculum.failures.at[bins].set(0.5))
    keys = jax.random.split(jax.random.key(1), 2000)
    length = environment.library.length
    drawn = jax.vmap(lambda key: curricula.draw_clip(key, config, failing, length))(keys)
    np.testing.assert_allclose(np.bincount(drawn, minlength=3) / 2000, [0.1, 0.8, 0.1], atol=0.04)


def test_an_episode_ends_with_its_own_clip(three, step):
    environment = three.environment
    for clip, length in enumerate(environment.library.length.tolist()):
        state = environment.start(jnp.asarray(length - 2), clip=clip)
        after, transition = step(environment, state, jnp.zeros(environment.action_size))
        assert int(after.t) == length - 1 and bool(transition.truncated | transition.terminated)


def test_what_does_not_fit_together_is_refused():
    with pytest.raises(ConfigError, match="table"):
        assemble(devi("cpu"), [resolve("lift_can"), resolve("floor_box")], "c", "pinned")
    with pytest.raises(ClipError, match="two clips are called"):
        resolve_all("lift_can,lift_can")
    with pytest.raises(ClipError, match="has no name"):
        resolve_all("lift_can,")
    assert [clip.name for clip in resolve_all("two-hands")][:2] == ["lift_box", "lift_ball"]


@pytest.mark.slow
def test_a_run_of_two_clips_is_trained_resumed_evaluated_and_played_clip_by_clip(tmp_path, capsys, monkeypatch):
    """Of a second around first contact each: an evaluation steps hundreds of environments through every frame."""
    monkeypatch.setattr("devi_jax.evaluation.evaluate.ROLLOUTS", 8)
    cuts = {"lift_can": (46, 71), "push_box": (46, 66)}
    files = [save_clip(crop(resolve(name), *part), tmp_path / f"{name}.npz") for name, part in cuts.items()]
    run = tmp_path / "run"
    train.main([f"--clip={','.join(map(str, files))}", *SMALL, f"--out={run}"])
    train.main([f"--resume={run}", "--iterations=2", "--no-film"])
    assert sorted(path.name for path in (run / "clips").iterdir()) == ["000-lift_can.npz", "001-push_box.npz"]
    written = json.loads((run / "evaluation.json").read_text())
    assert set(written["clips"]) == set(cuts) and written["training"]["iterations"] == 2
    assert written["training"]["kept_iteration"] in (0, 1, 2)
    assert [written["clips"][name]["frames"] for name in cuts] == [stop - first for first, stop in cuts.values()]
    capsys.readouterr()
    # as many rollouts as there were, so that it is the same compiled program
    evaluate.main([str(run), "--rollouts=8", "--json"])
    assert json.loads(capsys.readouterr().out) == written
    with pytest.raises(SystemExit) as stop:
        play.main([str(run)])
    assert stop.value.code == 2 and "--clip" in capsys.readouterr().err
