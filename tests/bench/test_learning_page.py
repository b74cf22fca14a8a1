"""The page says what the rows say: medians, targets met and missed, replays apart, and no failure left out."""

from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest

from devi_jax.bench.learning.page import in_short, results
from devi_jax.bench.learning.plot import COLUMNS, panels, plot
from devi_jax.bench.learning.stage_times import in_words, stage_times, times
from devi_jax.bench.learning.targets import TARGETS, judged, of_target, target_line
from devi_jax.bench.row_age import Age
from tests.bench.comparisons import compared
from tests.bench.conftest import YOUNG

MET = {"plan": 0.4, "success": 2.0, "parity": 4.0, "perturbed_60": 5.0, "perturbed_80": 8.0}


def line(page: str, *words: str) -> list[str]:
    """Cells of the one line of the page that begins with these cells."""
    begun = "| " + " | ".join(words)
    (found,) = [text for text in page.splitlines() if text.startswith(begun)]
    return [cell.strip() for cell in found.strip("|").split("|")]


def section(page: str, title: str) -> str:
    return page.split(f"## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        ([1.0, 2.0, 9.0], "2.0"),
        ([1.0, 2.0, np.inf], "2.0 (1 of 3 never)"),
        ([1.0, np.inf, np.inf], "never in 2 of 3"),
        ([1.0, np.inf], "never in 1 of 2"),
        ([np.inf, np.inf], "never"),
        ([], "-"),
    ],
)
def test_a_run_that_never_arrives_counts_as_infinitely_late(minutes, words):
    assert in_words(np.array(minutes)) == words


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ([0.96, 0.95, 0.5], "**95 %**, met (≥ 95 %)"),
        ([0.9, None, 0.7], "80 %, missed by 15 points (≥ 95 %)"),
        ([None, None], "not measured (≥ 95 %)"),
        ([], "not run (≥ 95 %)"),
    ],
)
def test_a_target_is_met_or_missed_by_so_much(rates, words):
    assert judged(rates, 0.95) == words


def test_some_runs_of_many_meet_no_target():
    assert judged([1.0, 0.9], 0.9, whole=False) == "95 % so far (≥ 90 %)"
    assert judged([], 0.9, whole=False) == "not run (≥ 90 %)"


def test_targets_speak_of_the_recipe_on_their_clips_trained_no_longer(make_row):
    target = TARGETS[1]
    counted = [make_row(grade=grade, seed=s, minutes=10.0) for grade in ("mild", "rough") for s in range(2)]
    left_out = [
        make_row(grade="clean", minutes=10.0),
        make_row(grade="mild", root="free", minutes=10.0),
        make_row(grade="mild", variant="no-plan", minutes=10.0),
        make_row(clip="kettle", grade="capture", minutes=10.0),
        make_row(grade="mild", seed=7, minutes=15.0),
    ]
    assert of_target(left_out + counted, target) == counted
    assert times(counted, "plan").tolist() == [np.inf] * 4
    home = [make_row(clip="parahome_003_mended", grade="capture", minutes=8.0)]
    assert [of_target(home, t) for t in TARGETS] == [[], [], [], home]


def test_a_target_counts_no_trivial_clip_and_a_failed_run_as_zero(make_row):
    def run(**more):
        return make_row(grade="mild", minutes=10.0, **more)

    rows = [run(seed=s, rates=(rate, 0.5, 0.2)) for s, rate in enumerate((0.97, 0.99))]
    rows += [run(clip="hat", rates=(1.0, None, 0.9)), run(clip="hammer", evaluation=None, status="failed")]
    rows[0]["evaluation"]["grades"] = {"hard": {"success": {"policy": 0.8}}}
    rows[1]["evaluation"]["grades"] = {"hard": {"success": {"policy": 0.6}}}
    rows[1]["evaluation"]["versus"]["plan"] = compared("worse")
    small = replace(TARGETS[1], cells=1)  # of which three seeds are the whole
    assert target_line(rows, small)[1:] == [
        "3 of 3 (1 trivial left out)",
        "**97 %**, met (≥ 95 %)",
        "60 %, missed by 10 points (≥ 70 %)",
        "1 of 3",
        "1 of 3",
    ]
    assert target_line(rows[:2], small)[1:3] == ["2 of 3", "98 % so far (≥ 95 %)"]
    assert target_line(rows[2:3], TARGETS[1])[1:3] == ["0 of 48 (1 trivial left out)", "not run (≥ 95 %)"]


def test_a_stage_counts_only_where_the_policy_ended_better_than_plan_and_replay(make_row):
    better, same = make_row(stages=MET), make_row(seed=1, stages={**MET, "success": 1.0})
    same["evaluation"]["versus"]["plan"] = compared("no different")
    assert stage_times([better], "success").tolist() == [2.0] and not len(stage_times([same], "success"))
    assert stage_times([better, same], "success").tolist() == [2.0, np.inf]
    page = section(results([better, same], YOUNG), "Clip by clip")
    assert line(page, "lift_can", "clean", "pinned")[6] == "never in 1 of 2"
    assert line(section(results([same], YOUNG), "Clip by clip"), "lift_can")[5:10] == ["0.4", "-", "-", "-", "-"]


def test_a_plan_is_timed_only_where_one_was_searched(make_row):
    replayed = make_row(stages=MET, rates=(0.9, 0.2, 0.2))
    replayed["evaluation"]["plan"] = replayed["evaluation"]["reference"]
    assert not len(stage_times([replayed], "plan")) and stage_times([make_row()], "plan").tolist() == [np.inf]
    cells = line(section(results([replayed], YOUNG), "Clip by clip"), "lift_can")
    assert (cells[5], cells[11], cells[12]) == ("-", "-", "20 %")


def test_each_clip_grade_and_root_is_a_line_with_what_is_no_policy_apart(make_row):
    rows = [make_row(seed=s, stages=MET, rates=(rate, 0.5, 0.2, 0.1)) for s, rate in enumerate((0.4, 0.9, 0.8))]
    page = section(results(rows + [make_row(grade="mild", rates=(0.7, None, 0.1))], YOUNG), "Clip by clip")
    cells = line(page, "lift_can", "clean", "pinned")
    # the first run is worse than the plan
    assert cells[3:6] == ["3", "no", "0.4"]
    assert cells[6:10] == [f"{minutes} (1 of 3 never)" for minutes in ("2.0", "4.0", "5.0", "8.0")]
    assert cells[10:14] == ["80 %", "50 %", "20 %", "10 %"]
    assert cells[15:] == ["2 of 3, 3 of 3, 3 of 3, -", "21.0", "15.0", "93 %"]
    # a reference that needed no plan has no plan's column, an older row nothing of doing nothing
    assert line(page, "lift_can", "mild", "pinned")[11:16] == ["-", "10 %", "-", "-", "-, 1 of 1, -, -"]


def test_trivial_clips_are_told(make_row):
    rows = [make_row(rates=(0.9, None, 0.7)), make_row(grade="mild", seed=0, rates=(0.9, None, 0.7))]
    rows += [make_row(grade="mild", seed=1, rates=(0.9, None, 0.5))]
    rows += [make_row(grade="rough", rates=(0.9, None, 0.0, 0.7))]
    page = section(results(rows, YOUNG), "Clip by clip")
    assert [line(page, "lift_can", grade)[4] for grade in ("clean", "mild", "rough")] == ["yes", "1 of 2", "yes"]
    short = " ".join(in_short(rows).split())
    assert short == (
        "Of 4 rows the policy is better than all that is no policy in 4, worse than some of it in 0, neither in the "
        "rest. 1 rows are of clips that are not trivial; of these it is better in 1."
    )


def test_grades_of_perturbation_stand_beside_each_other(make_row):
    row = make_row(cell="one", rates=(0.9, None, 0.2))
    hard = {"success": {"policy": 0.5, "reference": 0.1}}
    row["evaluation"]["grades"] = {"easy": {"success": {"policy": 0.9}}, "hard": hard}
    page = section(results([row], YOUNG), "Clip by clip")
    assert line(page, "`one`")[1:] == ["90 %", "-", "-", "-", "-", "50 %", "-", "10 %", "-", "-"]
    assert "grade of perturbation" not in results([make_row()], YOUNG)


def test_old_rows_are_left_out_or_stand_below_a_heading_that_says_so(make_row):
    rows = [make_row(cell="old", commit="a", dirty=True), make_row(cell="new", commit="b", seed=1)]
    ages = {"a": Age(90), "b": Age(3)}
    page = results(rows, ages, curves="results.png")
    assert "1 row is left out" in page and "`old`" not in page and "Old rows" not in page
    kept = results(rows, ages, keep_old=True, curves="results.png")
    assert section(kept, "Clip by clip") == section(page, "Clip by clip") and kept.count("](results.png)") == 1
    old = section(kept, "Old rows")
    assert line(old, "lift_can", "clean")[3] == "1" and "90 commits" in old and "1 were measured with" in old
    assert line(section(kept, "Runs"), "`old`")[4:6] == ["a+", "90"]
    assert line(section(kept, "Runs"), "`new`")[5] == "3"
    alone = results(rows[:1], ages, keep_old=True, curves="results.png")
    assert "No row is of the code as it is." in alone and "](results.png)" in section(alone, "Old rows")
    assert not [text for text in section(alone, "Against the targets").splitlines() if "met" in text]


def test_an_ablation_stands_beside_the_recipe_on_the_same_task(make_row):
    rows = [make_row(grade="rough", stages=MET), make_row(grade="rough", variant="no-plan", rates=(0.1, None, 0.0))]
    page = results(rows + [make_row(grade="mild")], YOUNG)
    ablations = section(page, "Without parts of the recipe")
    assert line(ablations, "full", "lift_can", "rough", "pinned")[11] == "90 %"
    assert line(ablations, "no-plan", "lift_can", "rough", "pinned")[11] == "10 %"
    assert "mild" not in ablations and "no-plan" not in section(page, "Clip by clip")


def test_clips_beyond_the_suite_stand_in_a_table_of_their_own(make_row):
    page = results([make_row(clip="carton_tray"), make_row()], YOUNG)
    assert line(section(page, "Beyond the suite"), "carton_tray") and "carton_tray" not in section(page, "Clip by clip")
    assert "Beyond the suite" not in results([make_row()], YOUNG)


def test_capture_stands_in_a_table_of_its_own(make_row):
    page = results([make_row(clip="kettle", grade="capture")], YOUNG)
    assert line(section(page, "Real capture"), "kettle", "pinned") and "kettle" not in section(page, "Clip by clip")
    assert "under noise" not in page
    row = make_row(clip="kettle", grade="capture")
    row["evaluation"]["noisy"] = {"policy": 0.75, "reference": 0.0}
    told = line(section(results([row], YOUNG), "Real capture"), f"`{row['cell']}`")
    assert told[1:] == ["75 %", "-", "0 %", "-", "-"]


def test_failures_stay(make_row):
    failed = make_row(seed=1, status="failed", evaluation=None, cell="lift_can-clean-pinned-1")
    page = results([make_row(stages=MET), failed], YOUNG)
    cells = line(section(page, "Clip by clip"), "lift_can", "clean", "pinned")
    assert cells[3:7] == ["2 (1 failed)", "no", "0.4", "never in 1 of 2"]
    assert line(section(page, "Runs"), "`lift_can-clean-pinned-1`")[1] == "failed"


def test_a_run_of_changed_code_says_so(make_row):
    for dirty, commit in ((False, "0123456789"), (True, "0123456789+")):
        page = results([make_row(dirty=dirty, cell="one")], YOUNG)
        assert line(section(page, "Runs"), "`one`")[4] == commit


def test_the_page_depends_on_neither_order_nor_anything_but_the_rows(make_row):
    rows = [make_row(clip=c, seed=s) for c in ("push_box", "lift_can") for s in range(2)]
    assert results(rows, YOUNG) == results(rows[::-1], YOUNG)
    assert results(rows, YOUNG).index("lift_can") < results(rows, YOUNG).index("push_box")
    assert "](results.png)" in results(rows, YOUNG, curves="results.png")
    assert "](results.png)" not in results(rows, YOUNG)
    assert results([], YOUNG).count("Not run yet.") == 4


def test_the_picture_shows_every_clip_and_root_that_was_run(make_row, tmp_path):
    pairs = [("lift_can", "pinned"), ("push_box", "pinned"), ("lift_can", "free")]
    rows = [make_row(clip=clip, root=root) for clip, root in reversed(pairs)]
    assert sorted(panels(rows)) == sorted(pairs) and [root for _, root in panels(rows)] == ["pinned", "pinned", "free"]
    assert not panels([make_row(variant="paper")])
    many = [make_row(clip=f"clip{i}") for i in range(COLUMNS + 1)]
    assert plot(tmp_path / "two.png", many) and plot(tmp_path / "one.png", many[:-1])
    two, one = (matplotlib.image.imread(tmp_path / name).shape for name in ("two.png", "one.png"))
    assert two[0] == pytest.approx(2 * one[0], rel=0.01) and two[1] == one[1]
    assert not plot(tmp_path / "none.png", [make_row(curve=[])]) and not (tmp_path / "none.png").exists()
