"""The page says what the rows say: medians, targets met and missed, replays apart, and no failure left out."""

import matplotlib.image
import numpy as np
import pytest

from devi_jax.bench.learning.page import results
from devi_jax.bench.learning.plot import COLUMNS, panels, plot
from devi_jax.bench.learning.targets import TARGETS, in_words, judged, of_target, times

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
    ("minutes", "words"),
    [
        ([2.9, 3.0, 3.0], "**3.0 min**, met (≤ 3)"),
        ([3.5, 4.2, 5.0], "4.2 min, missed by 1.2 min (≤ 3)"),
        ([1.0, np.inf, np.inf], "never in 2 of 3, missed (≤ 3)"),
        ([], "not run (≤ 3)"),
    ],
)
def test_a_target_is_met_or_missed_by_so_much(minutes, words):
    assert judged(np.array(minutes), 3) == words


def test_targets_speak_of_the_recipe_on_suite_clips_trained_long_enough(make_row):
    target = TARGETS[0]
    counted = [make_row(grade=grade, seed=s) for grade in ("clean", "mild") for s in range(2)]
    left_out = [
        make_row(grade="rough"),
        make_row(root="free"),
        make_row(variant="no-plan"),
        make_row(clip="kettle", grade="capture"),
        make_row(seed=7, minutes=2.0),
    ]
    assert of_target(left_out + counted, target) == counted
    assert times(counted, "plan").tolist() == [np.inf] * 4


def test_the_table_of_targets_has_medians_over_clips_and_seeds(make_row):
    rows = [make_row(seed=s, stages=MET) for s in range(2)]
    rows += [make_row(clip="pick_place", stages={**MET, "success": 9.0, "perturbed_80": 12.0})]
    rows += [make_row(clip="pick_place", grade="mild", stages={"plan": 5.0})]
    cells = line(results(rows), "pinned pelvis, clean and mild (4 runs)")
    assert cells[1] == "**0.4 min**, met (≤ 1)"
    assert cells[2] == "5.5 (1 of 4 never) min, missed by 2.5 min (≤ 3)"
    assert cells[3] == "**4.0 (1 of 4 never) min**, met (≤ 5)"
    assert cells[4] == "≥ 80 %: **10.0 (1 of 4 never) min**, met (≤ 10)"
    assert "not run (≤ 45)" in line(results(rows), "whole body, free root, clean and mild (0 runs)")[4]


def test_each_clip_grade_and_root_is_a_line_with_replays_apart(make_row):
    rows = [make_row(seed=s, stages=MET, rates=(rate, 0.5, 0.2)) for s, rate in enumerate((0.4, 0.9, 0.8))]
    page = section(results(rows + [make_row(grade="mild", rates=(0.7, None, 0.1))]), "Clip by clip")
    cells = line(page, "lift_can", "clean", "pinned")
    assert cells[3:9] == ["3", "0.4", "2.0", "4.0", "5.0", "8.0"]
    assert cells[9:12] == ["80 %", "50 %", "20 %"]
    assert cells[12:] == ["2 of 3, 3 of 3", "21.0", "15.0", "93 %"]
    # a reference that needed no plan has no plan's column
    assert line(page, "lift_can", "mild", "pinned")[10:13] == ["-", "10 %", "-, 1 of 1"]


def test_an_ablation_stands_beside_the_recipe_on_the_same_task(make_row):
    rows = [make_row(grade="rough", stages=MET), make_row(grade="rough", variant="no-plan", rates=(0.1, None, 0.0))]
    page = results(rows + [make_row(grade="mild")])
    ablations = section(page, "Without parts of the recipe")
    assert line(ablations, "full", "lift_can", "rough", "pinned")[10] == "90 %"
    assert line(ablations, "no-plan", "lift_can", "rough", "pinned")[10] == "10 %"
    assert "mild" not in ablations and "no-plan" not in section(page, "Clip by clip")


def test_clips_beyond_the_suite_stand_in_a_table_of_their_own(make_row):
    page = results([make_row(clip="carton_tray"), make_row()])
    assert line(section(page, "Beyond the suite"), "carton_tray") and "carton_tray" not in section(page, "Clip by clip")
    assert "Beyond the suite" not in results([make_row()])


def test_capture_stands_in_a_table_of_its_own(make_row):
    page = results([make_row(clip="kettle", grade="capture")])
    assert line(section(page, "Real capture"), "kettle", "pinned") and "kettle" not in section(page, "Clip by clip")
    assert "under noise" not in page
    row = make_row(clip="kettle", grade="capture")
    row["evaluation"]["noisy"] = {"policy": 0.75, "reference": 0.0}
    told = line(section(results([row]), "Real capture"), f"`{row['cell']}`")
    assert told[1:] == ["75 %", "-", "0 %"]


def test_failures_stay(make_row):
    failed = make_row(seed=1, status="failed", evaluation=None, cell="lift_can-clean-pinned-1")
    page = results([make_row(stages=MET), failed])
    assert line(section(page, "Clip by clip"), "lift_can", "clean", "pinned")[3:5] == [
        "2 (1 failed)",
        "never in 1 of 2",
    ]
    assert line(section(page, "Runs"), "`lift_can-clean-pinned-1`")[1] == "failed"


def test_a_run_of_changed_code_says_so(make_row):
    for dirty, commit in ((False, "0123456789"), (True, "0123456789+")):
        page = results([make_row(dirty=dirty, cell="one")])
        assert line(section(page, "Runs"), "`one`")[4] == commit


def test_the_page_depends_on_neither_order_nor_anything_but_the_rows(make_row):
    rows = [make_row(clip=c, seed=s) for c in ("push_box", "lift_can") for s in range(2)]
    assert results(rows) == results(rows[::-1])
    assert results(rows).index("lift_can") < results(rows).index("push_box")
    assert "](results.png)" in results(rows, "results.png") and "](results.png)" not in results(rows)
    assert results([]).count("Not run yet.") == 4


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
