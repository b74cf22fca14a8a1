"""Tables of a comparison: who is paired with whom, what counts as failed, spread over seeds, the paper's numbers."""

import re
from pathlib import Path

import numpy as np
import pytest
import tyro

from devi_jax import compare
from devi_jax.bench.methods.page import page, summary
from devi_jax.bench.methods.published import LABELS, METRICS, TABLE_1
from devi_jax.bench.methods.tables import with_idle
from devi_jax.bench.row_age import Age
from devi_jax.systems import NAMES
from tests.bench.comparisons import compared
from tests.bench.conftest import YOUNG


def row(
    system="devi", clip="lift_can-mild", seed=0, all_mm=20.0, t_obj=15.0, o_obj=0.1, paper=True, replay=0.25, **more
):
    exact = dict(zip(METRICS, (all_mm + 1, all_mm - 1, all_mm, 2 * all_mm, t_obj, o_obj), strict=True))
    exact |= {"success_paper": paper, "success": paper and t_obj < 50}
    told = {"exact": exact, "perturbed": {"success_rate": 0.75}}
    sides = {
        "plan": {"exact": exact, "perturbed": {"success_rate": 0.5}},
        "reference": {"exact": exact | {"mpjpe_all_mm": 4.4}, "perturbed": {"success_rate": replay}},
        "nothing": {"exact": exact | {"mpjpe_all_mm": 300.0, "success_paper": False}, "perturbed": {"success_rate": 0}},
    }
    sides["versus"] = {name: compared("better") for name in ("plan", "reference", "nothing")}
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


TABLE_ONE, EVERY, CLIPS = "Table 1: errors where both succeed", "Errors over all clips", "Clip by clip"


def test_errors_are_compared_where_both_succeed_and_over_all_clips():
    rows = [
        *(row(clip="a", all_mm=20.0), row("physhoi", clip="a", all_mm=40.0)),
        *(row(clip="b", all_mm=30.0), row("physhoi", clip="b", all_mm=300.0, paper=False)),
    ]
    text = page(rows, YOUNG)
    (theirs,) = lines(section(text, TABLE_ONE), "PhysHOI")
    (ours, *_) = lines(section(text, TABLE_ONE), "DeVI")
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
    (theirs,) = lines(section(page(rows, YOUNG), TABLE_ONE), "SkillMimic")
    assert theirs[1] == "0" and theirs[2::2] == ["-"] * 6


def test_spread_is_that_of_the_seeds_means_over_clips():
    values = {0: (10.0, 30.0), 1: (20.0, 50.0), 2: (12.0, 18.0)}
    rows = [row(clip=c, seed=s, all_mm=v) for s, both in values.items() for c, v in zip("ab", both, strict=True)]
    (line,) = lines(section(page(rows, YOUNG), "Errors over all clips"), "DeVI")
    means = [np.mean(both) for both in values.values()]
    assert line[4] == f"{np.mean(means):.1f} ± {np.std(means, ddof=1):.1f}"


def test_a_failed_run_is_shown_fails_and_has_no_error():
    text = page([row(clip="a"), row("physhoi", clip="a"), row(clip="b"), failed(clip="b", system="physhoi")], YOUNG)
    (line,) = lines(section(text, "Errors over all clips"), "PhysHOI")
    assert line[1] == "2 (1 failed)" and line[4] == "20.0" and line[-2] == "0.50"
    (run,) = lines(section(text, "Runs"), "`b-physhoi-0`")
    assert run[1] == "failed: training diverged / at once"


def test_replay_and_doing_nothing_stand_among_the_methods_and_are_named_as_none():
    text = page([row(), row("physhoi", all_mm=40.0)], YOUNG)
    every = section(text, EVERY)
    (replay,), (nothing,) = lines(every, "replay, no policy"), lines(every, "do nothing, no policy")
    # columns: runs, body, hand, all, T_root, T_obj, O_obj, success as the paper means it, success, perturbed
    assert (replay[4], replay[-1]) == ("4.40", "0.25")
    assert (nothing[4], nothing[-3], nothing[-1]) == ("300.0", "0.00", "0.00")
    assert lines(section(text, TABLE_ONE), "replay, no policy")[0][1] == "1"
    assert lines(section(text, TABLE_ONE), "do nothing, no policy")[0][1] == "0"
    assert "plan" not in section(text, TABLE_ONE) and "plan" not in every
    (line,) = lines(section(text, CLIPS), "lift_can-mild", "no", "PhysHOI")
    assert line[3:] == ["0.75", "0.50", "0.25", "0.00", "-", "1 of 1", "40.0 / 4.40", "15.0 / 15.0"]


def test_idle_rows_are_one_a_clip_and_seed_of_devis_evaluation_where_there_is_one():
    other, ours = row("physhoi", replay=0.1), row(replay=0.3)
    idle = [r for r in with_idle([other, ours, row("physhoi", seed=1, replay=0.2)]) if r["system"] == "reference"]
    assert [(r["seed"], r["evaluation"]["perturbed"]["success_rate"]) for r in idle] == [(0, 0.3), (1, 0.2)]
    assert with_idle([failed()]) == [failed()]


def test_trivial_clips_are_told_and_enter_no_table_of_errors():
    easy = [row("physhoi", clip="easy", all_mm=70.0, replay=0.9), row(clip="easy", all_mm=70.0, replay=0.9)]
    text = page([*easy, row(clip="hard"), row("physhoi", clip="hard")], YOUNG)
    assert "2 clips (easy, hard), 1 of them trivial, 1 seed." in text
    assert lines(section(text, EVERY), "DeVI")[0][1:5] == ["1", "21.0", "19.0", "20.0"]
    assert lines(section(text, TABLE_ONE), "PhysHOI")[0][1] == "1"
    assert len(lines(section(text, CLIPS), "easy", "yes")) == 2 and len(lines(section(text, CLIPS), "hard", "no")) == 2
    assert section(page(easy, YOUNG), TABLE_ONE).count("Nothing to compare") == 1
    assert "Nothing to compare" in summary(easy, YOUNG, "compare.md")


def test_old_rows_are_left_out_or_stand_below_a_heading_of_their_own():
    rows = [row(commit="old", clip="a"), row(commit="new", clip="b")]
    ages = {"old": Age(90), "new": Age(3)}
    text = page(rows, ages)
    assert "1 row is left out" in text and "`a-devi-0`" not in text and "`b-devi-0`" in text
    kept = page(rows, ages, keep_old=True)
    fresh, old = kept.split("## Old rows\n")
    assert not lines(fresh, "a") and lines(fresh, "b") and lines(old.split("\n## ")[0], "a")
    assert lines(kept, "`a-devi-0`")[0][5] == "90" and lines(kept, "`b-devi-0`")[0][5] == "3"
    assert "Not run yet with code as it is." in summary(rows[:1], ages, "compare.md", keep_old=True)


def test_the_papers_table_3_is_not_there():
    assert "Table 3:" not in page([row(), row("physhoi")], YOUNG)


def test_settings_are_never_mixed_and_order_does_not_matter():
    rows = [row(), row(root="free"), row(budget="40 iterations"), row(recipe="paper"), row("devi_no_object")]
    text = page(rows, YOUNG)
    assert text == page(rows[::-1], YOUNG) and text.count("### Table 1") == 4
    (line,) = lines(text, LABELS["devi_no_object"], "1")[:1]
    assert line[3::2] == ["-"] * 6  # the paper has no such row
    assert "Not run yet." in page([], YOUNG)


def test_a_summary_names_the_command_that_makes_its_rows():
    clips, budget = ("push_box-mild", "lift_can-mild"), "20 iterations"
    rows = [row(s, c, budget=budget) for c in clips for s in ("devi", "physhoi")]
    text = summary([*rows, failed(system="skillmimic", clip="lift_can-mild", budget=budget)], YOUNG, "compare.md")
    (command,) = re.findall(r"`python -m devi_jax.compare (.*)`", text)
    cells = compare.wanted(tyro.cli(compare.CompareOptions, args=command.split()))
    made = {(c.clip, c.system, c.seed, c.budget) for c in cells}
    assert made == {(c, s, 0, budget) for c in clips for s in ("devi", "physhoi", "skillmimic")}
    assert lines(text, "SkillMimic", "1 (1 failed)") and len(lines(text, "DeVI", "2")) == 1
    assert "5 runs, 8 minutes of training; commit 0123456789, 1 x cpu, 2 cores." in text
    assert summary([], YOUNG, "compare.md").startswith("Not run yet")


def test_the_papers_numbers_are_whole():
    assert set(LABELS) <= set(NAMES)
    assert set(TABLE_1) == {"physhoi", "skillmimic", "intermimic_reward", "devi_6d"}
    assert all(len(side) == len(METRICS) == 6 for pair in TABLE_1.values() for side in pair)
    # (22 body + 30 hand joints) / 52 is the paper's own mean over all joints
    for _, (body, hand, every, *_) in TABLE_1.values():
        assert (22 * body + 30 * hand) / 52 == pytest.approx(every, abs=0.01)


def test_what_the_page_links_to_is_there():
    docs = Path(__file__).resolve().parents[2] / "docs"
    assert all((docs / link).exists() for link in re.findall(r"\]\(([^)]+)\)", page([row()], YOUNG)))
