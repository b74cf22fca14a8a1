"""One run folder for one policy, one for each of several seeds; nothing is made where something lies."""

import pytest

from devi_jax.core.errors import RunError
from devi_jax.evaluation.table import side_by_side
from devi_jax.runs.run_dir import RunDir
from devi_jax.systems import devi
from devi_jax.training.run_config import RunConfig, read_config
from devi_jax.training.run_setup import create

CONFIG = RunConfig(
    system=devi("cpu"),
    clip="lift_can",
    engine="c",
    root="pinned",
    seed=4,
    preset="cpu",
    iterations=1,
    minutes=None,
    checkpoint_every=20,
)


def test_each_seed_has_a_whole_run_folder(lift_can, tmp_path):
    records = create(tmp_path / "runs", CONFIG, lift_can, seeds=2)
    assert [r.name for r in records] == ["seed 4", "seed 5"]
    assert [r.run.path.name for r in records] == ["seed-4", "seed-5"]
    assert [read_config(r.run).seed for r in records] == [4, 5]
    with pytest.raises(RunError, match="seed-4, seed-5: name one"):
        RunDir.open(tmp_path / "runs")


def test_one_seed_has_the_folder_itself(lift_can, tmp_path):
    (record,) = create(tmp_path / "run", CONFIG, lift_can)
    assert record.name == "policy" and read_config(RunDir.open(tmp_path / "run")).seed == 4


@pytest.mark.parametrize("seeds", [1, 2])
def test_a_folder_in_use_is_refused_and_left_alone(lift_can, tmp_path, seeds):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(RunError, match="not empty"):
        create(tmp_path, CONFIG, lift_can, seeds)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_seeds_stand_beside_each_other_with_their_median():
    def judged(success, rate, mpjpe, t_obj):
        exact = {"success": success, "mpjpe_all_mm": mpjpe, "t_obj_mm": t_obj}
        return {"exact": exact, "perturbed": {"success_rate": rate, "mpjpe_all_mm": 99.0}}

    results = {"seed 4": judged(True, 0.5, 6.0, None), "seed 5": judged(False, 0.25, 30.0, None)}
    head, *rows = (line.split() for line in side_by_side(results).splitlines())
    assert head == ["success", "perturbed", "MPJPE", "mm", "T_obj", "mm"]
    assert rows == [
        ["seed", "4", "yes", "0.5", "6", "-"],
        ["seed", "5", "no", "0.25", "30.0", "-"],
        ["median", "0.5", "0.375", "18.0", "-"],
    ]
