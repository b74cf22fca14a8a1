"""What is measured, in which order, under which names and with which flags."""

from collections import Counter
from typing import get_args

import pytest

from devi_jax.bench.learning.jobs import ABLATIONS, FULL, LearningJob, Variant, budget_minutes, chosen, schedule
from devi_jax.core.errors import ConfigError
from devi_jax.datasets.bundled_sets import SUITE
from devi_jax.training.train_options import read_early, read_options

GRADES = "rough", "mild", "clean"


def test_the_schedule_holds_every_clip_grade_and_root_three_times():
    cells = schedule()
    names = [cell.name for cell in cells]
    assert len(set(names)) == len(names)
    seeds = Counter((c.clip, c.grade, c.root) for c in cells if c.variant == "full")
    assert len(seeds) == len(SUITE) * 3 * 2 and set(seeds.values()) == {3}


def test_what_matters_most_comes_first():
    cells = schedule()
    demo = [(c.clip, c.grade, c.root, c.seed) for c in cells[:3]]
    assert demo == [("lift_can", "rough", "free", seed) for seed in range(3)]
    where = {name: [i for i, c in enumerate(cells) if c.grade == name and c.seed == 0] for name in GRADES}
    assert max(where["rough"][:-3]) < min(where["mild"]) and max(where["mild"]) < min(where["clean"])
    # a seed of everything before another seed of anything
    later = [i for i, c in enumerate(cells) if c.seed > 0 and i > 2]
    assert min(later) > max(where["clean"]) and [cells[i].seed for i in later] == sorted(cells[i].seed for i in later)
    ablated = [i for i, c in enumerate(cells) if c.variant != "full"]
    assert len(ablated) == len(ABLATIONS) and max(where["clean"]) < min(ablated) and max(ablated) < min(later)
    assert {(cells[i].clip, cells[i].grade, cells[i].root) for i in ablated} == {("lift_can", "rough", "pinned")}


@pytest.mark.parametrize(
    ("clip", "grade", "root", "minutes"),
    [
        ("lift_can", "rough", "pinned", 10),
        ("lift_can", "rough", "free", 6),
        ("lift_can", "mild", "free", 20),
        ("hat", "rough", "free", 20),
    ],
)
def test_a_cell_is_trained_until_its_first_target_is_due(clip, grade, root, minutes):
    assert budget_minutes(clip, grade, root) == minutes


def test_names_tell_cells_apart():
    usual = LearningJob("lift_can", "clean", "pinned", 0, 10.0)
    assert usual.name == "lift_can-clean-pinned-0" and usual.source == "lift_can"
    assert LearningJob("lift_can", "mild", "free", 2, 3.0, "no-plan").name == "lift_can-mild-free-no-plan-3min-2"
    assert LearningJob("lift_can", "mild", "free", 2, 3.0).source == "lift_can-mild"


def test_files_are_captures_and_have_no_grade(tmp_path):
    file = tmp_path / "kettle.npz"
    file.touch()
    cells = chosen((str(file), "lift_can"), ("clean", "mild"), ("pinned",), 2, ("full",), 1.0)
    assert [(c.name, c.source) for c in cells[:2]] == [
        ("kettle-capture-pinned-1min-0", str(file)),
        ("kettle-capture-pinned-1min-1", str(file)),
    ]
    assert len(cells) == 6
    with pytest.raises(ConfigError) as caught:
        chosen(("lift_cann",), ("clean",), ("free",), 1, ("full",), None)
    assert "lift_can" in caught.value.valid


def test_each_seed_and_variant_is_a_cell_of_its_own():
    cells = chosen(("lift_can",), ("rough",), ("pinned",), 2, ("full", "no-plan"), None)
    assert [(c.variant, c.seed) for c in cells] == [("full", 0), ("full", 1), ("no-plan", 0), ("no-plan", 1)]


@pytest.mark.parametrize("variant", ABLATIONS)
def test_the_flags_of_a_variant_are_flags_of_training(variant):
    usual, told = (read_options(args, read_early(args)) for args in ([], list(ABLATIONS[variant])))
    assert usual != told


def test_variants_that_cannot_learn_yet_are_not_measured():
    assert tuple(ABLATIONS) == ("no-plan", "no-plan-resets", "no-squeeze") and get_args(Variant) == (FULL, *ABLATIONS)
