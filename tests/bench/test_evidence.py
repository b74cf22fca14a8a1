"""What an evaluation proves: a plan that nobody searched is none, a clip that asks for nothing is trivial."""

import pytest

from devi_jax.bench.evidence import OTHERS, beats_all, counts, graded_rate, rate, searched, side, trivial, verdict
from tests.bench.comparisons import compared


def evaluation(policy=0.9, plan=None, replay=0.2, nothing=None, verdicts=None, **more):
    rates = {name: value for name, value in zip(OTHERS, (plan, replay, nothing), strict=False) if value is not None}
    sides = {name: {"exact": {}, "perturbed": {"success_rate": value}} for name, value in rates.items()}
    words = {name: compared((verdicts or {}).get(name, "better")) for name in sides}
    return {"exact": {}, "perturbed": {"success_rate": policy}, **sides, "versus": words, **more}


def test_a_plan_that_equals_the_replay_number_for_number_was_not_searched():
    same = evaluation(plan=0.2, replay=0.2)
    assert not searched(same) and side(same, "plan") is None
    assert rate(same, "plan") is None and verdict(same, "plan") is None
    found = evaluation(plan=0.5, replay=0.2)
    assert searched(found) and rate(found, "plan") == 0.5 and verdict(found, "plan") == "better"
    # evaluations that name a plan only where one was taken
    assert not searched(evaluation(plan=None))


def test_older_evaluations_lack_what_is_none_there():
    old = evaluation()
    assert (rate(old), rate(old, "reference"), rate(old, "nothing")) == (0.9, 0.2, None)
    assert rate(None) is None and trivial(None) is None and graded_rate(old, "hard") is None


@pytest.mark.parametrize(
    ("replay", "nothing", "more", "expected"),
    [
        (0.60, None, {}, False),
        (0.61, None, {}, True),
        (0.10, 0.61, {}, True),
        (0.10, 0.00, {}, False),
        (0.99, 0.99, {"trivial": False}, False),
        (0.00, 0.00, {"trivial": True}, True),
        (None, None, {}, None),
    ],
)
def test_a_clip_is_trivial_where_replay_or_doing_nothing_passes(replay, nothing, more, expected):
    told = evaluation(replay=replay, nothing=nothing, **more)
    assert trivial(told) is expected
    assert counts({"evaluation": told}) is (not expected)


def test_a_failed_run_counts():
    assert counts({"evaluation": None})


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (evaluation(plan=0.5), True),
        (evaluation(plan=0.5, verdicts={"plan": "no different"}), False),
        (evaluation(verdicts={"reference": "worse"}), False),
        (evaluation(nothing=0.9, verdicts={"nothing": "no different"}), False),
        # a plan that is only the replay's numbers again asks for nothing more than the replay does
        (evaluation(plan=0.2, replay=0.2), True),
        ({**evaluation(), "versus": {}}, False),
        (None, False),
    ],
)
def test_a_policy_has_learned_something_once_it_is_better_than_all_that_is_none(told, expected):
    assert beats_all(told) is expected


@pytest.mark.parametrize(
    ("easy", "hard", "expected"),
    [
        (compared("no different"), compared("better"), "better"),
        (compared("better"), compared("worse"), "worse"),
        (compared("no different"), compared("no different"), "no different"),
        # two tests, of which each has half the room for chance
        (compared("no different"), compared("better", p=0.026), "no different"),
        (compared("no different"), compared("better", p=0.024), "better"),
    ],
)
def test_a_policy_is_better_where_it_is_from_one_grade_and_worse_from_none(easy, hard, expected):
    grades = {"easy": {"versus": {"plan": easy}}, "hard": {"versus": {"plan": hard}}}
    assert verdict(evaluation(plan=0.5, verdicts={"plan": "worse"}, grades=grades), "plan") == expected


def test_grades_have_the_rate_of_each_side():
    told = evaluation(
        grades={"easy": {"success": {"policy": 0.9}}, "hard": {"success": {"policy": 0.5, "reference": 0.1}}}
    )
    assert [graded_rate(told, g) for g in ("easy", "hard", "model")] == [0.9, 0.5, None]
    assert graded_rate(told, "hard", "reference") == 0.1 and graded_rate(told, "easy", "reference") is None
