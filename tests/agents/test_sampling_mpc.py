"""The planner on a point that must follow a path: known optimum, known worst case, known interpolation."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from agents.sampling_mpc import Planner, PlannerConfig, evaluate, knots_to_frames, no_assistance
from devi_jax.core.environment import Transition
from devi_jax.core.errors import ConfigError

FRAMES = 33


@jax.tree_util.register_static
@dataclass(frozen=True)
class Follow:
    """A point moved by actions along a line; the path rises from 0 to 1 in the middle. Fails 2 away from the path."""

    observation_sizes = {"x": 1}
    action_size = 2

    def first_curriculum(self):
        return ()

    def learned(self, curriculum, states, transitions):
        return curriculum

    def reset(self, key, curriculum):
        return {"x": jnp.zeros(()), "t": jnp.zeros((), jnp.int32)}

    def observe(self, state):
        return {"x": state["x"][None]}

    def step(self, state, action):
        # the second number is a brake that nothing needs
        state = {"x": state["x"] + action[0] - 0.1 * action[1] ** 2, "t": state["t"] + 1}
        error = state["x"] - path(state["t"])
        over = jnp.abs(error) > 2
        return state, Transition(self.observe(state), jnp.exp(-4 * error**2), over, jnp.asarray(False), {})


def path(t):
    return jnp.clip((t - 12) / 8, 0, 1)


def starts(*offsets):
    x = jnp.array(offsets, jnp.float32)
    return {"x": x, "t": jnp.zeros(len(offsets), jnp.int32)}


def planner(**changes):
    config = replace(PlannerConfig(window=12, commit=4, knot_spacing=4, samples=64, variants=1), **changes)
    basis = jnp.broadcast_to(0.2 * jnp.eye(2), (FRAMES, 2, 2))
    return Planner(Follow(), basis, config)


def test_decision_variables_are_linear_between_knots():
    now, knots = jnp.array([1.0]), jnp.array([[[3.0], [3.0], [-1.0]]])
    found = knots_to_frames(now, knots, 12, 4)[0, :, 0]
    np.testing.assert_allclose(found, [1.5, 2, 2.5, 3, 3, 3, 3, 3, 2, 1, 0, -1], atol=1e-6)


@pytest.mark.parametrize("window", [12, None])
def test_it_follows_the_path_that_no_action_fails_to(window):
    """The reward of standing still is known; receding horizon and whole clip both come near the best, one."""
    still = np.mean(np.exp(-4 * np.asarray(path(np.arange(1, FRAMES))) ** 2))
    found = planner(window=window, iterations=3 if window else 12).search(starts(0.0), jax.random.key(0))
    assert still < 0.55 and found.reward.mean() > (0.95 if window else 0.85)
    assert found.actions.shape == (FRAMES - 1, 2) and found.alive.all()
    # the states are those that the actions lead through
    x = np.asarray(found.states["x"])[:, 0]
    moves = np.asarray(found.actions)[:, 0] - 0.1 * np.asarray(found.actions)[:, 1] ** 2
    np.testing.assert_allclose(np.diff(x), moves, atol=1e-5)
    np.testing.assert_allclose(found.actions, 0.2 * np.asarray(found.variables), atol=1e-6)


def test_nothing_is_planned_before_the_beginning():
    found = planner().search(starts(0.0), jax.random.key(1), first_frame=12)
    assert not np.asarray(found.actions[:12]).any() and np.asarray(found.actions[12:]).any()


def test_the_same_key_plans_the_same():
    one, two, other = (planner().search(starts(0.0), jax.random.key(k)).actions for k in (3, 3, 4))
    assert (one == two).all() and (one != other).any()


def test_a_candidate_is_worth_its_worst_condition():
    """Standing still in the first frames: exp(-4 x^2) for a start at x, zero from the step on that fails."""
    config = PlannerConfig(window=4, commit=4, knot_spacing=4, samples=2, elites=1)
    basis, still = jnp.zeros((8, 1, 2)), jnp.zeros((2, 1, 1))
    for offsets, worst, lives in (((0.0, 0.3), np.exp(-4 * 0.09), True), ((0.3, 2.5), 0.0, False)):
        score, alive = evaluate(
            config,
            4,
            Follow(),
            basis,
            starts(*offsets),
            jnp.ones(len(offsets), bool),
            jnp.zeros(1),
            still,
            jnp.asarray(0),
        )
        np.testing.assert_allclose(score, worst, rtol=1e-4, atol=1e-9)
        assert bool(alive.all()) == lives


def test_a_plan_bears_all_its_conditions():
    """Open loop two starts keep their distance, so the best plan leads them by on either side of the path."""
    found = planner(variants=2).search(starts(-0.3, 0.3), jax.random.key(5))
    x = np.asarray(found.states["x"])
    np.testing.assert_allclose(x[:, 1] - x[:, 0], 0.6, atol=1e-5)
    middle = x.mean(axis=1) - np.asarray(path(np.arange(FRAMES)))
    assert np.abs(middle).mean() < 0.1


@pytest.mark.parametrize(
    "wrong", [{"commit": 6}, {"window": 2}, {"samples": 0}, {"elites": 100}, {"variants": 0}], ids=lambda w: str(w)
)
def test_settings_without_meaning_are_refused(wrong):
    with pytest.raises(ConfigError):
        planner(**wrong)


def lift(states, share):
    """Help that moves the point up: a look that kept it would think that less is needed."""
    return {**states, "x": states["x"] + 0.3 * share}


def test_help_fades_until_the_last_iteration_has_none():
    """With a helper that makes standing still best at first, the plan is still of the world without help."""
    helped = planner(iterations=6, assist=1.0)
    helped = Planner(helped.environment, helped.basis, helped.config, lift)
    found = helped.search(starts(0.0), jax.random.key(0))
    assert found.reward.mean() > 0.9
    # with a single iteration there is no help at all
    config = replace(helped.config, iterations=1)
    alone, assisted = (Planner(helped.environment, helped.basis, config, help) for help in (no_assistance, lift))
    one, two = (p.search(starts(0.0), jax.random.key(2)).actions for p in (alone, assisted))
    assert (one == two).all()
    with pytest.raises(ConfigError, match="assistance of 2.0"):
        PlannerConfig(assist=2.0)


def test_a_lost_variant_does_not_blind_the_search():
    """One of two starts 9 away from the path, beyond mending: the other one is followed all the same."""
    found = planner(variants=2).search(starts(0.0, 9.0), jax.random.key(0))
    assert found.alive[:, 0].all() and not found.alive[:, 1].any()
    assert found.reward[:, 0].mean() > 0.9


def test_a_search_without_hope_ends():
    scores = []
    found = planner().search(starts(9.0), jax.random.key(0), on_progress=lambda _, score: scores.append(score))
    assert scores[:2] == [0.0, 0.0] and np.isnan(scores[2:]).all() and len(scores) == FRAMES // 4
    assert found.actions.shape == (FRAMES - 1, 2) and not found.alive.any()
