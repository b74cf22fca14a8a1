"""The kept policy: the best judged one, the first included; and when learning has unlearned enough to go back."""

import json
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents import Learner, Ppo
from agents.networks import SMALL
from devi_jax.runs.checkpoint import OlderPaths
from devi_jax.runs.run_dir import RunDir
from devi_jax.training.best import PATIENCE, SETBACKS, SLOWER, UNLEARNED, BestPolicy, load_best, slowed, standing
from tests.agents.reach import Reach

PPO = Ppo(environments=4, horizon=4, minibatch=16, epochs=1, target_kl=0.01)


def _scalars(easy, hard, reward=0.5):
    rates = {"evaluation/perturbed_success": easy, "evaluation/hard_success": hard}
    return {**rates, "evaluation/perturbed_reward": reward}


@pytest.fixture(scope="module")
def learner():
    return Learner(Reach(), PPO, SMALL)


@pytest.fixture(scope="module")
def state(learner):
    return learner.init(jax.random.key(0))


def _marked(state, number):
    """The state with a number in it, to be told by."""
    return replace(state, episodes=replace(state.episodes, returns=jnp.full_like(state.episodes.returns, number)))


def _kept(folder, learner):
    found = load_best(RunDir(folder), learner, OlderPaths())
    assert found is not None
    return float(found.episodes.returns[0])


def test_the_best_judged_state_is_kept_and_an_equal_one_by_its_reward(tmp_path, learner, state):
    offers = [(0.5, 0.1, 0.6), (0.4, 0.1, 0.9), (0.7, 0.3, 0.5), (0.6, 0.4, 0.5), (0.6, 0.4, 0.6), (0.9, 0.0, 0.9)]
    with BestPolicy(RunDir(tmp_path)) as best:
        for i, offer in enumerate(offers):
            best.offer(i, _scalars(*offer), _marked(state, i))
    assert _kept(tmp_path, learner) == 4  # of the three with a mean of one half, the one with the highest reward
    again = BestPolicy(RunDir(tmp_path))
    assert again.best == standing(4, _scalars(0.6, 0.4, 0.6)) and again.first == standing(0, _scalars(0.5, 0.1, 0.6))
    # what was best before a resume still is
    with again:
        again.offer(20, _scalars(0.5, 0.4), _marked(state, 20))
    assert _kept(tmp_path, learner) == 4


def test_a_standing_without_its_state_counts_for_nothing(tmp_path, learner, state):
    """A process killed after best.json was written, and before the state was."""
    with BestPolicy(RunDir(tmp_path)) as best:
        best.offer(0, _scalars(0.5, 0.1), _marked(state, 0))
    told = json.loads((tmp_path / "best.json").read_text())
    told["best"] |= {"iteration": 20, "rate": 0.9}
    (tmp_path / "best.json").write_text(json.dumps(told))
    with BestPolicy(RunDir(tmp_path)) as again:
        assert again.best is None and again.first == standing(0, _scalars(0.5, 0.1))
        again.offer(20, _scalars(0.9, 0.9), _marked(state, 20))
    assert _kept(tmp_path, learner) == 20


def test_nothing_judged_is_kept_once_and_read_again(tmp_path, learner, state):
    with BestPolicy(RunDir(tmp_path)) as best:
        best.offer(0, {}, _marked(state, 0))
    with BestPolicy(RunDir(tmp_path)) as again:
        again.offer(2, {}, _marked(state, 2))
    assert _kept(tmp_path, learner) == 0


def test_a_run_that_kept_none_has_none(tmp_path, learner):
    assert load_best(RunDir(tmp_path), learner, OlderPaths()) is None


def test_a_clip_without_poses_is_ranked_by_its_reward():
    few, many = ({"evaluation/perturbed_reward": reward} for reward in (0.2, 0.4))
    assert standing(1, many).rank > standing(0, few).rank and standing(0, few).rate == 0


def test_learning_that_falls_below_its_start_goes_back_a_few_times(tmp_path, learner, state):
    with BestPolicy(RunDir(tmp_path)) as best:
        best.offer(0, _scalars(0.8, 0.4), _marked(state, 0))
        best.offer(10, _scalars(0.9, 0.5), _marked(state, 10))
        worse = 0.6 - UNLEARNED
        for setback in range(1, SETBACKS + 1):
            assert [best.lost(20, _scalars(worse - 0.01, worse - 0.01)) for _ in range(PATIENCE)] == _only_the_last()
            back = best.go_back(learner, 30)
            assert float(back.episodes.returns[0]) == 10 and int(back.iteration) == 30 and best.setbacks == setback
        assert not best.lost(40, _scalars(0.0, 0.0))
    assert BestPolicy(RunDir(tmp_path)).setbacks == SETBACKS


def test_a_fall_that_mends_itself_is_none(tmp_path, learner, state):
    with BestPolicy(RunDir(tmp_path)) as best:
        best.offer(0, _scalars(0.8, 0.4), _marked(state, 0))
        worse = 0.6 - UNLEARNED
        low, high = (_scalars(worse + by, worse + by) for by in (-0.01, 0.01))
        assert not any(best.lost(i, high if i % PATIENCE == 0 else low) for i in range(3 * PATIENCE))


def test_patience_goes_on_where_a_run_was_interrupted(tmp_path, learner, state):
    worse = _scalars(0.6 - UNLEARNED - 0.01, 0.6 - UNLEARNED - 0.01)
    found = []
    with BestPolicy(RunDir(tmp_path)) as best:
        best.offer(0, _scalars(0.8, 0.4), _marked(state, 0))
    for i in range(PATIENCE):
        with BestPolicy(RunDir(tmp_path)) as best:
            found.append(best.lost(i, worse))
    assert found == _only_the_last()


def _only_the_last() -> list[bool]:
    return [False] * (PATIENCE - 1) + [True]


def test_each_setback_makes_steps_smaller(learner):
    assert slowed(learner, 0) is learner
    ppo = slowed(learner, 2).algorithm
    np.testing.assert_allclose(ppo.actor_learning_rate, SLOWER**2 * PPO.actor_learning_rate)
    np.testing.assert_allclose(ppo.target_kl, SLOWER**2 * 0.01)
    assert replace(ppo, actor_learning_rate=PPO.actor_learning_rate, target_kl=0.01) == PPO
