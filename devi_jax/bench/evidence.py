"""What a result's evaluation proves: who else passes, whether the clip asks for anything, whether the policy is better.

An evaluation holds the policy's scores and, under their names, those of what is no policy: the `plan`, the `reference`
(its open-loop replay), `nothing` (the body holds its first pose), and where no plan was searched `follow` (the clip's
targets that go where the object stands). Older ones lack some; what is not there is None.
"""

from devi_jax.bench.result_files import Result

OTHERS = ("plan", "reference", "nothing", "follow")
"""What is no policy and meets the same perturbed starts."""
LABELS = {"plan": "plan", "reference": "replay", "nothing": "do nothing", "follow": "follow"}
"""What pages call them."""

CHANCE = 0.05
"""A difference that chance makes more often than this is none."""
PASSES = 0.6
"""Share of perturbed starts above which replay or doing nothing makes a clip trivial."""


def searched(evaluation: Result) -> bool:
    """Whether a plan was searched and taken. Where none was, older evaluations call the replay's own numbers a plan."""
    plan = evaluation.get("plan")
    return bool(plan) and plan != evaluation.get("reference")


def side(evaluation: Result | None, name: str) -> Result | None:
    """The scores of one of `OTHERS`; None where it was not measured, or is a plan that nobody searched."""
    if not evaluation or (name == "plan" and not searched(evaluation)):
        return None
    return evaluation.get(name) or None


def rate(evaluation: Result | None, name: str = "policy") -> float | None:
    """Share of the perturbed starts, those of grade `easy`, from which the policy or one of `OTHERS` succeeds."""
    scores = evaluation if name == "policy" else side(evaluation, name)
    return scores["perturbed"].get("success_rate") if scores else None


def graded_rate(evaluation: Result | None, grade: str, name: str = "policy") -> float | None:
    """The share of a grade's starts from which the policy or one of `OTHERS` succeeds."""
    return (evaluation or {}).get("grades", {}).get(grade, {}).get("success", {}).get(name)


def verdict(evaluation: Result, name: str) -> str | None:
    """`better`, `worse` or `no different`: the policy against one of `OTHERS`; None where that was not compared.

    Better from the starts of one grade at least, and worse from none. Each grade is a test of its own, so p is below
    0.05 over their number (Bonferroni). Older evaluations have easy starts alone.
    """
    grades = [graded["versus"].get(name) for graded in evaluation.get("grades", {}).values() if "versus" in graded]
    told = [one for one in grades or [evaluation.get("versus", {}).get(name)] if one]
    if not told or not side(evaluation, name):
        return None
    sure = [one for one in told if one["p"] * len(told) < CHANCE]
    words = {"better" if one["policy_only"] > one["other_only"] else "worse" for one in sure}
    return "worse" if "worse" in words else "better" if words else "no different"


def beats_all(evaluation: Result | None) -> bool:
    """Whether the policy is better, beyond chance, than everything that is no policy, and than the replay at least.

    Only then has it learned anything that a time or a target can be about.
    """
    told = [verdict(evaluation, name) for name in OTHERS if side(evaluation, name)] if evaluation else []
    compared = bool(evaluation) and verdict(evaluation, "reference") is not None
    return compared and all(word in ("better", None) for word in told)


def trivial(evaluation: Result | None) -> bool | None:
    """Whether replay or doing nothing passes, so that a policy that passes proves nothing; None where nobody knows.

    As the evaluation says, else by the rates of both, as far as they were measured.
    """
    if not evaluation:
        return None
    if evaluation.get("trivial") is not None:
        return bool(evaluation["trivial"])
    rates = [r for r in (rate(evaluation, name) for name in ("reference", "nothing")) if r is not None]
    return max(rates) > PASSES if rates else None


def counts(row: Result) -> bool:
    """Whether a row counts in a headline: of a clip that is not trivial. A failed run counts, as failed."""
    return not trivial(row["evaluation"])
