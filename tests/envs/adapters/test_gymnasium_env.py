"""The gymnasium adapters: passed by gymnasium's and Stable-Baselines3's own checkers, and right by hand."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import DictInfoToList, RecordEpisodeStatistics

from devi_jax.core.errors import ConfigError
from envs.adapters.gymnasium_env import GymnasiumEnvironment, GymnasiumVectorEnvironment


def drive(vector, actions, seed=3):
    """Observations (T + 1, N, O), rewards, terminated, truncated and infos of constant actions."""
    first, _ = vector.reset(seed=seed)
    steps = [vector.step(np.asarray(a, np.float32)) for a in actions]
    return [first, *[s[0] for s in steps]], *(np.array([s[i] for s in steps]) for i in (1, 2, 3)), [s[4] for s in steps]


def test_gymnasiums_checker_passes_a_single_environment(rail):
    with warnings.catch_warnings():
        warnings.filterwarnings("error")
        # that it is registered nowhere, and that its observations have no bounds, is as it should be
        warnings.filterwarnings("ignore", message=".*(spec|infinity|minimum value|maximum value|render).*")
        check_env(GymnasiumEnvironment(rail), skip_render_check=True)


def test_a_batch_is_what_single_environments_are_in_gymnasiums_own_vector(rail):
    """The same spaces, shapes, types and autoreset contract as `SyncVectorEnv` over single ones."""
    ours = GymnasiumVectorEnvironment(rail, 3)
    theirs = SyncVectorEnv([lambda: GymnasiumEnvironment(rail)] * 3, autoreset_mode=AutoresetMode.SAME_STEP)
    for name in ("observation_space", "action_space", "single_observation_space", "single_action_space", "num_envs"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.metadata["autoreset_mode"] == theirs.metadata["autoreset_mode"]
    actions = np.full((3, 1), 0.5, np.float32)
    for vector in (ours, theirs):
        vector.reset(seed=0)
    for _ in range(6):
        a, b = (vector.step(actions) for vector in (ours, theirs))
        for x, y in zip(a[:4], b[:4], strict=True):
            assert x.shape == y.shape and x.dtype.kind == y.dtype.kind
        np.testing.assert_array_equal(a[2], b[2])
        np.testing.assert_array_equal(a[3], b[3])
        assert ("final_obs" in a[4]) == ("final_obs" in b[4])
        if "final_obs" in a[4]:
            np.testing.assert_array_equal(a[4]["_final_obs"], b[4]["_final_obs"])
            assert [x.shape for x in a[4]["final_obs"]] == [x.shape for x in b[4]["final_obs"]]


def test_the_flat_observation_holds_the_tokens_in_alphabetical_order(rail):
    observation, _ = GymnasiumVectorEnvironment(rail, 2).reset(seed=0)
    clock, place = observation[:, :2], observation[:, 2]
    np.testing.assert_array_equal(clock, [[0, 5]] * 2)
    assert (place >= 0).all() and (place < 0.1).all() and place[0] != place[1]


def test_an_episode_that_ends_starts_again_in_the_same_step(rail):
    """0.5 and 1 of 0.3 m a step: the first runs out of time after five steps, the second passes 1 m in its fourth."""
    seen, reward, failed, ended, infos = drive(GymnasiumVectorEnvironment(rail, 2), [[[0.5], [1.0]]] * 5)
    x = seen[0][:, 2]
    np.testing.assert_array_equal(failed, [[0, 0]] * 3 + [[0, 1], [0, 0]])
    np.testing.assert_array_equal(ended, [[0, 0]] * 4 + [[1, 0]])
    np.testing.assert_allclose(reward[3], x + [0.6, 1.2], rtol=1e-6)
    np.testing.assert_allclose(infos[3]["place_m"], x + [0.6, 1.2], rtol=1e-6)
    assert "final_obs" not in infos[2] and infos[3]["final_obs"][0] is None
    np.testing.assert_allclose(infos[3]["final_obs"][1], [4, 1, x[1] + 1.2], rtol=1e-6)
    np.testing.assert_array_equal(seen[4][1, :2], [0, 5])
    np.testing.assert_array_equal(seen[5][:, :2], [[0, 5], [1, 4]])
    assert seen[4][1, 2] < 0.1


def test_or_in_the_next_one_if_asked(rail):
    vector = GymnasiumVectorEnvironment(rail, 2, autoreset="next_step")
    assert vector.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    seen, reward, failed, _, infos = drive(vector, [[[0.5], [1.0]]] * 5)
    np.testing.assert_allclose(seen[4][1], [4, 1, seen[0][1, 2] + 1.2], rtol=1e-6)
    np.testing.assert_array_equal(seen[5][1, :2], [0, 5])
    assert failed[3, 1] and not failed[4, 1] and reward[4, 1] == 0 and infos[4]["place_m"][1] == 0
    assert all("final_obs" not in info for info in infos)


@pytest.mark.parametrize("make", [GymnasiumEnvironment, lambda rail: GymnasiumVectorEnvironment(rail, 2)])
def test_a_step_before_the_first_reset_is_refused(rail, make):
    with pytest.raises(ConfigError, match="reset"):
        make(rail).step(np.zeros((2, 1), np.float32))


def test_a_seed_repeats_everything_and_no_seed_draws_on(rail):
    vector = GymnasiumVectorEnvironment(rail, 2)
    actions = [[[1.0], [0.9]]] * 8
    once, again, other = drive(vector, actions), drive(vector, actions), drive(vector, actions, seed=4)
    for a, b in zip(once[0], again[0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert (once[0][0] != other[0][0]).any(axis=1).all()
    assert (vector.reset()[0][:, 2] != vector.reset()[0][:, 2]).all()


def test_an_environment_that_breaks_fails_with_nothing_to_learn_from(rail):
    seen, reward, failed, _, infos = drive(GymnasiumVectorEnvironment(rail, 2), [[[-1.0], [0.1]]])
    assert failed[0].tolist() == [True, False] and reward[0, 0] == 0 and infos[0]["place_m"][0] == 0
    np.testing.assert_array_equal(infos[0]["final_obs"][0], 0)
    assert np.isfinite(seen[1]).all()


def test_gymnasiums_vector_wrappers_work_on_it(rail):
    wrapped = DictInfoToList(RecordEpisodeStatistics(GymnasiumVectorEnvironment(rail, 2)))
    wrapped.reset(seed=0)
    told = [wrapped.step(np.full((2, 1), 0.5, np.float32))[4] for _ in range(5)][-1]
    assert [info["episode"]["l"] for info in told] == [5, 5]
    assert isinstance(told[0]["final_obs"], np.ndarray) and isinstance(wrapped, gymnasium.vector.VectorEnv)


def test_stable_baselines_learns_on_it(rail):
    baselines = pytest.importorskip("stable_baselines3")
    from stable_baselines3.common.vec_env import VecMonitor

    from envs.adapters.sb3_env import StableBaselinesEnvironment

    environment = StableBaselinesEnvironment(rail, 4)
    environment.seed(0)
    observation = environment.reset()
    for _ in range(5):
        observation, _, done, infos = environment.step(np.full((4, 1), 0.5, np.float32))
    assert done.all() and all(info["TimeLimit.truncated"] for info in infos)
    np.testing.assert_array_equal([info["terminal_observation"][:2] for info in infos], [[5, 0]] * 4)
    np.testing.assert_array_equal(observation[:, :2], [[0, 5]] * 4)
    model = baselines.PPO("MlpPolicy", VecMonitor(environment), n_steps=8, batch_size=16, n_epochs=1, seed=0)
    model.learn(64)
    assert model.num_timesteps == 64 and len(model.ep_info_buffer) >= 8
