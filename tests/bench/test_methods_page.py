"""Tables of a comparison: who is paired with whom, what counts as failed, spread over seeds, the paper's numbers."""

import re
from pathlib import Path

import numpy as np
import pytest
import tyro

from devi_jax import compare
from devi_jax.bench.methods.page import page, summary
from devi_jax.bench.methods.published import BOUNDS, LABELS, METRICS, TABLE_1, TABLE_3
from devi_jax.systems import NAMES


def row(system="devi", clip="lift_can-mild", seed=0, all_mm=20.0, t_obj=15.0, o_obj=0.1, paper=True, **more):
    exact = dict(zip(METRICS, (all_mm + 1, all_mm - 1, all_mm, 2 * all_mm, t_obj, o_obj), strict=True))
    exact |= {"success_paper": paper, "success": paper and t_obj < 50}
    told = {"exact": exact, "perturbed": {"success_rate": 0.75}}
    sides = {
        "plan": {"exact": exact, "perturbed": {"success_rate": 0.5}},
        "reference": {"exact": exact, "perturbed": {"success_rate": 0.25}},
    }
    return {
        "cell": f"{clip}-{system}-{seed}",
        "clip": clip,
        "system": system,
        "root": "pinned",
        "recipe": "fast",
        "seed": seed,
        "budget": "2 minutes",
        "trained_minutes": 2.0,
        "environment_steps": 1_000_000,
        "status": "done",
        "error": None,
        "evaluation": {**told, **sides},
        "commit": "0123456789abcdef",
        "dirty": False,
        "hardware": {"platform": "cpu", "device": "cpu", "devices": 1, "cpus": 2},
        "load_average": [1.0, 2.0, 3.0],
        "date": "2026-01-02",
        **more,
    }


def failed(**more):
    return row(evaluation=None, status="failed", error="training diverged | at once", trained_minutes=0.0, **more)


def section(text: str, title: str) -> str:
    return re.split(r"\n##+ ", text.split(f"# {title}")[1])[0]


def lines(text: str, *words: str) -> list[list[str]]:
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    return [line for line in cells if line[: len(words)] == list(words)]


TABLE_ONE, TABLE_THREE = "Table 1: errors where both succeed", "Table 3: success ratio"


def test_errors_are_compared_where_both_succeed_and_over_all_clips():
    rows = [
        *(row(clip="a", all_mm=20.0), row("physhoi", clip="a", all_mm=40.0)),
        *(row(clip="b", all_mm=30.0), row("physhoi", clip="b", all_mm=300.0, paper=False)),
    ]
    text = page(rows)
    (theirs,) = lines(section(text, TABLE_ONE), "PhysHOI")
    (ours,) = lines(section(text, TABLE_ONE), "DeVI")
    # body, hand, all, T_root, T_obj, O_obj, each with the paper's beside it
    assert theirs[1] == ours[1] == "1"
    assert theirs[2::2] == ["41.0", "39.0", "40.0", "80.0", "15.0", "0.10"]
    assert ours[2::2] == ["21.0", "19.0", "20.0", "40.0", "15.0", "0.10"]
    assert theirs[3::2] == ["123.1", "154.7", "142.6", "117.9", "94.28", "1.396"]
    assert ours[3::2] == ["29.73", "22.15", "25.35", "40.02", "21.36", "0.6163"]
    every = section(text, "Errors over all clips")
    assert lines(every, "PhysHOI")[0][1:5] == ["2", "171.0", "169.0", "170.0"]
    assert lines(every, "DeVI")[0][4] == "25.0"
    assert lines(every, "PhysHOI")[0][-3:] == ["0.50", "0.50", "0.75"]


def test_pairs_are_of_the_same_seed():
    rows = [row(seed=0, paper=False), row(seed=1), row("skillmimic", seed=0), row("skillmimic", seed=1, paper=False)]
    (theirs,) = lines(section(page(rows), TABLE_ONE), "SkillMimic")
    assert theirs[1] == "0" and theirs[2::2] == ["-"] * 6


def test_spread_is_that_of_the_seeds_means_over_clips():
    values = {0: (10.0, 30.0), 1: (20.0, 50.0), 2: (12.0, 18.0)}
    rows = [row(clip=c, seed=s, all_mm=v) for s, both in values.items() for c, v in zip("ab", both, strict=True)]
    (line,) = lines(section(page(rows), "Errors over all clips"), "DeVI")
    means = [np.mean(both) for both in values.values()]
    assert line[4] == f"{np.mean(means):.1f} ± {np.std(means, ddof=1):.1f}"


def test_success_ratios_under_the_papers_bounds():
    rows = [row(clip="a"), row(clip="b", all_mm=150.0, o_obj=0.95), row(clip="c", t_obj=150.0), failed(clip="d")]
    (line,) = lines(section(page(rows), TABLE_THREE), "DeVI")
    # O < 0.9: a always, c where T may be 0.2; O < 1.0: b too where M may be 0.2
    assert line[1::2] == ["0.25", "0.50", "0.25", "0.50", "0.25", "0.50", "0.50", "0.75"]
    assert line[2::2] == ["0.5"] * 8


def test_a_failed_run_is_shown_fails_and_has_no_error():
    text = page([row(clip="a"), row("physhoi", clip="a"), row(clip="b"), failed(clip="b", system="physhoi")])
    (line,) = lines(section(text, "Errors over all clips"), "PhysHOI")
    assert line[1] == "2 (1 failed)" and line[4] == "20.0" and line[-2] == "0.50"
    (run,) = lines(section(text, "Runs"), "`b-physhoi-0`")
    assert run[1] == "failed: training diverged / at once"


def test_plan_and_replay_are_never_counted_as_policy():
    text = page([row(), row("physhoi")])
    (line,) = lines(section(text, "Policy, plan and replay from perturbed starts"), "lift_can-mild", "PhysHOI")
    assert line[2:] == ["0.75", "0.50", "0.25"]
    for title in (TABLE_ONE, "Errors over all clips", TABLE_THREE):
        assert "plan" not in section(text, title) and "replay" not in section(text, title)


def test_settings_are_never_mixed_and_order_does_not_matter():
    rows = [row(), row(root="free"), row(budget="40 iterations"), row(recipe="paper"), row("devi_no_object")]
    text = page(rows)
    assert text == page(rows[::-1]) and text.count("### Table 1") == 4
    assert "Nothing to compare yet." in section(text, "On its own feet, recipe fast, 2 minutes each") + text
    (line,) = lines(text, LABELS["devi_no_object"], "1")[:1]
    assert line[3::2] == ["-"] * 6  # the paper has no such row
    assert "Not run yet." in page([])


def test_a_summary_names_the_command_that_makes_its_rows():
    clips, budget = ("push_box-mild", "lift_can-mild"), "20 iterations"
    rows = [row(s, c, budget=budget) for c in clips for s in ("devi", "physhoi")]
    text = summary([*rows, failed(system="skillmimic", clip="lift_can-mild", budget=budget)], "compare.md")
    (command,) = re.findall(r"`python -m devi_jax.compare (.*)`", text)
    cells = compare.wanted(tyro.cli(compare.CompareOptions, args=command.split()))
    made = {(c.clip, c.system, c.seed, c.budget) for c in cells}
    assert made == {(c, s, 0, budget) for c in clips for s in ("devi", "physhoi", "skillmimic")}
    assert lines(text, "SkillMimic", "1 (1 failed)") and len(lines(text, "DeVI", "2")) == 1
    assert "5 runs, 8 minutes of training; commit 0123456789, 1 x cpu, 2 cores." in text
    assert summary([], "compare.md") == "Not run yet.\n"


def test_the_papers_numbers_are_whole():
    assert set(LABELS) <= set(NAMES)
    assert set(TABLE_1) == {"physhoi", "skillmimic", "intermimic_reward", "devi_6d"} == set(TABLE_3) - {"devi"}
    assert all(len(side) == len(METRICS) == 6 for pair in TABLE_1.values() for side in pair)
    assert all(len(values) == len(BOUNDS) == 8 for values in TABLE_3.values())
    # (22 body + 30 hand joints) / 52 is the paper's own mean over all joints
    for _, (body, hand, every, *_) in TABLE_1.values():
        assert (22 * body + 30 * hand) / 52 == pytest.approx(every, abs=0.01)
    assert BOUNDS[0] == (0.9, 0.1, 0.1) and BOUNDS[1] == (0.9, 0.1, 0.2) and BOUNDS[-1] == (1.0, 0.2, 0.2)


def test_what_the_page_links_to_is_there():
    docs = Path(__file__).resolve().parents[2] / "docs"
    assert all((docs / link).exists() for link in re.findall(r"\]\(([^)]+)\)", page([row()])))
